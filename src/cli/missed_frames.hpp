/// @file
/// Which frames of a session its reader has missed. Pure.

#ifndef SOJOURN_CLI_MISSED_FRAMES_HPP
#define SOJOURN_CLI_MISSED_FRAMES_HPP

#include <boost/json/value.hpp>

#include <cstdint>
#include <string>

namespace sojourn::cli {

/// Which of a session's frames are read.
enum class FrameChoice : std::uint8_t { all, one_stream };

/// Looks at the pages that a reader gets, in order, and tells what is on none of them.
///
/// Of all frames the numbers say so. Those of one stream have holes for the others between them; so
/// there only what the session as a whole lacks is told, which may have been of any stream.
class MissedFrames {
public:
    /// The reader begins after this number.
    MissedFrames(std::uint64_t after, FrameChoice choice) noexcept : seen_(after), choice_(choice)
    {
    }

    /// A line for each gap that this page shows first, as `GET /sessions/REFERENCE/frames` answers
    /// it. Throws `boost::system::system_error` or `std::out_of_range` if it is no such page.
    [[nodiscard]] std::string told_by(const boost::json::value& page);

private:
    [[nodiscard]] std::string gaps_between_all(const boost::json::value& page);
    [[nodiscard]] std::string gaps_of_session(const boost::json::value& page);
    [[nodiscard]] std::string pass_to(std::uint64_t number);

    /// The last number of which the reader knows what became.
    std::uint64_t seen_;
    /// Frames that lack among those that the session kept when it was looked at last.
    std::uint64_t holes_ = 0;
    FrameChoice choice_;
};

} // namespace sojourn::cli

#endif // SOJOURN_CLI_MISSED_FRAMES_HPP

/// @file
/// What a simulation knows of the frames of one session: which were recorded, what was answered to
/// that, and so what a page of them may and must have.

#ifndef SOJOURN_TESTS_SIM_KNOWN_FRAMES_HPP
#define SOJOURN_TESTS_SIM_KNOWN_FRAMES_HPP

#include <sojourn/core/frame.hpp>
#include <sojourn/core/frame_page.hpp>
#include <sojourn/core/service_options.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace sojourn::tests::sim {

/// Whether all sessions together may have less than each may, so that one can take room from
/// another.
[[nodiscard]] bool is_frame_room_scarce(const ServiceOptions& options) noexcept;

/// Every frame of a simulation has a payload of its own, so that each is known when it is seen.
class KnownFrames {
public:
    /// From here on a recording may have its turn.
    void begin() noexcept { ++in_flight_; }

    /// And from here on it has had it, or never will.
    void end() noexcept { --in_flight_; }

    /// How many recordings were answered with a number, or that there was no room.
    [[nodiscard]] std::uint64_t answered() const noexcept { return answered_; }

    /// What a recording was answered that had begun when `least` were. *Exceptions*: `Violation`.
    void answer(
        std::uint64_t number, const Frame& frame, std::uint64_t least, const ServiceOptions& options
    );

    /// A page that was asked for when `least` were answered. *Exceptions*: `Violation`.
    void judge(
        const FramePage& page,
        const FrameQuery& query,
        std::uint64_t least,
        const ServiceOptions& options
    );

    /// Whether the last frame that was kept is one that this query asks for: no other makes room
    /// for it.
    [[nodiscard]] bool has_last_for(const FrameQuery& query) const;

    /// How many the session has kept of all that are known, where nobody takes its room.
    [[nodiscard]] std::size_t kept(const ServiceOptions& options) const;

private:
    using Frames = std::map<std::uint64_t, Frame>;

    void see(std::uint64_t number, const Frame& frame);
    void judge_counts(const FramePage& page, const ServiceOptions& options) const;
    [[nodiscard]] Frames::const_iterator
    oldest_kept(std::uint64_t newest, const ServiceOptions& options) const;

    /// Those that found room, by their numbers.
    Frames frames_;
    std::uint64_t answered_ = 0;
    std::uint64_t in_flight_ = 0;
};

} // namespace sojourn::tests::sim

#endif // SOJOURN_TESTS_SIM_KNOWN_FRAMES_HPP

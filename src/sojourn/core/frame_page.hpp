/// @file
/// Reading the frames of a session a page at a time, from any frame on.

#ifndef SOJOURN_CORE_FRAME_PAGE_HPP
#define SOJOURN_CORE_FRAME_PAGE_HPP

#include "sojourn/core/frame.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace sojourn {

/// Which frames to read, with chained setters.
class FrameQuery {
public:
    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    FrameQuery() noexcept {} // NOLINT(modernize-use-equals-default)

    /// Frames with a larger number than this; default 0, so all that are kept.
    FrameQuery& after(std::uint64_t sequence) noexcept
    {
        after_ = sequence;
        return *this;
    }

    [[nodiscard]] std::uint64_t after() const noexcept { return after_; }

    /// Frames on a page, 1 to 1,000; outside, the nearest bound is used. Default 100.
    FrameQuery& limit(std::size_t count) noexcept
    {
        limit_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t limit() const noexcept
    {
        return std::clamp<std::size_t>(limit_, 1, 1000);
    }

    /// Only those of this stream; default all.
    FrameQuery& stream(std::optional<std::uint32_t> number) noexcept
    {
        stream_ = number;
        return *this;
    }

    [[nodiscard]] std::optional<std::uint32_t> stream() const noexcept { return stream_; }

private:
    std::uint64_t after_ = 0;
    std::size_t limit_ = 100;
    std::optional<std::uint32_t> stream_;
};

/// Frames of one session, in the order of their numbers.
///
/// A page looks at no more than 1,000 frames, and holds no more than 1 MiB of them, or one. So it
/// may hold fewer than its limit, or none of a stream, and there are more all the same: that is so
/// as long as `next < newest`.
struct FramePage {
    std::vector<std::shared_ptr<const Frame>> frames;
    /// What to ask for next with `FrameQuery::after`.
    std::uint64_t next = 0;
    /// The number of the session's last frame, dropped or not; 0 if it never had one.
    std::uint64_t newest = 0;
    /// The number of the oldest frame that is kept; that of the next one, if none is. Beyond
    /// `after() + 1` the reader has missed some.
    std::uint64_t first_kept = 1;
    /// How many of the session's frames were dropped so far. One that never found room leaves a
    /// hole in the numbers.
    std::uint64_t dropped = 0;
};

} // namespace sojourn

#endif // SOJOURN_CORE_FRAME_PAGE_HPP

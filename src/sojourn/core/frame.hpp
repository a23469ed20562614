/// @file
/// A message that went through a session, as a proxy saw it: for an administrator who looks at what
/// a client does, and for a client that comes back and wants to have what it missed.

#ifndef SOJOURN_CORE_FRAME_HPP
#define SOJOURN_CORE_FRAME_HPP

#include "sojourn/core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sojourn {

/// Which way a frame went.
enum class FrameDirection : std::uint8_t { from_client, to_client };

/// "from_client" or "to_client".
[[nodiscard]] constexpr std::string_view to_string(FrameDirection direction) noexcept
{
    switch (direction) {
    case FrameDirection::from_client:
        return "from_client";
    case FrameDirection::to_client:
        return "to_client";
    }
    return "unknown";
}

/// One frame. Once it is recorded nobody changes it, and all who read it share it, so a
/// `std::shared_ptr<const Frame>` may be kept for as long as one likes, in any thread.
struct Frame {
    /// What a frame counts besides its payload: this object, what shares and finds it, and what the
    /// allocator adds.
    static constexpr std::size_t overhead = 160;

    Frame(FrameDirection way, std::string text, std::uint32_t of_stream, WallTime moment) noexcept
        : recorded(moment), stream(of_stream), direction(way), payload(std::move(text))
    {
    }

    /// The number of bytes that it counts against the bounds of `ServiceOptions`.
    [[nodiscard]] std::size_t bytes() const noexcept { return payload.size() + overhead; }

    /// 1, 2, 3 and so on in each session. Frames that were dropped have had theirs, and no number
    /// is given twice.
    std::uint64_t sequence = 0;
    WallTime recorded;
    /// Which of the session's streams it belongs to, as the server counts them; 0 for none.
    std::uint32_t stream;
    FrameDirection direction;
    std::string payload;
};

} // namespace sojourn

#endif // SOJOURN_CORE_FRAME_HPP

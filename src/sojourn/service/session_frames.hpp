/// @file
/// Private header. What is done with the frames of one session by whoever knows where it is: a
/// lease on it, or the service once it has found it by its reference.

#ifndef SOJOURN_SERVICE_SESSION_FRAMES_HPP
#define SOJOURN_SERVICE_SESSION_FRAMES_HPP

#include "sojourn/core/error.hpp"
#include "sojourn/core/frame.hpp"
#include "sojourn/core/frame_page.hpp"
#include "sojourn/core/session_reference.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace sojourn {

class Shard;

/// Those who may wait for the next frame of one session.
inline constexpr std::size_t max_followers = 64;

/// Where a session was when somebody looked: it may end, and another may have its slot then.
class SessionPlace {
public:
    /// Nowhere if there is no shard.
    SessionPlace(
        std::shared_ptr<Shard> in_shard, std::uint32_t in_slot, SessionReference named
    ) noexcept
        : shard(std::move(in_shard)), slot(in_slot), reference(named)
    {
    }

    std::shared_ptr<Shard> shard;
    std::uint32_t slot;
    SessionReference reference;
};

// See `SessionLease` and `SessionService` for what these do. *Errors*: `not_found`; `stopping` once
// the service is destroyed.

/// Returns the frame's number; 0 if the service records none.
[[nodiscard]] boost::asio::awaitable<Result<std::uint64_t>> record_frame(
    SessionPlace place, FrameDirection direction, std::string payload, std::uint32_t stream
);

/// *Errors*: also `not_recorded`.
[[nodiscard]] boost::asio::awaitable<Result<FramePage>>
read_frames(SessionPlace place, FrameQuery query);

/// *Errors*: also `not_recorded`; `overloaded`; one equal to `operation_aborted`.
[[nodiscard]] boost::asio::awaitable<Result<FramePage>>
next_frames(SessionPlace place, FrameQuery query);

} // namespace sojourn

#endif // SOJOURN_SERVICE_SESSION_FRAMES_HPP

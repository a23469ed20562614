/// @file
/// A claim on a session for as long as a stream is open, such as one of server-sent events: the
/// session does not expire for idleness meanwhile, but it may make room for others once the stream
/// has been silent for long.

#ifndef SOJOURN_SERVICE_WEAK_LEASE_HPP
#define SOJOURN_SERVICE_WEAK_LEASE_HPP

#include "sojourn/core/error.hpp"
#include "sojourn/core/frame.hpp"
#include "sojourn/core/frame_page.hpp"
#include "sojourn/core/session_info.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace sojourn {

class SessionPlace;
class Shard;
struct WeakHold;

/// A weak lease on a session, or nothing when default constructed, moved from or released.
///
/// Where room is needed the session counts as any that nobody leases: the one that was used least
/// recently goes first, and nobody within `ServiceOptions::eviction_grace`. So a stream that sends
/// something should `touch`. A session that ends leaves this behind: `closed` tells.
///
/// *Thread safety*: one coroutine at a time; the release may happen in any thread. *Lifetime*: may
/// outlive the service and the execution context. *Data*: what `info` tells is as it was when the
/// session was acquired. *Cancellation*: see each function.
class WeakLease {
public:
    WeakLease() noexcept;
    WeakLease(WeakLease&& other) noexcept;
    WeakLease& operator=(WeakLease&& other) noexcept;
    WeakLease(const WeakLease&) = delete;
    WeakLease& operator=(const WeakLease&) = delete;
    /// Releases.
    ~WeakLease();

    /// Whether it has a session, which may have ended meanwhile.
    [[nodiscard]] explicit operator bool() const noexcept { return hold_ != nullptr; }

    /// The session as it was when it was acquired. Valid as long as this object, released or not.
    [[nodiscard]] const SessionInfo& info() const noexcept { return info_; }

    /// Notes that the stream is in use at this moment: the session's place among those that may
    /// have to make room begins anew. A turn, which is too short to be cancelled. *Errors*:
    /// `not_found` if the session has ended, or this is nothing.
    [[nodiscard]] boost::asio::awaitable<Result<void>> touch();

    /// Records a message of the stream: see `SessionLease::record`. Does not `touch`.
    [[nodiscard]] boost::asio::awaitable<Result<std::uint64_t>>
    record(FrameDirection direction, std::string payload, std::uint32_t stream = 0);

    /// A page of the session's frames: see `SessionLease::frames`.
    [[nodiscard]] boost::asio::awaitable<Result<FramePage>>
    frames(FrameQuery query = FrameQuery()) const;

    /// Waits for a frame: see `SessionLease::next_frames`.
    [[nodiscard]] boost::asio::awaitable<Result<FramePage>>
    next_frames(FrameQuery query = FrameQuery()) const;

    /// Waits until the session has ended, for whatever reason: see `SessionLease::closed`.
    [[nodiscard]] boost::asio::awaitable<Result<void>> closed() const;

    /// Gives the session back; its idle time begins now, unless others have it too. Needs no
    /// memory, waits for nothing, fails never; does nothing if there is nothing to give back.
    void release() noexcept;

private:
    friend struct AcquireWeakTurn;

    [[nodiscard]] SessionPlace place() const noexcept;

    WeakLease(
        std::shared_ptr<Shard> shard, std::unique_ptr<WeakHold> hold, SessionInfo info
    ) noexcept;

    std::shared_ptr<Shard> shard_;
    std::unique_ptr<WeakHold> hold_;
    SessionInfo info_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_WEAK_LEASE_HPP

/// @file
/// A lease that no other of its kind on the same session exists beside: for requests of one client
/// that must not overlap.

#ifndef SOJOURN_SERVICE_EXCLUSIVE_LEASE_HPP
#define SOJOURN_SERVICE_EXCLUSIVE_LEASE_HPP

#include "sojourn/async/permit.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/core/frame.hpp"
#include "sojourn/core/frame_page.hpp"
#include "sojourn/core/session_info.hpp"
#include "sojourn/service/session_lease.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace sojourn {

/// An exclusive lease on a session, or nothing when default constructed, moved from or released.
///
/// Exclusive among those that `acquire_exclusive` gives. A plain `acquire` does not wait for it: it
/// is for those who only look.
///
/// *Thread safety*, *Lifetime*, *Data*: as `SessionLease`.
class ExclusiveLease {
public:
    ExclusiveLease() = default;
    ExclusiveLease(ExclusiveLease&& other) noexcept = default;

    ExclusiveLease& operator=(ExclusiveLease&& other) noexcept
    {
        if (this != &other) {
            release();
            turn_ = std::move(other.turn_);
            lease_ = std::move(other.lease_);
        }
        return *this;
    }

    ExclusiveLease(const ExclusiveLease&) = delete;
    ExclusiveLease& operator=(const ExclusiveLease&) = delete;
    ~ExclusiveLease() = default;

    /// Whether it holds a session.
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(lease_); }

    /// The session as it was when this request found it, before it waited for its turn: see
    /// `SessionService::snapshot` for its attributes now.
    [[nodiscard]] const SessionInfo& info() const noexcept { return lease_.info(); }

    /// Records a message that went through the session: see `SessionLease::record`.
    [[nodiscard]] boost::asio::awaitable<Result<std::uint64_t>>
    record(FrameDirection direction, std::string payload, std::uint32_t stream = 0)
    {
        return lease_.record(direction, std::move(payload), stream);
    }

    /// A page of the session's frames: see `SessionLease::frames`.
    [[nodiscard]] boost::asio::awaitable<Result<FramePage>>
    frames(FrameQuery query = FrameQuery()) const
    {
        return lease_.frames(query);
    }

    /// Waits for a frame: see `SessionLease::next_frames`.
    [[nodiscard]] boost::asio::awaitable<Result<FramePage>>
    next_frames(FrameQuery query = FrameQuery()) const
    {
        return lease_.next_frames(query);
    }

    /// Waits until the session has ended: see `SessionLease::closed`.
    [[nodiscard]] boost::asio::awaitable<Result<void>> closed() const { return lease_.closed(); }

    /// Gives the session back, and the turn to whoever has waited for it longest. Needs no memory,
    /// waits for nothing, fails never; does nothing if there is nothing to give back.
    void release() noexcept
    {
        lease_.release();
        turn_.release();
    }

private:
    friend class SessionService;

    ExclusiveLease(SessionLease lease, Permit turn) noexcept
        : turn_(std::move(turn)), lease_(std::move(lease))
    {
    }

    /// Given back after the lease.
    Permit turn_;
    SessionLease lease_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_EXCLUSIVE_LEASE_HPP

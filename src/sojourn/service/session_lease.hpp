/// @file
/// A claim on a session while a request is in flight. As long as a lease is held, its session is
/// neither evicted nor expired for idleness; the idle time begins when the last lease is given
/// back.

#ifndef SOJOURN_SERVICE_SESSION_LEASE_HPP
#define SOJOURN_SERVICE_SESSION_LEASE_HPP

#include "sojourn/async/permit.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/core/frame.hpp"
#include "sojourn/core/frame_page.hpp"
#include "sojourn/core/session_id.hpp"
#include "sojourn/core/session_info.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace sojourn {

class SessionPlace;
class SessionWatch;
class Shard;
struct Session;

/// A lease on a session, or nothing when default constructed, moved from or released.
///
/// *Thread safety*: one coroutine at a time; the release may happen in any thread. *Lifetime*:
/// keeps the session's memory alive, so it may outlive the service and the execution context.
/// *Data*: what `info` tells is as it was when the session was acquired.
class SessionLease {
public:
    SessionLease() = default;

    SessionLease(SessionLease&& other) noexcept
        : shard_(other.shard_),
          session_(std::exchange(other.session_, nullptr)),
          permit_(std::move(other.permit_)),
          info_(std::move(other.info_))
    {
    }

    SessionLease& operator=(SessionLease&& other) noexcept
    {
        if (this != &other) {
            release();
            shard_ = other.shard_;
            session_ = std::exchange(other.session_, nullptr);
            permit_ = std::move(other.permit_);
            info_ = std::move(other.info_);
        }
        return *this;
    }

    SessionLease(const SessionLease&) = delete;
    SessionLease& operator=(const SessionLease&) = delete;

    /// Releases.
    ~SessionLease() { release(); }

    /// Whether it holds a session.
    [[nodiscard]] explicit operator bool() const noexcept { return session_ != nullptr; }

    /// The session as it was when it was acquired. Valid as long as this object, released or not.
    [[nodiscard]] const SessionInfo& info() const noexcept { return info_; }

    /// Waits until the session has ended while it is leased: removed, at the end of its lifetime,
    /// or drained. Nobody can acquire it then, and it is gone with its last lease; who works for it
    /// should come to an end. Completes at once if that is so already, and also when this lease and
    /// all others are given back, or the service is destroyed. This object must not be destroyed or
    /// moved before the call returns; it may be while the call's result is awaited.
    ///
    /// *Errors*: one equal to `boost::asio::error::operation_aborted` if the wait was cancelled, by
    /// any type of cancellation, which has no other effect; `std::errc::not_enough_memory`.
    /// *Exceptions*: `bad_alloc`; `boost::asio::execution::bad_executor` if the execution context
    /// is gone and the service is not.
    [[nodiscard]] boost::asio::awaitable<Result<void>> closed() const;

    /// Records a message that went through the session, and returns its number, or 0 if it was not
    /// kept: because the service records none (`ServiceOptions::max_frames_per_session`), which
    /// costs no turn, so a server may record all and leave it to its options whether that means
    /// anything; or because there is no room for it. Then it has had a number all the same, and was
    /// dropped. Those who wait for the session's next frame are woken. Touches nothing. O(1)
    /// amortised, and what it drops. One turn; two where the ring must grow, which happens a few
    /// times in a session's life.
    ///
    /// This object must not be destroyed or moved before the call returns; it may be while the
    /// call's result is awaited. *Errors*: `not_found` if the session has ended, or this is
    /// nothing; `stopping` once the service is destroyed; `std::errc::not_enough_memory`.
    /// *Exceptions*: `bad_alloc`. *Cancellation*: between its turns; nothing was recorded then.
    [[nodiscard]] boost::asio::awaitable<Result<std::uint64_t>>
    record(FrameDirection direction, std::string payload, std::uint32_t stream = 0);

    /// A page of the session's frames: see `SessionService::frames`. *Errors*: those of `record`;
    /// `not_recorded`.
    [[nodiscard]] boost::asio::awaitable<Result<FramePage>>
    frames(FrameQuery query = FrameQuery()) const;

    /// Waits for a frame: see `SessionService::next_frames`. *Errors*: those of `frames`;
    /// `overloaded`; one equal to `operation_aborted`.
    [[nodiscard]] boost::asio::awaitable<Result<FramePage>>
    next_frames(FrameQuery query = FrameQuery()) const;

    /// Gives the session back; its idle time begins now. Needs no memory, waits for nothing, fails
    /// never; does nothing if there is nothing to give back. Where the strand is idle it runs a
    /// turn, and like any turn that may go on to run some calls of others. If the session was
    /// removed meanwhile, it ends with its last lease, in a turn that this call sees to.
    void release() noexcept
    {
        if (session_ != nullptr) {
            give_back();
        }
        permit_.release();
    }

private:
    friend class SessionService;
    friend class Shard;

    template <class Table>
    SessionLease(Shard& shard, Session& session, const Table& table) noexcept
        : shard_(&shard), session_(&session), info_(table.info(session))
    {
    }

    void give_back() noexcept;
    [[nodiscard]] std::shared_ptr<Shard> shard() const;
    [[nodiscard]] SessionPlace place() const;
    [[nodiscard]] boost::asio::awaitable<Result<std::shared_ptr<SessionWatch>>> watch() const;

    /// Kept by its service or, once that is gone, by its leases.
    Shard* shard_ = nullptr;
    Session* session_ = nullptr;
    /// To be in flight, where that is bounded.
    Permit permit_;
    SessionInfo info_;
};

/// What `create` gives: the secret for the client, and a lease for the request that made it.
struct CreatedSession {
    SessionId id;
    SessionLease lease;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_SESSION_LEASE_HPP

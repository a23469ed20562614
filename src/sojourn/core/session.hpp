/// @file
/// Private header. A session's node in a `SessionTable`. Nodes never move: leases and the intrusive
/// lists point at them. Only a turn of the owning table may read or write a node, but for the two
/// atomics through which a lease is given back, from any thread and without a turn.

#ifndef SOJOURN_CORE_SESSION_HPP
#define SOJOURN_CORE_SESSION_HPP

#include "sojourn/core/attributes.hpp"
#include "sojourn/core/removal_cause.hpp"
#include "sojourn/core/session_id.hpp"
#include "sojourn/core/session_reference.hpp"
#include "sojourn/core/time.hpp"

#include <boost/intrusive/list_hook.hpp>
#include <boost/intrusive/unordered_set_hook.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace sojourn {

struct PrincipalEntry;

/// Where a session stands. `SessionTable::transition` is the only code that changes it.
enum class SessionState : std::uint8_t {
    /// The slot is free.
    vacant,
    /// Created for an anonymous client that has not completed a request yet.
    half_open,
    /// In use.
    established,
    /// Removed while leased: nobody finds it any more, and it ends with its last lease.
    closing,
    /// Ended; its removal listener has yet to be told.
    departed,
};

struct Session {
    using ListHook = boost::intrusive::list_member_hook<
        boost::intrusive::link_mode<boost::intrusive::safe_link>>;

    using IndexHook = boost::intrusive::unordered_set_member_hook<
        boost::intrusive::link_mode<boost::intrusive::normal_link>>;

    SessionId id;
    std::uint64_t hash = 0;
    IndexHook index_hook;

    /// In the recency list while idle, in the list of departed ones once ended. Never in both.
    ListHook recency_hook;
    ListHook principal_hook;
    PrincipalEntry* principal = nullptr;

    /// The end of its last request, or its creation.
    TimePoint last_used;
    /// When its lifetime ends.
    TimePoint lifetime_end;
    Duration idle_timeout{};
    /// GCRA's theoretical arrival time.
    TimePoint theoretical_arrival;
    std::uint64_t requests = 0;

    std::shared_ptr<const Attributes> attributes;
    std::uint64_t version = 0;

    SessionReference reference;
    WallTime created;

    std::uint32_t slot = 0;
    /// Grows whenever the slot is vacated, so that a stale expiry entry is known by it.
    std::uint32_t generation = 0;
    /// Leases whose release has not been settled.
    std::uint32_t leases = 0;
    SessionState state = SessionState::vacant;
    /// Whether its entry is in the expiry schedule.
    bool scheduled = false;
    RemovalCause cause{};

    /// The next free slot, or the next session on the release list.
    Session* next = nullptr;
    /// Leases given back and not yet settled; whoever raises it from zero lists the session.
    std::atomic<std::uint32_t> releases{0};
    /// When the latest lease was given back.
    std::atomic<TimePoint::rep> released_at{TimePoint::min().time_since_epoch().count()};

    [[nodiscard]] bool is_open() const noexcept
    {
        return state == SessionState::half_open || state == SessionState::established;
    }
};

} // namespace sojourn

#endif // SOJOURN_CORE_SESSION_HPP

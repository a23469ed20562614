/// @file
/// Private header. A session's node in a `SessionTable`. Nodes never move: leases and the intrusive
/// lists point at them. Only a turn of the owning table may read or write a node, but for what a
/// lease is given back through, from any thread and without a turn: `last_used`, `releases`,
/// `next`.

#ifndef SOJOURN_CORE_SESSION_HPP
#define SOJOURN_CORE_SESSION_HPP

#include "sojourn/core/attributes.hpp"
#include "sojourn/core/rate_limit.hpp"
#include "sojourn/core/removal_cause.hpp"
#include "sojourn/core/session_id.hpp"
#include "sojourn/core/session_reference.hpp"
#include "sojourn/core/time.hpp"

#include <boost/intrusive/list_hook.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

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

/// Weak leases that a session may have: one for each stream of a client.
inline constexpr std::size_t max_weak_leases = 63;

/// No slot: the end of a chain of slots.
inline constexpr std::uint32_t no_slot = 0xFFFFFFFF;

/// Three cache lines: what every request reads, what it writes, and what only tells of the session.
struct alignas(64) Session {
    // Unlinks itself, whatever list it is in.
    using ListHook = boost::intrusive::list_member_hook<
        boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

    SessionId id;
    std::uint32_t slot = 0;
    /// Leases whose release has not been settled.
    std::uint32_t leases = 0;
    /// 46 bits: a million requests a second for two years.
    std::uint64_t requests : 46 = 0;
    bool has_own_rate : 1 = false;
    /// Whether somebody may wait for its frames: see `SessionTable::follow`.
    bool is_followed : 1 = false;
    SessionState state : 4 = SessionState::vacant;
    /// Whether somebody may wait for its end: see `SessionTable::watch`.
    bool is_watched : 1 = false;
    std::uint64_t weak_leases : 6 = 0;
    RemovalCause cause : 5 = RemovalCause::expired_idle;

    /// In a recency list while idle, in the list of departed ones once ended. Never in two.
    ListHook recency_hook;
    /// The end of its last request, or its creation. Releases raise it from any thread.
    std::atomic<TimePoint::rep> last_used{TimePoint::min().time_since_epoch().count()};
    /// When its lifetime ends.
    TimePoint lifetime_end;
    Duration idle_timeout{};
    /// GCRA's theoretical arrival time.
    TimePoint theoretical_arrival;
    /// When the expiry schedule looks at this slot; `TimePoint::max()` for never.
    TimePoint armed_at = TimePoint::max();
    /// Leases given back and not yet settled; whoever raises it from zero lists the session.
    std::atomic<std::uint32_t> releases{0};
    /// The slot behind it in the chain of free ones, or on the release list.
    std::uint32_t next = no_slot;

    /// In the list of its principal; of the half-open ones, if it waits for its first request.
    ListHook owner_hook;
    PrincipalEntry* principal = nullptr;
    Attributes attributes;
    std::uint64_t version = 0;
    SessionReference reference;
    WallTime created;
    /// The rate of its requests, if not the service's.
    RateLimit own_rate = RateLimit::unlimited();

    [[nodiscard]] bool is_open() const noexcept
    {
        return state == SessionState::half_open || state == SessionState::established;
    }

    /// Whether it does not expire for idleness.
    [[nodiscard]] bool is_pinned() const noexcept { return leases > 0 || weak_leases > 0; }

    /// Whether it was created for an anonymous client that has not come back.
    [[nodiscard]] bool awaits_first_request() const noexcept
    {
        return state == SessionState::half_open && requests == 0;
    }

    [[nodiscard]] TimePoint used_last() const noexcept
    {
        return TimePoint(Duration(last_used.load(std::memory_order_relaxed)));
    }

    /// Takes note, in any thread, that it was in use at this moment; the latest one counts.
    void raise_last_used(TimePoint moment) noexcept
    {
        const auto latest = moment.time_since_epoch().count();
        auto before = last_used.load(std::memory_order_relaxed);
        while (before < latest &&
               !last_used.compare_exchange_weak(before, latest, std::memory_order_relaxed)) {
        }
    }
};

static_assert(sizeof(Session) == 192, "a session is three cache lines");

} // namespace sojourn

#endif // SOJOURN_CORE_SESSION_HPP

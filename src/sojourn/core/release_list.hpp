/// @file
/// Private header. How a lease is given back: from any thread, without a turn, without an
/// allocation and without failing. The session puts itself on a lock-free stack; the next turn
/// takes the whole stack and settles it.

#ifndef SOJOURN_CORE_RELEASE_LIST_HPP
#define SOJOURN_CORE_RELEASE_LIST_HPP

#include "sojourn/core/session_slab.hpp"

#include <atomic>
#include <cstdint>
#include <utility>

namespace sojourn {

/// A stack of sessions that have releases to settle, each on it at most once.
///
/// *Thread safety*: `give_back` from any thread; `settle` from one turn at a time. Treiber's stack
/// (1986) whose only pop takes everything, so it has no ABA problem.
class ReleaseList {
public:
    /// Gives one lease of the session back at `now`. The session must be leased; the caller may not
    /// touch it afterwards. Returns whether somebody waits for it to be settled, so that the caller
    /// should see to a turn at once.
    [[nodiscard]] bool give_back(Session& session, TimePoint now) noexcept
    {
        // Two leases may be given back in another order than their callers looked at the clock.
        session.raise_last_used(now);
        if (session.releases.fetch_add(1, std::memory_order_acq_rel) == 0) {
            auto top = top_.load(std::memory_order_relaxed);
            do {
                session.next = top;
            } while (!top_.compare_exchange_weak(
                top, session.slot, std::memory_order_seq_cst, std::memory_order_relaxed
            ));
        }
        return is_awaited_.load(std::memory_order_seq_cst);
    }

    /// Says, from a turn, whether somebody waits for a lease. After saying yes the turn must settle
    /// once more: either it finds a release that came meanwhile, or that release finds this set.
    void await_releases(bool is_awaited) noexcept
    {
        is_awaited_.store(is_awaited, std::memory_order_seq_cst);
    }

    [[nodiscard]] bool is_awaited() const noexcept
    {
        return is_awaited_.load(std::memory_order_relaxed);
    }

    /// Calls `each(session, count)` for every listed session of the slab with the number of its
    /// leases that were given back, in the order in which the first of those was.
    template <class Each>
    void settle(SessionSlab& slab, Each each)
    {
        if (top_.load(std::memory_order_seq_cst) == no_slot) {
            return;
        }
        auto slot = reversed(slab, top_.exchange(no_slot, std::memory_order_acq_rel));
        while (slot != no_slot) {
            auto& session = slab[slot];
            // Read first: from the exchange on, another release may list the session anew.
            slot = std::exchange(session.next, no_slot);
            each(session, session.releases.exchange(0, std::memory_order_acq_rel));
        }
    }

private:
    /// The stack as a queue: recency is the order in which requests finished.
    static std::uint32_t reversed(SessionSlab& slab, std::uint32_t slot) noexcept
    {
        auto previous = no_slot;
        while (slot != no_slot) {
            previous = std::exchange(slot, std::exchange(slab[slot].next, previous));
        }
        return previous;
    }

    std::atomic<std::uint32_t> top_{no_slot};
    std::atomic<bool> is_awaited_{false};
};

} // namespace sojourn

#endif // SOJOURN_CORE_RELEASE_LIST_HPP

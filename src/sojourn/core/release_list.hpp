/// @file
/// Private header. How a lease is given back: from any thread, without a turn, without an
/// allocation and without failing. The session puts itself on a lock-free stack; the next turn
/// takes the whole stack and settles it.

#ifndef SOJOURN_CORE_RELEASE_LIST_HPP
#define SOJOURN_CORE_RELEASE_LIST_HPP

#include "sojourn/core/session.hpp"

#include <atomic>

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
        raise(session.released_at, now.time_since_epoch().count());
        if (session.releases.fetch_add(1, std::memory_order_acq_rel) == 0) {
            auto* top = top_.load(std::memory_order_relaxed);
            do {
                session.next = top;
            } while (!top_.compare_exchange_weak(
                top, &session, std::memory_order_seq_cst, std::memory_order_relaxed
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

    /// Calls `each(session, count, released_at)` for every listed session with the number of its
    /// leases that were given back, in the order in which the first of those was.
    template <class Each>
    void settle(Each each)
    {
        if (top_.load(std::memory_order_seq_cst) == nullptr) {
            return;
        }
        auto* session = reversed(top_.exchange(nullptr, std::memory_order_acq_rel));
        while (session != nullptr) {
            // Read first: from the exchange on, another release may list the session anew.
            auto* const next = session->next;
            const auto count = session->releases.exchange(0, std::memory_order_acq_rel);
            const TimePoint released_at(Duration(session->released_at.load(std::memory_order_relaxed
            )));
            each(*session, count, released_at);
            session = next;
        }
    }

private:
    /// Two leases may be given back in another order than their callers looked at the clock.
    static void raise(std::atomic<TimePoint::rep>& latest, TimePoint::rep moment) noexcept
    {
        auto before = latest.load(std::memory_order_relaxed);
        while (before < moment &&
               !latest.compare_exchange_weak(before, moment, std::memory_order_relaxed)) {
        }
    }

    /// The stack as a queue: recency is the order in which requests finished.
    static Session* reversed(Session* session) noexcept
    {
        Session* previous = nullptr;
        while (session != nullptr) {
            auto* const next = session->next;
            session->next = previous;
            previous = session;
            session = next;
        }
        return previous;
    }

    std::atomic<Session*> top_{nullptr};
    std::atomic<bool> is_awaited_{false};
};

} // namespace sojourn

#endif // SOJOURN_CORE_RELEASE_LIST_HPP

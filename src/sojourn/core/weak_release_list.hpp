/// @file
/// Private header. How a weak lease is given back when the strand is busy: from any thread, without
/// an allocation and without failing. It brings along what is needed for that from its beginning.

#ifndef SOJOURN_CORE_WEAK_RELEASE_LIST_HPP
#define SOJOURN_CORE_WEAK_RELEASE_LIST_HPP

#include "sojourn/core/session.hpp"
#include "sojourn/core/session_reference.hpp"
#include "sojourn/core/time.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace sojourn {

/// Which session a weak lease is on: it may end, and another may have its slot then.
struct WeakHold {
    std::uint32_t slot = no_slot;
    SessionReference reference;
    TimePoint released;
    WeakHold* next = nullptr;
    /// Keeps whoever settles it, while it is on the list.
    std::shared_ptr<void> keep;
};

/// A stack of weak leases that were given back and are not settled.
///
/// *Thread safety*: `give_back` from any thread; `settle` from one turn at a time. Treiber's stack
/// (1986), as `ReleaseList`.
class WeakReleaseList {
public:
    WeakReleaseList() = default;
    WeakReleaseList(const WeakReleaseList&) = delete;
    WeakReleaseList& operator=(const WeakReleaseList&) = delete;
    WeakReleaseList(WeakReleaseList&&) = delete;
    WeakReleaseList& operator=(WeakReleaseList&&) = delete;

    ~WeakReleaseList()
    {
        settle([](WeakHold&) {});
    }

    void give_back(std::unique_ptr<WeakHold> hold) noexcept
    {
        auto* const node = hold.release();
        node->next = top_.load(std::memory_order_relaxed);
        while (!top_.compare_exchange_weak(
            node->next, node, std::memory_order_release, std::memory_order_relaxed
        )) {
        }
    }

    /// Calls `each(hold)` for all of them.
    template <class Each>
    void settle(Each each)
    {
        if (top_.load(std::memory_order_relaxed) == nullptr) {
            return;
        }
        auto* next = top_.exchange(nullptr, std::memory_order_acquire);
        while (next != nullptr) {
            const std::unique_ptr<WeakHold> hold(next);
            next = hold->next;
            each(*hold);
        }
    }

private:
    std::atomic<WeakHold*> top_{nullptr};
};

} // namespace sojourn

#endif // SOJOURN_CORE_WEAK_RELEASE_LIST_HPP

/// @file
/// The counters of a semaphore. Like those of a service they change inside the turn that makes
/// happen what they count, and a snapshot is taken in one, so that the ledger holds in each.

#ifndef SOJOURN_CORE_SEMAPHORE_METRICS_HPP
#define SOJOURN_CORE_SEMAPHORE_METRICS_HPP

#include "sojourn/core/wait_histogram.hpp"

#include <cstdint>

namespace sojourn {

/// What a semaphore has counted since it was made.
struct SemaphoreMetrics {
    // Now.

    /// Permits that are handed out. More than `limit` for a while, after that was lowered.
    std::uint64_t held = 0;
    /// Permits that there are.
    std::uint64_t limit = 0;
    std::uint64_t waiting = 0;

    // Since the beginning. Whoever asks for a permit has one outcome or waits:
    // entered == granted + refused_overloaded + timed_out + cancelled + refused_stopping + waiting.

    std::uint64_t entered = 0;
    std::uint64_t granted = 0;
    std::uint64_t refused_overloaded = 0;
    std::uint64_t timed_out = 0;
    std::uint64_t cancelled = 0;
    std::uint64_t refused_stopping = 0;

    /// How long those waited that were granted a permit, each counted once.
    WaitHistogram waits;

    /// True when everybody who asked has one outcome or waits. It always is.
    [[nodiscard]] bool ledger_holds() const noexcept
    {
        const auto refused = refused_overloaded + timed_out + cancelled + refused_stopping;
        return entered == granted + refused + waiting && held <= granted &&
               waits.count() == granted;
    }

    friend bool operator==(const SemaphoreMetrics&, const SemaphoreMetrics&) = default;
};

} // namespace sojourn

#endif // SOJOURN_CORE_SEMAPHORE_METRICS_HPP

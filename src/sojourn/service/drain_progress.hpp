/// @file
/// Private header. How far a service is with its drain, and what is to be done next. It decides and
/// does nothing.

#ifndef SOJOURN_SERVICE_DRAIN_PROGRESS_HPP
#define SOJOURN_SERVICE_DRAIN_PROGRESS_HPP

#include "sojourn/core/time.hpp"
#include "sojourn/service/drain_ledger.hpp"
#include "sojourn/service/drain_options.hpp"
#include "sojourn/service/service_state.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>

namespace sojourn {

/// What a drain does next.
enum class DrainStep : std::uint8_t {
    /// Wait until `next_moment`, or until something is given back, told or decided.
    wait,
    /// Tell those who have leases to give them back.
    cancel,
    /// Wait for nobody any more.
    close,
};

/// What all drains of a service share.
///
/// *Thread safety*: all members, any thread.
class DrainProgress {
public:
    [[nodiscard]] ServiceState state() const noexcept
    {
        return state_.load(std::memory_order_acquire);
    }

    /// Goes on to a state; never back.
    void advance(ServiceState to) noexcept
    {
        auto before = state_.load(std::memory_order_relaxed);
        while (before < to && !state_.compare_exchange_weak(before, to, std::memory_order_acq_rel)
        ) {
        }
    }

    /// One more drain begins. Of the moments at which they want something, the earliest counts.
    void join(TimePoint now, const DrainOptions& options) noexcept
    {
        const auto cancel_at = saturating_add(now, std::max(options.limit(), Duration::zero()));
        const auto close_at =
            saturating_add(cancel_at, std::max(options.cancel_grace(), Duration::zero()));
        lower(cancel_at_, cancel_at);
        lower(close_at_, close_at);
        advance(ServiceState::draining);
    }

    /// What to do where so much is left.
    [[nodiscard]] DrainStep next_step(const DrainCounts& left, TimePoint now) const noexcept
    {
        if (state() == ServiceState::closed || left.is_empty()) {
            return DrainStep::close;
        }
        if (now >= cancel_at_.load(std::memory_order_acquire) && left.live > 0 &&
            (state() < ServiceState::cancelling || left.open > 0)) {
            return DrainStep::cancel;
        }
        return now >= close_at_.load(std::memory_order_acquire) ? DrainStep::close
                                                                : DrainStep::wait;
    }

    /// Until when to wait, if that is what is to be done.
    [[nodiscard]] TimePoint next_moment(TimePoint now) const noexcept
    {
        const auto cancel_at = cancel_at_.load(std::memory_order_acquire);
        return now < cancel_at ? cancel_at : close_at_.load(std::memory_order_acquire);
    }

    /// How many were refused when the lines were closed. The first who says it counts: whoever
    /// closes them again finds others, who came later.
    void note_refused(std::uint64_t waiters) noexcept
    {
        auto nobody_knows = unknown;
        waiters_refused_.compare_exchange_strong(nobody_knows, waiters, std::memory_order_acq_rel);
    }

    /// Once it was noted.
    [[nodiscard]] std::uint64_t waiters_refused() const noexcept
    {
        return waiters_refused_.load(std::memory_order_acquire);
    }

    /// The service is gone, so that nobody will be told or refused any more.
    void abandon() noexcept { is_abandoned_.store(true, std::memory_order_release); }

    [[nodiscard]] bool is_abandoned() const noexcept
    {
        return is_abandoned_.load(std::memory_order_acquire);
    }

private:
    static constexpr auto unknown = ~std::uint64_t{0};

    static void lower(std::atomic<TimePoint>& moment, TimePoint to) noexcept
    {
        auto before = moment.load(std::memory_order_relaxed);
        while (to < before && !moment.compare_exchange_weak(before, to, std::memory_order_acq_rel)
        ) {
        }
    }

    std::atomic<ServiceState> state_{ServiceState::running};
    std::atomic<TimePoint> cancel_at_{TimePoint::max()};
    std::atomic<TimePoint> close_at_{TimePoint::max()};
    std::atomic<std::uint64_t> waiters_refused_{unknown};
    std::atomic<bool> is_abandoned_{false};
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_DRAIN_PROGRESS_HPP

/// @file
/// How fast a client may go: a sustained rate and a burst. The decision is GCRA, the generic cell
/// rate algorithm (ITU-T I.371, annex A), whose whole state is one moment in time.

#ifndef SOJOURN_CORE_RATE_LIMIT_HPP
#define SOJOURN_CORE_RATE_LIMIT_HPP

#include "sojourn/core/time.hpp"

#include <algorithm>
#include <cstdint>

namespace sojourn {

/// A rate with a burst. In any window `w`, GCRA admits at most `burst + ceil(w * rate)` requests.
/// A client that keeps `interval` between its requests is never refused.
class RateLimit {
public:
    /// Requests a second from 1 to 10^9, burst from 1 to 10^6; `ServiceOptions::validate` checks.
    /// The interval between requests is rounded up to whole nanoseconds, so the rate is never
    /// exceeded.
    constexpr RateLimit(std::uint32_t requests_per_second, std::uint32_t burst) noexcept
        : requests_per_second_(requests_per_second), burst_(burst)
    {
    }

    /// Refuses nobody.
    [[nodiscard]] static constexpr RateLimit unlimited() noexcept { return {0, 0}; }

    [[nodiscard]] constexpr bool is_unlimited() const noexcept
    {
        return requests_per_second_ == 0 && burst_ == 0;
    }

    [[nodiscard]] constexpr std::uint32_t requests_per_second() const noexcept
    {
        return requests_per_second_;
    }

    [[nodiscard]] constexpr std::uint32_t burst() const noexcept { return burst_; }

    /// The time that one request uses up; zero when unlimited.
    [[nodiscard]] constexpr Duration interval() const noexcept
    {
        constexpr std::int64_t second = 1'000'000'000;
        return requests_per_second_ == 0
                   ? Duration::zero()
                   : Duration((second + requests_per_second_ - 1) / requests_per_second_);
    }

    friend constexpr bool operator==(RateLimit, RateLimit) = default;

private:
    std::uint32_t requests_per_second_;
    std::uint32_t burst_;
};

/// The GCRA decision for one limit; the caller keeps each client's state.
class RateLimiter {
public:
    constexpr explicit RateLimiter(RateLimit limit) noexcept
        : interval_(limit.interval()),
          tolerance_(limit.burst() == 0 ? Duration::zero() : interval_ * (limit.burst() - 1))
    {
    }

    /// Admits a request at `now`, advancing the client's theoretical arrival time, and returns
    /// zero. Or refuses it, changes nothing, and returns exactly how long to wait: a request after
    /// that time is admitted, one a nanosecond earlier is not (if nothing comes in between).
    [[nodiscard]] constexpr Duration
    admit(TimePoint& theoretical_arrival, TimePoint now) const noexcept
    {
        const auto latest = saturating_add(now, tolerance_);
        if (theoretical_arrival > latest) {
            return theoretical_arrival - latest;
        }
        theoretical_arrival = saturating_add(std::max(theoretical_arrival, now), interval_);
        return Duration::zero();
    }

    /// Whether the bound on what is admitted holds even if `admit` is told times that lag behind,
    /// by no more than `lag`, wherever they admit, and exact ones before it refuses. A window of
    /// length `w` then holds what arrived, by the lagging clock, in less than `w + lag`: at most
    /// `burst + ceil(w / interval)` requests, as long as the lag is no longer than the interval.
    [[nodiscard]] constexpr bool tolerates(Duration lag) const noexcept
    {
        return interval_ == Duration::zero() || lag <= interval_;
    }

private:
    Duration interval_;
    Duration tolerance_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_RATE_LIMIT_HPP

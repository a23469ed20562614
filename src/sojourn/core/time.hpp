/// @file
/// The two kinds of time that sojourn speaks of. Deadlines are steady; only what a person reads
/// ("created at") is wall time. Nothing in this layer reads a clock: time comes in as an argument.

#ifndef SOJOURN_CORE_TIME_HPP
#define SOJOURN_CORE_TIME_HPP

#include <chrono>

namespace sojourn {

/// A length of time. Nanoseconds, so that `retry_after` can be exact.
using Duration = std::chrono::nanoseconds;

/// A moment on the steady clock. What `Clock::steady` returns and every deadline is measured in.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// A moment on the wall clock. Shown to people, never compared with a deadline.
using WallTime = std::chrono::system_clock::time_point;

/// The sum, or the last representable moment if the sum lies beyond it. `length` must not be
/// negative. A clock near its end must not wrap a deadline into the past.
[[nodiscard]] constexpr TimePoint saturating_add(TimePoint moment, Duration length) noexcept
{
    return moment > TimePoint::max() - length ? TimePoint::max() : moment + length;
}

/// How long it is from one moment to another: negative if `to` is the earlier one. As long as a
/// length can be, where they are further apart: a clock that jumps must not make a length wrap.
[[nodiscard]] constexpr Duration time_between(TimePoint from, TimePoint to) noexcept
{
    const auto origin = from.time_since_epoch();
    if (origin < Duration::zero()) {
        return to > TimePoint::max() + origin ? Duration::max() : to - from;
    }
    return to < TimePoint::min() + origin ? Duration::min() : to - from;
}

} // namespace sojourn

#endif // SOJOURN_CORE_TIME_HPP

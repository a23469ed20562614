/// @file
/// What tests of rates count with: when they begin, and how much a rate admits in a while.

#ifndef SOJOURN_TESTS_UNIT_RATE_WINDOW_HPP
#define SOJOURN_TESTS_UNIT_RATE_WINDOW_HPP

#include <sojourn/core/rate_limit.hpp>
#include <sojourn/core/time.hpp>

#include <chrono>
#include <cstdint>

namespace sojourn::unit {

inline constexpr TimePoint first_request{std::chrono::hours(1)};

/// Of windows of hours at thousands a second: the product fits.
inline std::int64_t ceil_of_window(Duration window, RateLimit limit)
{
    const auto product = window.count() * limit.requests_per_second();
    return (product + 999'999'999) / 1'000'000'000;
}

} // namespace sojourn::unit

#endif // SOJOURN_TESTS_UNIT_RATE_WINDOW_HPP

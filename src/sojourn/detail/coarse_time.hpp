/// @file
/// Private header. The steady clock as of the last tick of the system's, which is cheaper to read.

#ifndef SOJOURN_DETAIL_COARSE_TIME_HPP
#define SOJOURN_DETAIL_COARSE_TIME_HPP

#include <chrono>

namespace sojourn::detail {

/// No later than `std::chrono::steady_clock::now()`; earlier by a tick of the system at most.
[[nodiscard]] std::chrono::steady_clock::time_point coarse_steady_time() noexcept;

} // namespace sojourn::detail

#endif // SOJOURN_DETAIL_COARSE_TIME_HPP

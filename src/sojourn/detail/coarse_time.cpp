// The coarse clock, which Linux has; others read the exact one.

#include "sojourn/detail/coarse_time.hpp"

#if defined(__linux__)
#include <ctime>
#endif

namespace sojourn::detail {

std::chrono::steady_clock::time_point coarse_steady_time() noexcept
{
#if defined(CLOCK_MONOTONIC_COARSE)
    // The clock of both standard libraries on Linux is CLOCK_MONOTONIC, whose epoch this one
    // shares.
    if (std::timespec time{}; ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time) == 0) {
        return std::chrono::steady_clock::time_point(
            std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)
        );
    }
#endif
    return std::chrono::steady_clock::now();
}

} // namespace sojourn::detail

/// @file
/// What a soak looks at, again and again.

#ifndef SOJOURN_TESTS_SOAK_SAMPLE_HPP
#define SOJOURN_TESTS_SOAK_SAMPLE_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace sojourn::tests::soak {

/// One look at the service and the process it is in.
struct Sample {
    double seconds = 0;
    std::uint64_t resident_bytes = 0;
    std::uint64_t heap_bytes = 0;
    std::uint64_t threads = 0;
    std::uint64_t live = 0;
    std::uint64_t leased = 0;
    /// Clients that have asked for a lease and have no answer yet.
    std::uint64_t waiting = 0;
    /// Events that the listeners have yet to be told of.
    std::uint64_t pending = 0;
    /// Of the frames that sessions keep.
    std::uint64_t frame_bytes = 0;

    // Since the sample before.

    double operations_per_second = 0;
    /// Of requests that were given a lease, those included that waited in line for it.
    double acquire_p50_us = 0;
    double acquire_p99_us = 0;
};

/// However long it takes. They are memory of the same process, and must not look like growth.
inline constexpr std::size_t samples_max = 3'600;

/// One a second; for a short soak more often, so that there are ten, and for a long one not so
/// often.
[[nodiscard]] constexpr std::chrono::nanoseconds sample_interval(std::chrono::nanoseconds duration)
{
    return std::clamp<std::chrono::nanoseconds>(
        std::chrono::seconds(1), duration / samples_max, duration / 10
    );
}

} // namespace sojourn::tests::soak

#endif // SOJOURN_TESTS_SOAK_SAMPLE_HPP

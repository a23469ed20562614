/// @file
/// Which session each request is for, decided before the timing begins and the same in every run.

#ifndef SOJOURN_BENCH_SUPPORT_ACCESS_HPP
#define SOJOURN_BENCH_SUPPORT_ACCESS_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sojourn::bench {

enum class Access : std::uint8_t {
    /// A few sessions get most requests: popularity falls with rank to the power of 0.99, and ranks
    /// are shuffled over the sessions, so that the popular ones are no neighbours.
    zipf,
    /// All sessions alike.
    uniform,
};

/// Session numbers below `sessions`. Four for each session, but no fewer than 4,096, so that no
/// branch predictor learns them, and no more than 2^20.
[[nodiscard]] std::vector<std::uint32_t> access_sequence(Access access, std::size_t sessions);

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_SUPPORT_ACCESS_HPP

/// @file
/// What the sweeps have done, printed once when all tests that were asked for have run, in lines
/// that a program can read.

#ifndef SOJOURN_TESTS_FAULTS_TALLY_HPP
#define SOJOURN_TESTS_FAULTS_TALLY_HPP

#include <cstddef>

namespace sojourn::tests {

struct Tally {
    /// Operations, in each face and on each number of shards.
    std::size_t operations = 0;
    /// Allocations of these that have failed.
    std::size_t allocation_points = 0;
    /// Allocations of these that were spared, as Asio does not survive them.
    std::size_t spared = 0;
    std::size_t callbacks = 0;
    std::size_t exceptions = 0;
    std::size_t clock_jumps = 0;
};

/// Of this process.
[[nodiscard]] Tally& tally() noexcept;

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_FAULTS_TALLY_HPP

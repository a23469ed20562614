/// @file
/// The seed of a test that uses random numbers.

#ifndef SOJOURN_TESTS_SUPPORT_SEED_HPP
#define SOJOURN_TESTS_SUPPORT_SEED_HPP

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

namespace sojourn::tests {

/// A seed that differs from run to run, printed. The environment's SOJOURN_TEST_SEED replaces it,
/// to run the same again.
[[nodiscard]] inline std::uint64_t announced_seed()
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets the environment
    const char* const asked = std::getenv("SOJOURN_TEST_SEED");
    const std::uint64_t seed = asked != nullptr ? std::stoull(asked) : std::random_device()();
    std::printf("SOJOURN_TEST_SEED=%s\n", std::to_string(seed).c_str());
    return seed;
}

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_SUPPORT_SEED_HPP

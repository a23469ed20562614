/// @file
/// Whether something that was measured over time has stopped growing.

#ifndef SOJOURN_TESTS_SOAK_PLATEAU_HPP
#define SOJOURN_TESTS_SOAK_PLATEAU_HPP

#include <cstddef>
#include <cstdint>
#include <span>

namespace sojourn::tests::soak {

/// By how much the last third may exceed the middle third.
struct Tolerance {
    /// Of the middle third's maximum.
    double share = 0;
    /// In the unit of the samples.
    std::uint64_t amount = 0;
};

/// What was found. The first third is the warm-up, and does not count.
struct Plateau {
    std::uint64_t middle_max = 0;
    std::uint64_t last_max = 0;
    /// The most that the last third may reach.
    std::uint64_t allowed = 0;

    [[nodiscard]] bool holds() const noexcept { return last_max <= allowed; }
};

/// Fewer samples than this say nothing, and are not to be judged.
inline constexpr std::size_t plateau_samples_min = 60;

/// Compares the maxima of the last third and of the middle third.
///
/// *Preconditions*: at least three samples.
[[nodiscard]] Plateau judge_plateau(std::span<const std::uint64_t> samples, Tolerance tolerance);

} // namespace sojourn::tests::soak

#endif // SOJOURN_TESTS_SOAK_PLATEAU_HPP

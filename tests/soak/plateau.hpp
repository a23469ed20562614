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
    /// Of the middle third's.
    double share = 0;
    /// In the unit of the samples.
    std::uint64_t amount = 0;
};

/// What of a third is compared with that of another. Of a queue it is the lowest: its peaks are a
/// matter of the machine, but what is never done is always in it.
enum class Level : std::uint8_t { highest, lowest };

/// What was found. The first third is the warm-up, and does not count.
struct Plateau {
    std::uint64_t middle = 0;
    std::uint64_t last = 0;
    /// The most that the last third may reach.
    std::uint64_t allowed = 0;

    [[nodiscard]] bool holds() const noexcept { return last <= allowed; }
};

/// Fewer samples than this say nothing, and are not to be judged.
inline constexpr std::size_t plateau_samples_min = 60;

/// Compares the last third with the middle third.
///
/// *Preconditions*: at least three samples.
[[nodiscard]] Plateau judge_plateau(
    std::span<const std::uint64_t> samples, Tolerance tolerance, Level level = Level::highest
);

} // namespace sojourn::tests::soak

#endif // SOJOURN_TESTS_SOAK_PLATEAU_HPP

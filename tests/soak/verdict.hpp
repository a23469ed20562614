/// @file
/// What a soak's samples must be like.

#ifndef SOJOURN_TESTS_SOAK_VERDICT_HPP
#define SOJOURN_TESTS_SOAK_VERDICT_HPP

#include "soak/plateau.hpp"
#include "soak/sample.hpp"

#include <span>
#include <string>
#include <vector>

namespace sojourn::tests::soak {

// What a maximum over a third of a run differs by from one third to the next, without a leak.
// Sessions and their attributes come and go, so the heap differs by some of them, tens of KiB of
// 1.7 MiB; what is resident differs by the pages that an arena happens to keep, 0.1 MiB of 8.
inline constexpr Tolerance heap_tolerance{.share = 0.01, .bytes = 256U << 10U};
inline constexpr Tolerance resident_tolerance{.share = 0.02, .bytes = 1U << 20U};

/// Of what `malloc` has handed out, and of what is resident.
[[nodiscard]] Plateau heap_plateau(std::span<const Sample> samples);
[[nodiscard]] Plateau resident_plateau(std::span<const Sample> samples);

/// What still grows at the end, in words; nothing if neither does, or if there are fewer samples
/// than `plateau_samples_min`.
[[nodiscard]] std::vector<std::string> plateau_faults(std::span<const Sample> samples);

} // namespace sojourn::tests::soak

#endif // SOJOURN_TESTS_SOAK_VERDICT_HPP

/// @file
/// What a soak's samples must be like.

#ifndef SOJOURN_TESTS_SOAK_VERDICT_HPP
#define SOJOURN_TESTS_SOAK_VERDICT_HPP

#include "soak/plateau.hpp"
#include "soak/sample.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sojourn::tests::soak {

/// Something that must not become more and more, and what was found of it.
struct Judged {
    std::string_view name;
    Plateau plateau;
    bool is_memory = false;

    /// With its unit, as in "3.25 MiB" or "17".
    [[nodiscard]] std::string in_words(std::uint64_t amount) const;
};

/// The heap, what is resident, clients that wait, events that wait for listeners, and bytes of
/// frames; nothing of fewer samples than `plateau_samples_min`.
[[nodiscard]] std::vector<Judged> judge(std::span<const Sample> samples);

/// What still grows at the end, in words; nothing if all is well, or nothing is judged.
[[nodiscard]] std::vector<std::string> plateau_faults(std::span<const Sample> samples);

} // namespace sojourn::tests::soak

#endif // SOJOURN_TESTS_SOAK_VERDICT_HPP

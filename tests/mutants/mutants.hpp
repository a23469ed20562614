/// @file
/// Which of the seeded bugs is on. Only the copy of src/ that tools/mutants writes includes this;
/// it is compiled once, with all of them, and a run has the one that the environment names.

#ifndef SOJOURN_TESTS_MUTANTS_MUTANTS_HPP
#define SOJOURN_TESTS_MUTANTS_MUTANTS_HPP

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <type_traits>

namespace sojourn::mutants {

/// FNV-1a. The name itself would be compared too often.
constexpr std::uint64_t hash_of(std::string_view name) noexcept
{
    std::uint64_t hash = 0xCBF29CE484222325;
    for (const char character : name) {
        hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001B3;
    }
    return hash;
}

/// The name of one, known to the compiler.
struct Name {
    consteval Name(const char* text) noexcept : hash(hash_of(text)) {}

    std::uint64_t hash;
};

/// Of the one whose name `SOJOURN_MUTANT` is.
inline std::uint64_t chosen() noexcept
{
    static const std::uint64_t hash = [] {
        const char* const name = std::getenv("SOJOURN_MUTANT");
        return name == nullptr ? 0 : hash_of(name);
    }();
    return hash;
}

/// Never where the compiler itself computes.
constexpr bool is_on(Name name) noexcept
{
    return !std::is_constant_evaluated() && chosen() == name.hash;
}

} // namespace sojourn::mutants

#endif // SOJOURN_TESTS_MUTANTS_MUTANTS_HPP

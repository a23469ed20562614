/// @file
/// What code that is not ours may throw.

#ifndef SOJOURN_TESTS_FAULTS_THROWN_HPP
#define SOJOURN_TESTS_FAULTS_THROWN_HPP

#include <array>
#include <cstdint>
#include <exception>

namespace sojourn::tests {

enum class Thrown : std::uint8_t {
    runtime_error,
    bad_alloc,
    /// A `boost::system::system_error` of `errc::permission_denied`.
    system_error,
    /// Of a class of its own, derived from nothing.
    foreign,
    number,
};

inline constexpr std::array all_thrown{
    Thrown::runtime_error, Thrown::bad_alloc, Thrown::system_error, Thrown::foreign, Thrown::number
};

[[noreturn]] void throw_one(Thrown kind);

/// Whether it is what `throw_one` throws of this kind.
[[nodiscard]] bool is_one(Thrown kind, const std::exception_ptr& failure);

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_FAULTS_THROWN_HPP

/// @file
/// The two faces of an operation, where a test is about both.

#ifndef SOJOURN_TESTS_SUPPORT_FACE_HPP
#define SOJOURN_TESTS_SUPPORT_FACE_HPP

#include <catch2/generators/catch_generators.hpp>

#include <cstdint>

namespace sojourn::tests {

/// A coroutine to await, or a function that takes a completion token.
enum class Face : std::uint8_t { coroutine, handler };

/// One face after the other.
inline Face any_face()
{
    return GENERATE(Face::coroutine, Face::handler);
}

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_SUPPORT_FACE_HPP

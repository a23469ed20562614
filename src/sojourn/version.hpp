/// @file
/// The version of sojourn, as numbers and as text. It equals the CMake project's version and the
/// newest heading of CHANGELOG.md; a style check compares the three.

#ifndef SOJOURN_VERSION_HPP
#define SOJOURN_VERSION_HPP

#include <string_view>

namespace sojourn {

inline constexpr int version_major = 0;
inline constexpr int version_minor = 1;
inline constexpr int version_patch = 0;
inline constexpr std::string_view version = "0.1.0";

} // namespace sojourn

#endif // SOJOURN_VERSION_HPP

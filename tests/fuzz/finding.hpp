/// @file
/// How a fuzz target says that something does not hold: on the standard error, and by its end, so
/// that the fuzzer keeps the bytes.

#ifndef SOJOURN_TESTS_FUZZ_FINDING_HPP
#define SOJOURN_TESTS_FUZZ_FINDING_HPP

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace sojourn::tests {

/// Says what was found, and ends the program.
template <class... Args>
[[noreturn]] void report_finding(fmt::format_string<Args...> text, Args&&... args)
{
    fmt::print(stderr, "finding: {}\n", fmt::format(text, std::forward<Args>(args)...));
    std::abort();
}

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_FUZZ_FINDING_HPP

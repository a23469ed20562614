/// @file
/// Every wait of a test has an end. What does not end in time throws `TimedOut`, whose text names
/// the place in the test that waited.

#ifndef SOJOURN_TESTS_SUPPORT_TIME_LIMIT_HPP
#define SOJOURN_TESTS_SUPPORT_TIME_LIMIT_HPP

#include <chrono>
#include <source_location>
#include <stdexcept>
#include <string>

namespace sojourn::tests {

using Location = std::source_location;

/// Long enough for a loaded machine under a sanitizer, shorter than CTest's limit, so that a test
/// that hangs says where.
inline constexpr std::chrono::seconds default_limit{20};

class TimedOut : public std::runtime_error {
public:
    TimedOut(const std::string& what, const Location& where);
};

/// The end of a wait.
class TimeLimit {
public:
    using clock = std::chrono::steady_clock;

    explicit TimeLimit(clock::duration length) : end_(clock::now() + length) {}

    [[nodiscard]] bool is_over() const { return clock::now() >= end_; }

    [[nodiscard]] clock::time_point end() const { return end_; }

private:
    clock::time_point end_;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_SUPPORT_TIME_LIMIT_HPP

/// @file
/// Puts a test inside a confined value's turn, in the test's own thread: what happens meanwhile
/// meets a busy gate, every time and without a second thread.

#ifndef SOJOURN_TESTS_ASYNC_INSIDE_HPP
#define SOJOURN_TESTS_ASYNC_INSIDE_HPP

#include "sojourn/async/confined.hpp"
#include "support/poll_until.hpp"

namespace sojourn::tests {

/// Runs `function` in a turn of `confined`. Calls that it makes are queued, and callers that it
/// lets run (by `run_ready`) are suspended; leaving the turn runs their calls.
template <class T, class Function>
void while_inside(Confined<T>& confined, Function function)
{
    const auto turn = [&](T&) {
        function();
        return true;
    };
    poll_until([&] {
        renew_inline_budget();
        return confined.try_call(turn).has_value();
    });
}

/// The calls that were counted, however they ran.
inline std::uint64_t total(const CallCounts& counts) noexcept
{
    return counts.ran_inline + counts.combined + counts.suspended;
}

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_ASYNC_INSIDE_HPP

/// @file
/// Waits for something that other threads, or the handlers of a context, bring about.

#ifndef SOJOURN_TESTS_SUPPORT_POLL_UNTIL_HPP
#define SOJOURN_TESTS_SUPPORT_POLL_UNTIL_HPP

#include "support/time_limit.hpp"

#include <boost/asio/io_context.hpp>

#include <concepts>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace sojourn::tests {

/// Waits until other threads made `condition` true.
template <std::predicate Condition>
void poll_until(
    Condition condition,
    TimeLimit::clock::duration limit = default_limit,
    Location where = Location::current()
)
{
    const TimeLimit until(limit);
    while (!condition()) {
        if (until.is_over()) {
            throw TimedOut("what poll_until waited for did not come", where);
        }
        std::this_thread::yield();
    }
}

/// Runs the handlers of `context` in this thread until `condition` is true.
template <std::predicate Condition>
void poll_until(
    boost::asio::io_context& context,
    Condition condition,
    TimeLimit::clock::duration limit = default_limit,
    Location where = Location::current()
)
{
    const TimeLimit until(limit);
    while (!condition()) {
        if (until.is_over()) {
            throw TimedOut("what poll_until waited for did not come", where);
        }
        context.restart();
        if (context.poll_one() == 0) {
            std::this_thread::yield();
        }
    }
}

/// Runs all handlers of `context` that are ready, and those that these make ready, in this thread.
/// Returns how many ran. For contexts with nothing that waits for real time or another thread.
std::size_t run_ready(boost::asio::io_context& context);

/// Something that happens once, and that threads wait for.
class Signal {
public:
    void set() noexcept;
    [[nodiscard]] bool is_set() const noexcept;

    void wait(
        TimeLimit::clock::duration limit = default_limit, Location where = Location::current()
    ) const;

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool is_set_ = false;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_SUPPORT_POLL_UNTIL_HPP

/// @file
/// A semaphore on a context of its own, run in the test's thread, at a time that stands still; and
/// a clock that lets a test into a turn, where what it does meets a busy semaphore, every time and
/// without a second thread.

#ifndef SOJOURN_TESTS_ASYNC_SEMAPHORE_BENCH_HPP
#define SOJOURN_TESTS_ASYNC_SEMAPHORE_BENCH_HPP

#include "sojourn/async/async_semaphore.hpp"
#include "sojourn/async/gate.hpp"
#include "sojourn/testing/manual_clock.hpp"
#include "support/run_coro.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace sojourn::tests {

/// What came of a wait; nothing yet while it lasts.
using Outcome = std::optional<Result<Permit>>;

/// A handler that notes what it is completed with.
inline auto noting(Outcome& outcome)
{
    return [&outcome](Result<Permit> result) { outcome.emplace(std::move(result)); };
}

inline bool is_granted(const Outcome& outcome)
{
    return outcome && outcome->has_value();
}

inline bool is_refused(const Outcome& outcome, errc error)
{
    return outcome && outcome->has_error() && outcome->error() == error;
}

inline bool is_aborted(const Outcome& outcome)
{
    return outcome && outcome->has_error() &&
           outcome->error().code() == boost::asio::error::operation_aborted;
}

/// Moved by hand, and calls a function when it is asked the next time.
class IntrudingClock final : public Clock {
public:
    [[nodiscard]] TimePoint steady() const noexcept override
    {
        if (const auto intrude = std::exchange(intrude_, nullptr)) {
            intrude();
        }
        return manual.steady();
    }

    [[nodiscard]] WallTime wall() const noexcept override { return manual.wall(); }

    [[nodiscard]] std::unique_ptr<Timer> make_timer(const boost::asio::any_io_executor& executor
    ) override
    {
        return manual.make_timer(executor);
    }

    void when_asked(std::function<void()> intrude) { intrude_ = std::move(intrude); }

    [[nodiscard]] bool was_asked() const { return intrude_ == nullptr; }

    testing::ManualClock manual;

private:
    mutable std::function<void()> intrude_;
};

struct SemaphoreBench {
    explicit SemaphoreBench(const SemaphoreOptions& options = SemaphoreOptions())
        : semaphore(std::in_place, context.get_executor(), options, clock)
    {
    }

    /// Starts a wait, whose outcome is noted.
    void acquire(Outcome& outcome, Duration limit = Duration::max())
    {
        semaphore->async_acquire(limit, noting(outcome));
    }

    Permit take() { return semaphore->try_acquire().value(); }

    /// Runs `function` inside a turn. No permit may be free. One more is asked for and refused.
    void while_busy(std::function<void()> function)
    {
        clock->when_asked(std::move(function));
        semaphore->async_acquire(Duration::zero(), [](const Result<Permit>&) {});
    }

    SemaphoreMetrics metrics() { return run_coro(context, semaphore->metrics()); }

    void settle() { run_ready(context); }

    void advance(Duration length)
    {
        clock->manual.advance(length);
        settle();
    }

    std::shared_ptr<IntrudingClock> clock = std::make_shared<IntrudingClock>();
    boost::asio::io_context context;
    std::optional<AsyncSemaphore> semaphore;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_ASYNC_SEMAPHORE_BENCH_HPP

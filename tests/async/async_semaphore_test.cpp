#include "sojourn/async/async_semaphore.hpp"
#include "sojourn/testing/manual_clock.hpp"
#include "support/completion_probe.hpp"
#include "support/context_threads.hpp"
#include "support/run_coro.hpp"
#include "support/seed.hpp"
#include "support/tracking_executor.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/bad_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

using Outcome = std::optional<Result<Permit>>;

/// A handler that notes what it is completed with.
auto noting(Outcome& outcome)
{
    return [&outcome](Result<Permit> result) { outcome.emplace(std::move(result)); };
}

/// A semaphore on a context of its own, in this thread, at a time that stands still.
struct Bench {
    explicit Bench(SemaphoreOptions options = SemaphoreOptions())
        : semaphore(std::in_place, context.get_executor(), options, clock)
    {
    }

    /// Starts a wait, whose outcome is noted.
    void acquire(Outcome& outcome, Duration limit = Duration::max())
    {
        semaphore->async_acquire(limit, noting(outcome));
    }

    Permit take() { return semaphore->try_acquire().value(); }

    SemaphoreMetrics metrics() { return run_coro(context, semaphore->metrics()); }

    void settle() { run_ready(context); }

    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    asio::io_context context;
    std::optional<AsyncSemaphore> semaphore;
};

bool is_granted(const Outcome& outcome)
{
    return outcome && outcome->has_value();
}

bool is_refused(const Outcome& outcome, errc error)
{
    return outcome && outcome->has_error() && outcome->error() == error;
}

[[maybe_unused]] bool is_aborted(const Outcome& outcome)
{
    return outcome && outcome->has_error() &&
           outcome->error().code() == asio::error::operation_aborted;
}

} // namespace

TEST_CASE("async_semaphore: grants, refuses and hands over in order", "[async][semaphore]")
{
    Bench bench(SemaphoreOptions().permits(1).max_waiters(2));
    auto held = bench.take();
    CHECK(bench.semaphore->try_acquire().error() == errc::overloaded);
    std::array<Outcome, 3> outcomes;
    for (auto& outcome : outcomes) {
        bench.acquire(outcome);
    }
    bench.settle();
    CHECK_FALSE(outcomes[0].has_value());
    CHECK(is_refused(outcomes[2], errc::overloaded));
    CHECK(outcomes[2]->error().retry_after() >= 1ms);
    held.release();
    // Handed over, although nobody has been told yet.
    CHECK(bench.semaphore->try_acquire().error() == errc::overloaded);
    bench.settle();
    CHECK(is_granted(outcomes[0]));
    CHECK_FALSE(outcomes[1].has_value());
    outcomes[0].reset();
    bench.settle();
    CHECK(is_granted(outcomes[1]));
    CHECK(bench.metrics().held == 1);
    outcomes[1].reset();
    CHECK(bench.metrics().held == 0);
    CHECK(bench.metrics().ledger_holds());
}

TEST_CASE("async_semaphore: closing refuses all who wait and all who come", "[async][semaphore]")
{
    Bench bench;
    auto held = bench.take();
    Outcome waiting;
    Outcome late;
    bench.acquire(waiting);
    bench.semaphore->close();
    bench.acquire(late);
    bench.settle();
    CHECK(is_refused(waiting, errc::stopping));
    CHECK(is_refused(late, errc::stopping));
    // What comes back late opens nothing.
    held.release();
    CHECK(bench.semaphore->resize(5).has_value());
    CHECK(bench.semaphore->try_acquire().error() == errc::stopping);
    CHECK(run_coro(bench.context, bench.semaphore->acquire()).error() == errc::stopping);
    CHECK(bench.metrics().ledger_holds());
}

TEST_CASE("async_semaphore: a wait ends at its deadline and not before", "[async][semaphore]")
{
    Bench bench;
    auto held = bench.take();
    Outcome outcome;
    bench.acquire(outcome, 10ms);
    bench.clock->advance(10ms - 1ns);
    bench.settle();
    CHECK_FALSE(outcome.has_value());
    bench.clock->advance(1ns);
    bench.settle();
    CHECK(is_refused(outcome, errc::timed_out));
    CHECK(bench.clock->waiting() == 0);
}

} // namespace sojourn::tests

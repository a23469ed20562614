// Where and how whoever asked is told: on his own executor, once, and never within a call of
// somebody else.

#include "async/semaphore_bench.hpp"
#include "support/completion_probe.hpp"
#include "support/context_threads.hpp"
#include "support/tracking_executor.hpp"

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/execution/bad_executor.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <tuple>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

using AnyHandler = asio::any_completion_handler<void(Result<Permit>)>;

/// Whether a permit is free when it is asked for, or comes back later, or the answer is no.
enum class Way : std::uint8_t { at_once, after_waiting, refused };

/// Brings about an answer that `start` waits for.
template <class Start>
void answer(SemaphoreBench& bench, Way way, Start start)
{
    Permit held;
    if (way != Way::at_once) {
        held = bench.take();
    }
    if (way == Way::refused) {
        bench.semaphore->close();
    }
    start();
    held.release();
}

} // namespace

TEST_CASE("async_semaphore: a handler is told once and never inline", "[async][semaphore]")
{
    const auto way = GENERATE(Way::at_once, Way::after_waiting, Way::refused);
    SemaphoreBench bench;
    CompletionProbe probe;
    // The release is no less a call of somebody else than the initiating function.
    probe.initiate([&] {
        answer(bench, way, [&] { bench.semaphore->async_acquire(probe.handler()); });
    });
    CHECK(probe.completions() == 0);
    bench.settle();
    CHECK(probe.completions() == 1);
    CHECK(probe.inline_completions() == 0);
    CHECK(probe.live_handlers() == 0);
    CHECK(bench.metrics().held == 0);
}

TEST_CASE("async_semaphore: a handler is told on its own executor", "[async][semaphore]")
{
    const auto way = GENERATE(Way::at_once, Way::after_waiting, Way::refused);
    SemaphoreBench bench;
    asio::io_context theirs;
    const TrackingExecutor executor(asio::any_io_executor(asio::make_strand(theirs)));
    bool was_there = false;
    int told = 0;
    answer(bench, way, [&] {
        bench.semaphore->async_acquire(asio::bind_executor(executor, [&](const Result<Permit>&) {
            ++told;
            was_there = executor.running_in_this_thread();
        }));
    });
    // The home has nothing to do with it, and keeps nobody's place.
    bench.settle();
    CHECK(told == 0);
    run_ready(theirs);
    CHECK(told == 1);
    CHECK(was_there);
    CHECK(theirs.stopped());
    CHECK(bench.metrics().held == 0);
}

TEST_CASE(
    "async_semaphore: a handler without an executor is told on the home", "[async][semaphore]"
)
{
    const auto way = GENERATE(Way::at_once, Way::after_waiting, Way::refused);
    asio::io_context context;
    const TrackingExecutor executor(context.get_executor());
    AsyncSemaphore semaphore{asio::any_io_executor(executor)};
    Permit held;
    if (way != Way::at_once) {
        held = semaphore.try_acquire().value();
    }
    if (way == Way::refused) {
        semaphore.close();
    }
    bool was_there = false;
    semaphore.async_acquire([&](const Result<Permit>&) {
        was_there = executor.running_in_this_thread();
    });
    held.release();
    run_ready(context);
    CHECK(was_there);
}

TEST_CASE("async_semaphore: a type-erased handler is told where it belongs", "[async][semaphore]")
{
    const auto way = GENERATE(Way::at_once, Way::after_waiting, Way::refused);
    const bool has_executor = GENERATE(false, true);
    SemaphoreBench bench;
    asio::io_context theirs;
    const TrackingExecutor executor(theirs.get_executor());
    int told = 0;
    bool was_there = false;
    const auto note = [&](const Result<Permit>&) {
        ++told;
        was_there = executor.running_in_this_thread();
    };
    answer(bench, way, [&] {
        bench.semaphore->async_acquire(
            has_executor ? AnyHandler(asio::bind_executor(executor, note)) : AnyHandler(note)
        );
    });
    // By way of the home.
    bench.settle();
    run_ready(theirs);
    CHECK(told == 1);
    CHECK(was_there == has_executor);
    CHECK(bench.metrics().held == 0);
}

TEST_CASE(
    "async_semaphore: a handler with a type-erased executor is told there", "[async][semaphore]"
)
{
    const auto way = GENERATE(Way::at_once, Way::after_waiting, Way::refused);
    SemaphoreBench bench;
    asio::io_context theirs;
    const TrackingExecutor tracking(theirs.get_executor());
    const asio::any_completion_executor executor{tracking};
    int told = 0;
    bool was_there = false;
    answer(bench, way, [&] {
        bench.semaphore->async_acquire(asio::bind_executor(executor, [&](const Result<Permit>&) {
            ++told;
            was_there = tracking.running_in_this_thread();
        }));
    });
    bench.settle();
    run_ready(theirs);
    CHECK(told == 1);
    CHECK(was_there);
}

TEST_CASE("async_semaphore: who waits keeps his executor busy", "[async][semaphore]")
{
    SemaphoreBench bench;
    asio::io_context theirs;
    auto held = bench.take();
    Outcome outcome;
    bench.semaphore->async_acquire(asio::bind_executor(theirs.get_executor(), noting(outcome)));
    theirs.poll();
    CHECK_FALSE(theirs.stopped());
    bench.context.poll();
    CHECK(bench.context.stopped());
    held.release();
    theirs.poll();
    CHECK(theirs.stopped());
    CHECK(is_granted(outcome));
}

TEST_CASE(
    "async_semaphore: an erased handler's own executor is kept busy, too", "[async][semaphore]"
)
{
    SemaphoreBench bench;
    asio::io_context theirs;
    auto held = bench.take();
    Outcome outcome;
    bench.semaphore->async_acquire(
        AnyHandler(asio::bind_executor(theirs.get_executor(), noting(outcome)))
    );
    theirs.poll();
    CHECK_FALSE(theirs.stopped());
    held.release();
    bench.settle();
    theirs.restart();
    theirs.poll();
    CHECK(is_granted(outcome));
    CHECK(theirs.stopped());
}

namespace {

asio::awaitable<int> use_every_token(AsyncSemaphore& semaphore)
{
    int granted = 0;
    {
        const auto result = co_await semaphore.async_acquire(asio::use_awaitable);
        granted += result.has_value() ? 1 : 0;
    }
    {
        const auto result = co_await semaphore.async_acquire(asio::deferred);
        granted += result.has_value() ? 1 : 0;
    }
    {
        constexpr auto token = asio::as_tuple(asio::use_awaitable);
        const auto [result] = co_await semaphore.async_acquire(1s, token);
        granted += result.has_value() ? 1 : 0;
    }
    {
        const auto result = co_await semaphore.acquire();
        granted += result.has_value() ? 1 : 0;
    }
    semaphore.async_acquire(asio::detached);
    {
        // What nobody takes delivery of comes back.
        const auto result = co_await semaphore.acquire();
        granted += result.has_value() ? 1 : 0;
    }
    co_return granted;
}

} // namespace

TEST_CASE("async_semaphore: every token works", "[async][semaphore]")
{
    SemaphoreBench bench;
    CHECK(run_coro(bench.context, use_every_token(*bench.semaphore)) == 5);
    bench.settle();
    CHECK(bench.metrics().held == 0);
    CHECK(bench.metrics().granted == 6);

    auto held = bench.take();
    auto future = bench.semaphore->async_acquire(asio::use_future);
    auto metrics = bench.semaphore->async_metrics(asio::use_future);
    bench.settle();
    // Asio completes a future in a thread of its own.
    REQUIRE(metrics.wait_for(default_limit) == std::future_status::ready);
    CHECK(metrics.get().waiting == 1);
    CHECK(future.wait_for(0s) == std::future_status::timeout);
    held.release();
    bench.settle();
    REQUIRE(future.wait_for(default_limit) == std::future_status::ready);
    CHECK(future.get().has_value());
}

TEST_CASE("async_semaphore: a deferred operation asks when it is started", "[async][semaphore]")
{
    SemaphoreBench bench;
    auto operation = bench.semaphore->async_acquire(asio::deferred);
    CHECK(bench.metrics().entered == 0);
    Outcome outcome;
    SECTION("while the semaphore lives")
    {
        std::move(operation)(noting(outcome));
        bench.settle();
        CHECK(is_granted(outcome));
    }
    SECTION("when it is gone")
    {
        bench.semaphore.reset();
        std::move(operation)(noting(outcome));
        bench.settle();
        CHECK(is_refused(outcome, errc::stopping));
    }
}

TEST_CASE(
    "async_semaphore: what a handler throws leaves run, and its permit is back",
    "[async][semaphore]"
)
{
    const auto way = GENERATE(Way::at_once, Way::after_waiting);
    SemaphoreBench bench;
    Outcome next;
    answer(bench, way, [&] {
        bench.semaphore->async_acquire([](const Result<Permit>& /*result*/) {
            throw std::runtime_error("a handler's own");
        });
        bench.acquire(next);
    });
    CHECK_THROWS_AS(bench.settle(), std::runtime_error);
    bench.settle();
    CHECK(is_granted(next));
    CHECK(bench.metrics().held == 1);
}

namespace {

/// Waits, and gives the permit back within its handler, which completes the next one.
struct Chain {
    void add()
    {
        bench.semaphore->async_acquire([this](Result<Permit> result) {
            ++depth;
            deepest = std::max(deepest, depth);
            ++told;
            result.value().release();
            --depth;
        });
    }

    SemaphoreBench bench;
    int depth = 0;
    int deepest = 0;
    int told = 0;
};

} // namespace

TEST_CASE("async_semaphore: a handler may give its permit back within itself", "[async][semaphore]")
{
    constexpr int count = 20'000;
    Chain chain;
    CHECK(chain.bench.semaphore->resize(1).has_value());
    auto held = chain.bench.take();
    for (int i = 0; i < 1000; ++i) {
        chain.add();
    }
    held.release();
    chain.bench.settle();
    CHECK(chain.told == 1000);
    CHECK(chain.deepest == 1);
    // However long the chain, it does not grow the stack.
    SemaphoreBench longer(SemaphoreOptions().max_waiters(count));
    auto other = longer.take();
    int told = 0;
    for (int i = 0; i < count; ++i) {
        longer.semaphore->async_acquire([&told](const Result<Permit>&) { ++told; });
    }
    other.release();
    longer.settle();
    CHECK(told == count);
}

namespace {

asio::awaitable<void> acquire_often(AsyncSemaphore& semaphore, int times, int& done)
{
    for (int i = 0; i < times; ++i) {
        const auto result = co_await semaphore.acquire();
        done += result.has_value() ? 1 : 0;
    }
}

} // namespace

TEST_CASE("async_semaphore: acquiring in a loop lets others have their turn", "[async][semaphore]")
{
    constexpr int times = 3 * inline_completion_budget;
    SemaphoreBench bench;
    renew_inline_budget();
    int done = 0;
    int done_by_then = -1;
    const auto loop =
        spawn_coro(bench.context.get_executor(), acquire_often(*bench.semaphore, times, done));
    asio::post(bench.context, [&] { done_by_then = done; });
    bench.settle();
    CHECK(loop->is_done());
    CHECK(done == times);
    CHECK(done_by_then >= 0);
    CHECK(done_by_then <= inline_completion_budget);
}

TEST_CASE("async_semaphore: a free permit is taken without a suspension", "[async][semaphore]")
{
    SemaphoreBench bench;
    renew_inline_budget();
    int done = 0;
    const auto loop =
        spawn_coro(bench.context.get_executor(), acquire_often(*bench.semaphore, 100, done));
    // The one job is the coroutine's own start; with it all is done.
    CHECK(bench.context.poll_one() == 1);
    CHECK(done == 100);
}

TEST_CASE(
    "async_semaphore: without a context it refuses who brings no executor", "[async][semaphore]"
)
{
    asio::io_context theirs;
    std::optional<asio::io_context> home(std::in_place);
    AsyncSemaphore semaphore(home->get_executor());
    home.reset();
    CHECK_THROWS_AS(
        semaphore.async_acquire([](const Result<Permit>&) {}), asio::execution::bad_executor
    );
    CHECK_THROWS_AS(
        semaphore.async_acquire(AnyHandler([](const Result<Permit>&) {})),
        asio::execution::bad_executor
    );
    CHECK_THROWS_AS(
        semaphore.async_metrics([](const SemaphoreMetrics&) {}), asio::execution::bad_executor
    );
    Outcome outcome;
    semaphore.async_acquire(asio::bind_executor(theirs.get_executor(), noting(outcome)));
    run_ready(theirs);
    CHECK(is_refused(outcome, errc::stopping));
    CHECK(run_coro(theirs, semaphore.acquire()).error() == errc::stopping);
    CHECK(run_coro(theirs, semaphore.metrics()).refused_stopping == 2);
}

} // namespace sojourn::tests

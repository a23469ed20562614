// How long one waits for a permit.

#include "async/semaphore_bench.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <array>
#include <memory>

using namespace std::chrono_literals;

namespace sojourn::tests {

TEST_CASE("async_semaphore: a wait ends at its deadline and not before", "[async][semaphore]")
{
    const bool by_default = GENERATE(false, true);
    SemaphoreBench bench(SemaphoreOptions().max_wait(10ms));
    auto held = bench.take();
    Outcome outcome;
    if (by_default) {
        bench.semaphore->async_acquire(noting(outcome));
    } else {
        bench.acquire(outcome, 10ms);
    }
    CHECK(bench.clock->manual.waiting() == 1);
    bench.advance(10ms - 1ns);
    CHECK_FALSE(outcome.has_value());
    bench.advance(1ns);
    CHECK(is_refused(outcome, errc::timed_out));
    CHECK(bench.clock->manual.waiting() == 0);
    CHECK(bench.metrics().timed_out == 1);
    CHECK(bench.metrics().waiting == 0);
}

TEST_CASE("async_semaphore: a coroutine's wait ends at its deadline", "[async][semaphore]")
{
    SemaphoreBench bench(SemaphoreOptions().max_wait(10ms));
    auto held = bench.take();
    const auto own = spawn_coro(bench.context.get_executor(), bench.semaphore->acquire(5ms));
    const auto usual = spawn_coro(bench.context.get_executor(), bench.semaphore->acquire());
    bench.advance(0ns);
    bench.advance(5ms - 1ns);
    CHECK_FALSE(own->is_done());
    bench.advance(1ns);
    REQUIRE(own->is_done());
    CHECK(own->take().error() == errc::timed_out);
    bench.advance(5ms - 1ns);
    CHECK_FALSE(usual->is_done());
    bench.advance(1ns);
    REQUIRE(usual->is_done());
    CHECK(usual->take().error() == errc::timed_out);
}

TEST_CASE(
    "async_semaphore: a permit that comes back at the deadline is too late", "[async][semaphore]"
)
{
    SemaphoreBench bench;
    auto held = bench.take();
    Outcome outcome;
    Outcome next;
    bench.acquire(outcome, 10ms);
    bench.acquire(next, 10ms + 1ns);
    bench.clock->manual.advance(10ms);
    // Before the timer has been noticed.
    held.release();
    bench.settle();
    CHECK(is_refused(outcome, errc::timed_out));
    CHECK(is_granted(next));
}

TEST_CASE("async_semaphore: a permit that comes back before is not", "[async][semaphore]")
{
    SemaphoreBench bench;
    auto held = bench.take();
    Outcome outcome;
    bench.acquire(outcome, 10ms);
    bench.clock->manual.advance(10ms - 1ns);
    held.release();
    // Granted, and not told; the deadline comes too late.
    bench.clock->manual.advance(1ns);
    bench.settle();
    CHECK(is_granted(outcome));
    CHECK(bench.metrics().timed_out == 0);
    CHECK(bench.clock->manual.waiting() == 0);
}

TEST_CASE("async_semaphore: a limit of zero or less takes what is free", "[async][semaphore]")
{
    const auto limit = GENERATE(0ns, -1ns, Duration::min());
    const bool is_busy = GENERATE(false, true);
    SemaphoreBench bench(SemaphoreOptions().permits(1));
    auto held = bench.take();
    Outcome refused;
    Outcome granted;
    const auto come = [&] {
        bench.acquire(refused, limit);
        if (!is_busy) {
            held.release();
            bench.acquire(granted, limit);
        }
    };
    if (is_busy) {
        bench.while_busy(come);
        // However late it is when he is let in.
        bench.while_busy([&] {
            held.release();
            bench.acquire(granted, limit);
            bench.clock->manual.advance(1h);
        });
    } else {
        come();
    }
    bench.settle();
    CHECK(is_refused(refused, errc::timed_out));
    CHECK(is_granted(granted));
    CHECK(bench.clock->manual.waiting() == 0);
    CHECK(bench.metrics().ledger_holds());
}

TEST_CASE(
    "async_semaphore: one who is let in past his deadline is not served", "[async][semaphore]"
)
{
    SemaphoreBench bench(SemaphoreOptions().permits(1));
    auto held = bench.take();
    Outcome late;
    Outcome in_time;
    bench.while_busy([&] {
        held.release();
        bench.acquire(late, 1ms);
        bench.acquire(in_time, 1ms + 2ns);
        bench.clock->manual.advance(1ms + 1ns);
    });
    bench.settle();
    CHECK(is_refused(late, errc::timed_out));
    CHECK(is_granted(in_time));
}

TEST_CASE("async_semaphore: a wait without an end needs no timer", "[async][semaphore]")
{
    SemaphoreBench bench;
    auto held = bench.take();
    Outcome for_ever;
    Outcome nearly;
    bench.acquire(for_ever, Duration::max());
    CHECK(bench.clock->manual.waiting() == 0);
    bench.acquire(nearly, Duration::max() - 1ns);
    bench.clock->manual.set(TimePoint::max() - 1h);
    bench.settle();
    CHECK_FALSE(for_ever.has_value());
    held.release();
    bench.settle();
    CHECK(is_granted(for_ever));
}

TEST_CASE("async_semaphore: deadlines end in their own order", "[async][semaphore]")
{
    SemaphoreBench bench;
    auto held = bench.take();
    std::array<Outcome, 4> outcomes;
    bench.acquire(outcomes[0], 40ms);
    bench.acquire(outcomes[1], 20ms);
    bench.acquire(outcomes[2], 30ms);
    bench.acquire(outcomes[3]);
    bench.advance(20ms);
    CHECK(is_refused(outcomes[1], errc::timed_out));
    CHECK_FALSE(outcomes[2].has_value());
    bench.advance(10ms);
    CHECK(is_refused(outcomes[2], errc::timed_out));
    // The line has kept its order.
    held.release();
    bench.settle();
    CHECK(is_granted(outcomes[0]));
    CHECK_FALSE(outcomes[3].has_value());
    CHECK(bench.metrics().timed_out == 2);
}

TEST_CASE("async_semaphore: a real clock ends a wait, too", "[async][semaphore]")
{
    boost::asio::io_context context;
    AsyncSemaphore semaphore(context.get_executor());
    const auto held = semaphore.try_acquire();
    const auto before = std::chrono::steady_clock::now();
    CHECK(run_coro(context, semaphore.acquire(2ms)).error() == errc::timed_out);
    CHECK(std::chrono::steady_clock::now() - before >= 2ms);
}

} // namespace sojourn::tests

#include "sojourn/async/alarm.hpp"
#include "sojourn/testing/manual_clock.hpp"
#include "support/context_threads.hpp"
#include "support/run_coro.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <thread>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

/// An alarm, and a coroutine that waits for it again and again.
struct Waiter {
    explicit Waiter(asio::io_context& context, Clock& clock)
        : strand(asio::make_strand(context)), alarm(std::make_shared<Alarm>(strand, clock))
    {
    }

    /// Waits from now on, until its deadline or a ring, `times` times.
    void start(TimePoint deadline, int times)
    {
        task = spawn_coro(strand, wait(*this, deadline, times));
    }

    static asio::awaitable<void> wait(Waiter& self, TimePoint deadline, int times)
    {
        for (int i = 0; i < times; ++i) {
            co_await self.alarm->wait_until(deadline);
            ++self.woken;
        }
    }

    asio::any_io_executor strand;
    std::shared_ptr<Alarm> alarm;
    std::shared_ptr<CoroResult<void>> task;
    std::atomic<int> woken{0};
};

} // namespace

TEST_CASE("alarm: a wait ends at its deadline", "[async][alarm]")
{
    testing::ManualClock clock;
    asio::io_context context;
    Waiter waiter(context, clock);
    waiter.start(clock.steady() + 10s, 1);
    run_ready(context);
    clock.advance(10s - 1ns);
    run_ready(context);
    CHECK(waiter.woken == 0);
    clock.advance(1ns);
    run_ready(context);
    CHECK(waiter.woken == 1);
}

TEST_CASE("alarm: a wait whose deadline has passed ends without more ado", "[async][alarm]")
{
    testing::ManualClock clock;
    asio::io_context context;
    Waiter waiter(context, clock);
    waiter.start(clock.steady() - 1s, 3);
    run_ready(context);
    CHECK(waiter.woken == 3);
}

TEST_CASE("alarm: a ring ends a wait", "[async][alarm]")
{
    testing::ManualClock clock;
    asio::io_context context;
    Waiter waiter(context, clock);
    waiter.start(TimePoint::max(), 2);
    run_ready(context);
    waiter.alarm->ring();
    CHECK(waiter.woken == 0);
    run_ready(context);
    CHECK(waiter.woken == 1);
    waiter.alarm->ring();
    run_ready(context);
    CHECK(waiter.woken == 2);
}

TEST_CASE("alarm: a ring that comes before the wait ends it, and only it", "[async][alarm]")
{
    testing::ManualClock clock;
    asio::io_context context;
    Waiter waiter(context, clock);
    SECTION("long before")
    {
        waiter.alarm->ring();
        run_ready(context);
        waiter.start(TimePoint::max(), 2);
    }
    SECTION("just before")
    {
        waiter.alarm->ring();
        waiter.start(TimePoint::max(), 2);
    }
    SECTION("when the waiter is about to begin")
    {
        waiter.start(TimePoint::max(), 2);
        waiter.alarm->ring();
    }
    run_ready(context);
    CHECK(waiter.woken == 1);
}

TEST_CASE("alarm: many rings end one wait", "[async][alarm]")
{
    testing::ManualClock clock;
    asio::io_context context;
    Waiter waiter(context, clock);
    waiter.start(TimePoint::max(), 2);
    run_ready(context);
    for (int i = 0; i < 10; ++i) {
        waiter.alarm->ring();
    }
    run_ready(context);
    CHECK(waiter.woken == 1);
}

TEST_CASE("alarm: a ring and a deadline together end one wait", "[async][alarm]")
{
    testing::ManualClock clock;
    asio::io_context context;
    Waiter waiter(context, clock);
    waiter.start(clock.steady() + 1s, 1);
    run_ready(context);
    const bool ring_first = GENERATE(false, true);
    if (ring_first) {
        waiter.alarm->ring();
    }
    clock.advance(1s);
    if (!ring_first) {
        waiter.alarm->ring();
    }
    run_ready(context);
    CHECK(waiter.woken == 1);
    // The next one waits.
    waiter.start(TimePoint::max(), 1);
    run_ready(context);
    CHECK(waiter.woken == 1);
}

TEST_CASE("alarm: a ring ends a wait for real time", "[async][alarm]")
{
    SystemClock clock;
    asio::io_context context;
    Waiter waiter(context, clock);
    waiter.start(TimePoint::max(), 1);
    run_ready(context);
    waiter.alarm->ring();
    poll_until(context, [&] { return waiter.woken == 1; });
    waiter.start(clock.steady() + 1ms, 1);
    poll_until(context, [&] { return waiter.woken == 2; });
}

TEST_CASE("alarm: rings from other threads are never lost", "[async][alarm]")
{
    constexpr int rounds = 5000;
    testing::ManualClock clock;
    asio::io_context context;
    const ContextThreads threads(context, 2);
    Waiter waiter(context, clock);
    waiter.start(TimePoint::max(), rounds);
    for (int i = 1; i <= rounds; ++i) {
        waiter.alarm->ring();
        poll_until([&] { return waiter.woken.load() >= i; });
    }
    poll_until([&] { return waiter.task->is_done(); });
    CHECK(waiter.woken == rounds);
}

TEST_CASE("alarm: outlives its context, with a wait in progress", "[async][alarm][lifetime]")
{
    testing::ManualClock manual;
    SystemClock real;
    const bool is_manual = GENERATE(true, false);
    Clock& clock = is_manual ? static_cast<Clock&>(manual) : real;
    std::shared_ptr<Alarm> alarm;
    {
        asio::io_context context;
        Waiter waiter(context, clock);
        alarm = waiter.alarm;
        waiter.start(TimePoint::max(), 1);
        run_ready(context);
        alarm->ring();
    }
    CHECK(manual.waiting() == 0);
    alarm->ring();
    alarm.reset();
}

namespace {

asio::awaitable<void> keep_and_wait(std::shared_ptr<Alarm> alarm)
{
    co_await alarm->wait_until(TimePoint::max());
}

} // namespace

TEST_CASE(
    "alarm: may be kept by nobody but its waiter when the context ends", "[async][alarm][lifetime]"
)
{
    testing::ManualClock manual;
    SystemClock real;
    const bool is_manual = GENERATE(true, false);
    Clock& clock = is_manual ? static_cast<Clock&>(manual) : real;
    std::weak_ptr<Alarm> watch;
    {
        asio::io_context context;
        const auto strand = asio::make_strand(context);
        auto alarm = std::make_shared<Alarm>(strand, clock);
        watch = alarm;
        spawn_coro(strand, keep_and_wait(std::move(alarm)));
        run_ready(context);
        CHECK_FALSE(watch.expired());
    }
    CHECK(watch.expired());
}

} // namespace sojourn::tests

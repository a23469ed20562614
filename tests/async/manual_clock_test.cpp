#include "sojourn/testing/manual_clock.hpp"
#include "support/context_threads.hpp"
#include "support/poll_until.hpp"
#include "support/run_coro.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

using testing::ManualClock;
using Result = std::optional<boost::system::error_code>;

constexpr auto aborted = asio::error::operation_aborted;

auto store_in(Result& result)
{
    return [&result](boost::system::error_code error) { result = error; };
}

} // namespace

TEST_CASE("manual_clock: stands still until moved", "[async][manual_clock]")
{
    ManualClock clock;
    const auto steady = clock.steady();
    const auto wall = clock.wall();
    CHECK(steady == TimePoint(1h));
    CHECK(wall == WallTime(1'000'000'000s));
    CHECK(clock.steady() == steady);
    clock.advance(90s);
    CHECK(clock.steady() == steady + 90s);
    CHECK(clock.wall() == wall + 90s);
    clock.advance(1ns);
    CHECK(clock.steady() == steady + 90s + 1ns);
    clock.set(steady);
    CHECK(clock.steady() == steady);
    CHECK(clock.wall() == wall + 90s + 1ns);
}

TEST_CASE("manual_clock: does not overflow", "[async][manual_clock]")
{
    ManualClock clock;
    clock.advance(Duration::max());
    CHECK(clock.steady() == TimePoint::max());
    CHECK(clock.wall() == WallTime::max());
    clock.advance(1h);
    CHECK(clock.steady() == TimePoint::max());
    CHECK(clock.wall() == WallTime::max());
}

TEST_CASE(
    "manual_clock: a timer completes at its deadline and not a nanosecond before",
    "[async][manual_clock]"
)
{
    ManualClock clock;
    asio::io_context context;
    const auto timer = clock.make_timer(context.get_executor());
    Result result;
    timer->start_wait(clock.steady() + 10s, store_in(result));
    CHECK(clock.waiting() == 1);
    CHECK(clock.next_deadline() == clock.steady() + 10s);
    clock.advance(10s - 1ns);
    run_ready(context);
    CHECK_FALSE(result.has_value());
    clock.advance(1ns);
    CHECK_FALSE(result.has_value());
    run_ready(context);
    CHECK(result == boost::system::error_code());
    CHECK(clock.waiting() == 0);
    CHECK(clock.next_deadline() == TimePoint::max());
}

TEST_CASE(
    "manual_clock: a wait on a deadline that has passed completes by post", "[async][manual_clock]"
)
{
    ManualClock clock;
    asio::io_context context;
    const auto timer = clock.make_timer(context.get_executor());
    for (const auto deadline : {TimePoint::min(), clock.steady() - 1ns, clock.steady()}) {
        Result result;
        timer->start_wait(deadline, store_in(result));
        CHECK_FALSE(result.has_value());
        CHECK(clock.waiting() == 0);
        run_ready(context);
        CHECK(result == boost::system::error_code());
    }
}

TEST_CASE("manual_clock: waits complete in the order of their deadlines", "[async][manual_clock]")
{
    ManualClock clock;
    asio::io_context context;
    std::string order;
    std::vector<std::unique_ptr<Timer>> timers;
    const auto wait = [&](Duration length, char name) {
        timers.push_back(clock.make_timer(context.get_executor()));
        timers.back()->start_wait(
            clock.steady() + length, [&order, name](boost::system::error_code) { order += name; }
        );
    };
    wait(3s, 'c');
    wait(1s, 'a');
    wait(2s, 'b');
    wait(3s, 'd');
    wait(9s, 'x');
    clock.advance(5s);
    run_ready(context);
    CHECK(order == "abcd");
    CHECK(clock.waiting() == 1);
}

TEST_CASE(
    "manual_clock: a cancelled or destroyed timer completes with operation_aborted",
    "[async][manual_clock]"
)
{
    ManualClock clock;
    asio::io_context context;
    auto timer = clock.make_timer(context.get_executor());
    const auto other = clock.make_timer(context.get_executor());
    Result result;
    Result of_other;
    other->start_wait(clock.steady() + 1s, store_in(of_other));
    timer->start_wait(clock.steady() + 1s, store_in(result));
    timer->cancel();
    CHECK_FALSE(result.has_value());
    run_ready(context);
    CHECK(result == aborted);
    result.reset();
    timer->cancel();
    timer->start_wait(clock.steady() + 1s, store_in(result));
    timer.reset();
    run_ready(context);
    CHECK(result == aborted);
    CHECK_FALSE(of_other.has_value());
    CHECK(clock.waiting() == 1);
    // A cancel after the deadline comes too late.
    clock.advance(1s);
    other->cancel();
    run_ready(context);
    CHECK(of_other == boost::system::error_code());
}

TEST_CASE("manual_clock: a handler runs on its own executor if it has one", "[async][manual_clock]")
{
    ManualClock clock;
    asio::io_context context;
    asio::io_context other;
    const auto timer = clock.make_timer(context.get_executor());
    Result result;
    timer->start_wait(
        clock.steady() + 1s, asio::bind_executor(other.get_executor(), store_in(result))
    );
    clock.advance(1s);
    run_ready(context);
    CHECK_FALSE(result.has_value());
    run_ready(other);
    CHECK(result == boost::system::error_code());
}

TEST_CASE("manual_clock: is moved by other threads while timers wait", "[async][manual_clock]")
{
    constexpr int movers = 4;
    constexpr int steps = 500;
    ManualClock clock;
    asio::io_context context;
    ContextThreads threads(context, 2);
    const auto first = clock.steady();
    const auto first_wall = clock.wall();
    std::atomic<int> completed{0};
    std::vector<std::unique_ptr<Timer>> timers;
    std::vector<std::thread> all;
    for (int i = 0; i < movers; ++i) {
        all.emplace_back([&] {
            for (int j = 0; j < steps; ++j) {
                clock.advance(1s);
            }
        });
    }
    for (int i = 1; i <= movers * steps; ++i) {
        timers.push_back(clock.make_timer(context.get_executor()));
        timers.back()->start_wait(
            first + std::chrono::seconds(i),
            [&](boost::system::error_code error) { completed += error ? 0 : 1; }
        );
    }
    for (auto& thread : all) {
        thread.join();
    }
    CHECK(clock.steady() == first + movers * steps * 1s);
    CHECK(clock.wall() == first_wall + movers * steps * 1s);
    CHECK(clock.waiting() == 0);
    threads.finish();
    CHECK(completed == movers * steps);
}

namespace {

asio::awaitable<void> wait_on_a_timer_of_its_own(ManualClock& clock, std::shared_ptr<int> held)
{
    const auto executor = co_await asio::this_coro::executor;
    const auto timer = clock.make_timer(executor);
    const auto start = [](auto handler, Timer* waiting) {
        waiting->start_wait(TimePoint::max(), std::move(handler));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void(boost::system::error_code)>(
        start, asio::use_awaitable, timer.get()
    );
    *held = 1;
}

} // namespace

TEST_CASE("manual_clock: a wait goes with its context", "[async][manual_clock]")
{
    ManualClock clock;
    const auto held = std::make_shared<int>();
    {
        asio::io_context context;
        spawn_coro(context.get_executor(), wait_on_a_timer_of_its_own(clock, held));
        run_ready(context);
        CHECK(clock.waiting() == 1);
        CHECK(held.use_count() == 2);
    }
    CHECK(clock.waiting() == 0);
    CHECK(held.use_count() == 1);
}

TEST_CASE("manual_clock: timers may outlive it", "[async][manual_clock]")
{
    asio::io_context context;
    std::unique_ptr<Timer> timer;
    Result result;
    {
        ManualClock clock;
        timer = clock.make_timer(context.get_executor());
        timer->start_wait(clock.steady() + 1s, store_in(result));
    }
    run_ready(context);
    CHECK_FALSE(result.has_value());
    timer->cancel();
    run_ready(context);
    CHECK(result == aborted);
}

} // namespace sojourn::tests

// Each allocation of an operation fails in turn. What must hold then: nothing crashes or leaks, and
// nobody who comes later finds a strand that is stuck or a loop that is lost. What need not hold:
// that the caller is told. Asio itself destroys a coroutine when it has no memory to resume it.

#include "async/each_allocation.hpp"
#include "async/inside.hpp"
#include "sojourn/async/alarm.hpp"
#include "sojourn/async/confined.hpp"
#include "sojourn/testing/manual_clock.hpp"
#include "support/allocations.hpp"
#include "support/completion_probe.hpp"
#include "support/run_coro.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <memory>
#include <new>
#include <optional>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

/// What was seen while memory was short. Catch2 is asked only afterwards: it allocates.
struct CallsSeen {
    int started = 0;
    int ran = 0;
    int finished = 0;
    int threw = 0;
    int escaped = 0;
    int nudges = 0;
};

class Value {
public:
    explicit Value(CallsSeen& outcome) : outcome_(outcome) {}

    void use() { ++outcome_.ran; }

    void nudged() noexcept { ++outcome_.nudges; }

private:
    CallsSeen& outcome_;
};

void use(Value& value)
{
    value.use();
}

asio::awaitable<void> call_times(Confined<Value>& confined, CallsSeen& outcome, int times)
{
    ++outcome.started;
    try {
        for (int i = 0; i < times; ++i) {
            co_await confined.call(&use);
        }
        ++outcome.finished;
    } catch (const std::bad_alloc&) {
        ++outcome.threw;
    }
}

/// Runs `context` until nothing is ready, whatever escapes from it.
void run_all(asio::io_context& context, CallsSeen& outcome)
{
    for (;;) {
        try {
            run_ready(context);
            return;
        } catch (const std::bad_alloc&) {
            // 1.83's co_spawn lets one out.
            ++outcome.escaped;
        }
    }
}

bool is_usable(Confined<Value>& confined)
{
    renew_inline_budget();
    const auto nothing = [](Value&) { return true; };
    return confined.try_call(nothing).has_value();
}

} // namespace

TEST_CASE("out_of_memory: a call at an idle strand fails or finishes", "[async][memory]")
{
    const int failures = for_each_allocation([](int n) {
        CallsSeen outcome;
        asio::io_context context;
        Confined<Value> confined(context.get_executor(), outcome);
        renew_inline_budget();
        spawn_coro(
            context.get_executor(), call_times(confined, outcome, inline_completion_budget + 2)
        );
        bool has_failed = false;
        {
            const FailingNew failing(n);
            run_all(context, outcome);
            has_failed = failing.has_failed();
        }
        run_all(context, outcome);
        CHECK(outcome.finished + outcome.threw <= 1);
        CHECK((has_failed || outcome.finished == 1));
        CHECK(is_usable(confined));
        return has_failed;
    });
    CHECK(failures >= fewest_failures);
}

TEST_CASE("out_of_memory: a call at a busy strand fails or finishes", "[async][memory]")
{
    const int failures = for_each_allocation([](int n) {
        CallsSeen outcome;
        bool has_failed = false;
        {
            asio::io_context context;
            Confined<Value> confined(context.get_executor(), outcome);
            spawn_coro(context.get_executor(), call_times(confined, outcome, 1));
            while_inside(confined, [&] {
                const FailingNew failing(n);
                run_all(context, outcome);
                has_failed = failing.has_failed();
            });
            run_all(context, outcome);
            CHECK(outcome.finished + outcome.threw <= 1);
            CHECK((has_failed || outcome.finished == 1));
            CHECK(is_usable(confined));
        }
        return has_failed;
    });
    CHECK(failures >= fewest_failures);
}

TEST_CASE("out_of_memory: completing a suspended caller fails alone", "[async][memory]")
{
    for_each_allocation([](int n) {
        CallsSeen outcome;
        bool has_failed = false;
        asio::io_context context;
        Confined<Value> confined(context.get_executor(), outcome);
        std::optional<FailingNew> failing;
        spawn_coro(context.get_executor(), call_times(confined, outcome, 1));
        spawn_coro(context.get_executor(), call_times(confined, outcome, 1));
        while_inside(confined, [&] {
            run_all(context, outcome);
            failing.emplace(n);
        });
        run_all(context, outcome);
        has_failed = failing->has_failed();
        failing.reset();
        run_all(context, outcome);
        // Both were run, even if one could not be told.
        CHECK(outcome.ran == 2);
        CHECK(outcome.finished + outcome.threw >= 1);
        CHECK((has_failed || outcome.finished == 2));
        CHECK(is_usable(confined));
        return has_failed;
    });
}

TEST_CASE("out_of_memory: a call with a handler fails or finishes", "[async][memory]")
{
    const bool is_busy = GENERATE(false, true);
    const int failures = for_each_allocation([is_busy](int n) {
        CallsSeen outcome;
        asio::io_context context;
        asio::io_context other;
        Confined<Value> confined(context.get_executor(), outcome);
        CompletionProbe probe;
        std::optional<FailingNew> failing;
        const auto initiate = [&] {
            auto handler = asio::bind_executor(other.get_executor(), probe.handler());
            failing.emplace(n);
            try {
                confined.async_call(&use, std::move(handler));
            } catch (const std::bad_alloc&) {
                ++outcome.threw;
            }
        };
        if (is_busy) {
            while_inside(confined, initiate);
        } else {
            renew_inline_budget();
            initiate();
        }
        run_all(context, outcome);
        run_all(other, outcome);
        const bool has_failed = failing->has_failed();
        failing.reset();
        run_all(context, outcome);
        run_all(other, outcome);
        CHECK(probe.live_handlers() == 0);
        CHECK((has_failed || probe.completions() == 1));
        CHECK(probe.completions() + outcome.threw <= 1);
        CHECK(is_usable(confined));
        return has_failed;
    });
    CHECK(failures >= fewest_failures);
}

TEST_CASE("out_of_memory: a drain that cannot be handed over goes on", "[async][memory]")
{
    CallsSeen outcome;
    asio::io_context context;
    Confined<Value> confined(context.get_executor(), outcome);
    CompletionProbe probe;
    std::optional<FailingNew> failing;
    while_inside(confined, [&] {
        for (int i = 0; i < 200; ++i) {
            confined.async_call(&use, probe.handler());
        }
        failing.emplace(1, FailingNew::Repeat::yes);
    });
    failing.reset();
    // None could be completed, for want of memory, but all were run, and the strand is free.
    CHECK(outcome.ran == 200);
    CHECK(is_usable(confined));
    CHECK(probe.live_handlers() == probe.completions());
    run_ready(context);
    CHECK(probe.live_handlers() == 0);
}

TEST_CASE(
    "out_of_memory: a drain whose hand-over fails leaves the next one working", "[async][memory]"
)
{
    constexpr int calls = 200;
    const int failures = for_each_allocation([](int n) {
        CallsSeen outcome;
        asio::io_context context;
        Confined<Value> confined(context.get_executor(), outcome);
        const auto queue_many = [&] {
            for (int i = 0; i < calls; ++i) {
                confined.async_call(&use, [](std::exception_ptr) {});
            }
        };
        std::optional<FailingNew> failing;
        while_inside(confined, [&] {
            queue_many();
            failing.emplace(n);
        });
        run_all(context, outcome);
        const bool has_failed = failing->has_failed();
        failing.reset();
        CHECK(outcome.ran == calls);
        CHECK(is_usable(confined));
        if (outcome.ran == calls) {
            while_inside(confined, queue_many);
            run_all(context, outcome);
            CHECK(outcome.ran == 2 * calls);
        }
        return has_failed;
    });
    CHECK(failures >= fewest_failures);
}

TEST_CASE("out_of_memory: a nudge takes no memory", "[async][memory]")
{
    CallsSeen outcome;
    asio::io_context context;
    Confined<Value> confined(context.get_executor(), outcome);
    {
        const FailingNew failing(1, FailingNew::Repeat::yes);
        confined.nudge();
        confined.nudge();
    }
    CHECK(outcome.nudges == 2);
    bool has_failed = false;
    while_inside(confined, [&] {
        const FailingNew failing(1, FailingNew::Repeat::yes);
        confined.nudge();
        has_failed = failing.has_failed();
    });
    CHECK_FALSE(has_failed);
    CHECK(outcome.nudges == 3);
}

namespace {

asio::awaitable<void> wait_for(Alarm& alarm, int& woken)
{
    co_await alarm.wait_until(TimePoint::max());
    ++woken;
}

} // namespace

TEST_CASE("out_of_memory: a ring that fails leaves the next one working", "[async][memory]")
{
    testing::ManualClock clock;
    asio::io_context context;
    const auto strand = asio::make_strand(context);
    const auto alarm = std::make_shared<Alarm>(strand, clock);
    int woken = 0;
    spawn_coro(strand, wait_for(*alarm, woken));
    run_ready(context);
    {
        const FailingNew failing(1, FailingNew::Repeat::yes);
        alarm->ring();
    }
    run_ready(context);
    alarm->ring();
    run_ready(context);
    CHECK(woken == 1);
}

} // namespace sojourn::tests

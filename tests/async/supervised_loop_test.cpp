#include "sojourn/async/supervised_loop.hpp"
#include "sojourn/testing/manual_clock.hpp"
#include "support/context_threads.hpp"
#include "support/run_coro.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

using testing::ManualClock;

enum class LoopFailure { none, exception, number };

/// The work of a loop, and what it saw. Outlives the loop.
struct Work {
    explicit Work(std::shared_ptr<ManualClock> time) : clock(std::move(time)) {}

    /// One round, due again after `pause`.
    static asio::awaitable<TimePoint> round(Work& work)
    {
        work.starts.push_back(work.clock->steady());
        if (work.during) {
            work.during();
        }
        if (work.suspends) {
            work.suspends = false;
            asio::steady_timer waiting(co_await asio::this_coro::executor, TimePoint::max());
            work.waiting = &waiting;
            co_await waiting.async_wait(asio::as_tuple(asio::use_awaitable));
        }
        if (work.failure == LoopFailure::exception) {
            throw std::runtime_error("round");
        }
        if (work.failure == LoopFailure::number) {
            throw 5; // NOLINT(hicpp-exception-baseclass): that is the point
        }
        co_return work.clock->steady() + work.pause;
    }

    std::shared_ptr<ManualClock> clock;
    Duration pause = 10s;
    LoopFailure failure = LoopFailure::none;
    std::function<void()> during;
    bool suspends = false;
    /// What a round that suspends waits for; cancel it to let the round go on.
    asio::steady_timer* waiting = nullptr;
    std::vector<TimePoint> starts;
    int reports = 0;
};

std::shared_ptr<SupervisedLoop> make_loop(asio::io_context& context, Work& work)
{
    return std::make_shared<SupervisedLoop>(
        context.get_executor(),
        work.clock,
        "test",
        [&work] { return Work::round(work); },
        [&work](std::string_view, const std::exception_ptr&) { ++work.reports; }
    );
}

/// A loop with its work, driven by hand.
struct Stage {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    Work work{clock};
    asio::io_context context;
    std::shared_ptr<SupervisedLoop> loop = make_loop(context, work);

    void go() { run_ready(context); }

    void advance(Duration length)
    {
        clock->advance(length);
        go();
    }

    [[nodiscard]] std::size_t rounds() const { return work.starts.size(); }
};

} // namespace

TEST_CASE("supervised_loop: rounds run when they said the next is due", "[async][supervised_loop]")
{
    Stage stage;
    const auto start = stage.clock->steady();
    stage.go();
    CHECK(stage.rounds() == 0);
    CHECK_FALSE(stage.loop->health().running);
    stage.loop->ensure_running();
    CHECK(stage.rounds() == 0);
    stage.go();
    CHECK(stage.rounds() == 1);
    stage.advance(10s - 1ns);
    CHECK(stage.rounds() == 1);
    stage.advance(1ns);
    CHECK(stage.rounds() == 2);
    stage.work.pause = 3s;
    stage.advance(10s);
    stage.advance(3s);
    CHECK(stage.work.starts == std::vector{start, start + 10s, start + 20s, start + 23s});
    stage.loop->ensure_running();
    stage.go();
    CHECK(stage.rounds() == 4);
}

TEST_CASE(
    "supervised_loop: a round that is due at once follows, but not before others",
    "[async][supervised_loop]"
)
{
    Stage stage;
    stage.work.pause = -1s;
    stage.loop->ensure_running();
    int neighbour = 0;
    for (int i = 0; i < 100; ++i) {
        asio::post(stage.context, [&] { ++neighbour; });
        poll_until(stage.context, [&] { return neighbour > i; });
    }
    CHECK(stage.rounds() > 1);
    CHECK(stage.rounds() < 1000);
    stage.loop->stop();
    stage.go();
    CHECK_FALSE(stage.loop->health().running);
}

TEST_CASE("supervised_loop: a wake makes one more round due now", "[async][supervised_loop]")
{
    Stage stage;
    stage.loop->ensure_running();
    stage.go();
    stage.loop->wake();
    stage.go();
    CHECK(stage.rounds() == 2);
    stage.loop->wake();
    stage.loop->wake();
    stage.loop->wake();
    stage.go();
    CHECK(stage.rounds() == 3);
    // And the next is due after its pause, as ever.
    stage.advance(10s);
    CHECK(stage.rounds() == 4);
}

TEST_CASE(
    "supervised_loop: a wake during a round is not lost, and makes one more round",
    "[async][supervised_loop]"
)
{
    Stage stage;
    stage.work.during = [&] {
        if (stage.rounds() == 1) {
            stage.loop->wake();
            stage.loop->wake();
        }
    };
    stage.loop->ensure_running();
    stage.go();
    CHECK(stage.rounds() == 2);
}

TEST_CASE(
    "supervised_loop: a wake while a round is suspended makes one more round",
    "[async][supervised_loop]"
)
{
    Stage stage;
    stage.work.suspends = true;
    stage.loop->ensure_running();
    stage.go();
    CHECK(stage.rounds() == 1);
    stage.loop->wake();
    stage.go();
    CHECK(stage.rounds() == 1);
    stage.work.waiting->cancel();
    stage.go();
    CHECK(stage.rounds() == 2);
}

TEST_CASE(
    "supervised_loop: a wake before the loop starts is answered by its first rounds",
    "[async][supervised_loop]"
)
{
    Stage stage;
    stage.loop->wake();
    stage.loop->ensure_running();
    stage.go();
    CHECK(stage.rounds() >= 1);
    CHECK(stage.rounds() <= 2);
}

TEST_CASE(
    "supervised_loop: rounds that throw are tried again after growing pauses",
    "[async][supervised_loop]"
)
{
    Stage stage;
    stage.work.failure = GENERATE(LoopFailure::exception, LoopFailure::number);
    stage.loop->ensure_running();
    stage.go();
    Duration pause = 100ms;
    for (std::size_t failures = 1; failures < 15; ++failures) {
        CHECK(stage.rounds() == failures);
        CHECK(stage.loop->health().failures == failures);
        CHECK(stage.loop->health().consecutive_failures == failures);
        stage.advance(pause - 1ns);
        CHECK(stage.rounds() == failures);
        stage.advance(1ns);
        CHECK(stage.rounds() == failures + 1);
        pause = std::min<Duration>(2 * pause, 30s);
    }
    CHECK(pause == 30s);
    CHECK(stage.work.reports == 15);
    CHECK(stage.loop->health().running);
    CHECK_FALSE(stage.loop->health().last_success.has_value());
}

TEST_CASE(
    "supervised_loop: wakes do not shorten the pause after a failure", "[async][supervised_loop]"
)
{
    Stage stage;
    stage.work.failure = LoopFailure::exception;
    stage.loop->ensure_running();
    stage.go();
    for (int i = 0; i < 10; ++i) {
        stage.loop->wake();
        stage.go();
        stage.advance(9ms);
    }
    CHECK(stage.rounds() == 1);
    stage.advance(10ms);
    CHECK(stage.rounds() == 2);
}

TEST_CASE(
    "supervised_loop: recovers, and begins again with the shortest pause",
    "[async][supervised_loop]"
)
{
    Stage stage;
    stage.work.failure = LoopFailure::exception;
    stage.loop->ensure_running();
    stage.go();
    stage.advance(100ms);
    stage.advance(200ms);
    CHECK(stage.loop->health().consecutive_failures == 3);
    stage.work.failure = LoopFailure::none;
    stage.advance(400ms);
    const auto health = stage.loop->health();
    CHECK(health.running);
    CHECK(health.rounds == 4);
    CHECK(health.failures == 3);
    CHECK(health.consecutive_failures == 0);
    CHECK(health.last_success == stage.clock->steady());
    stage.work.failure = LoopFailure::exception;
    stage.advance(10s);
    CHECK(stage.loop->health().consecutive_failures == 1);
    stage.advance(100ms);
    CHECK(stage.loop->health().consecutive_failures == 2);
    CHECK(stage.loop->health().last_success == stage.clock->steady() - 10s - 100ms);
}

TEST_CASE("supervised_loop: survives a round that cannot even be made", "[async][supervised_loop]")
{
    auto clock = std::make_shared<ManualClock>();
    asio::io_context context;
    int calls = 0;
    const auto loop = std::make_shared<SupervisedLoop>(
        context.get_executor(),
        clock,
        "test",
        [&]() -> asio::awaitable<TimePoint> {
            ++calls;
            throw std::bad_alloc();
        },
        FailureReporter()
    );
    loop->ensure_running();
    run_ready(context);
    clock->advance(100ms);
    run_ready(context);
    CHECK(calls == 2);
    CHECK(loop->health().consecutive_failures == 2);
}

namespace {

/// Loses the coroutine that awaits it, as Asio does when it has no memory to resume it.
asio::awaitable<void> be_lost()
{
    const auto destroy = [](auto handler) {
        [[maybe_unused]] const auto gone = std::move(handler);
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        destroy, asio::use_awaitable
    );
}

asio::awaitable<TimePoint> lose_the_first_round(int& rounds)
{
    if (++rounds == 1) {
        co_await be_lost();
    }
    co_return TimePoint::max();
}

} // namespace

TEST_CASE(
    "supervised_loop: a loop that was lost says so, and is started anew", "[async][supervised_loop]"
)
{
    auto clock = std::make_shared<ManualClock>();
    asio::io_context context;
    int rounds = 0;
    const auto loop = std::make_shared<SupervisedLoop>(
        context.get_executor(),
        clock,
        "test",
        [&rounds] { return lose_the_first_round(rounds); },
        FailureReporter()
    );
    loop->ensure_running();
    run_ready(context);
    CHECK(rounds == 1);
    CHECK_FALSE(loop->health().running);
    loop->ensure_running();
    run_ready(context);
    CHECK(rounds == 2);
    CHECK(loop->health().running);
    CHECK(loop->health().consecutive_failures == 0);
}

TEST_CASE("supervised_loop: stop is final, whenever it comes", "[async][supervised_loop]")
{
    Stage stage;
    SECTION("before the start")
    {
        stage.loop->stop();
        stage.loop->ensure_running();
        stage.go();
        CHECK(stage.rounds() == 0);
    }
    SECTION("before the first round")
    {
        stage.loop->ensure_running();
        stage.loop->stop();
        stage.go();
        CHECK(stage.rounds() == 0);
    }
    SECTION("during a round")
    {
        stage.work.during = [&] { stage.loop->stop(); };
        stage.loop->ensure_running();
        stage.go();
        CHECK(stage.rounds() == 1);
    }
    SECTION("while a round is suspended, which then ends")
    {
        stage.work.suspends = true;
        stage.loop->ensure_running();
        stage.go();
        stage.loop->stop();
        stage.go();
        CHECK(stage.loop->health().running);
        CHECK_FALSE(stage.loop->health().last_success.has_value());
        stage.work.waiting->cancel();
        stage.go();
        CHECK(stage.loop->health().last_success.has_value());
        CHECK(stage.rounds() == 1);
    }
    SECTION("while it waits")
    {
        stage.loop->ensure_running();
        stage.go();
        stage.loop->stop();
        stage.go();
        CHECK(stage.rounds() == 1);
    }
    SECTION("in the pause after a failure")
    {
        stage.work.failure = LoopFailure::exception;
        stage.loop->ensure_running();
        stage.go();
        stage.loop->stop();
        stage.go();
        CHECK(stage.rounds() == 1);
    }
    SECTION("twice")
    {
        stage.loop->ensure_running();
        stage.go();
        stage.loop->stop();
        stage.loop->stop();
        stage.go();
        stage.loop->stop();
        CHECK(stage.rounds() == 1);
    }
    CHECK_FALSE(stage.loop->health().running);
    CHECK(stage.clock->waiting() == 0);
    const auto rounds = stage.rounds();
    stage.loop->wake();
    stage.loop->ensure_running();
    stage.advance(1h);
    CHECK(stage.rounds() == rounds);
    // Nothing is left that keeps the context running, or the loop alive.
    CHECK(stage.context.stopped());
    CHECK(stage.loop.use_count() == 1);
}

TEST_CASE("supervised_loop: keeps itself alive until stopped", "[async][supervised_loop][lifetime]")
{
    Stage stage;
    stage.loop->ensure_running();
    stage.go();
    const std::weak_ptr<SupervisedLoop> watch = stage.loop;
    stage.loop.reset();
    stage.advance(10s);
    CHECK(stage.rounds() == 2);
    watch.lock()->stop();
    stage.go();
    CHECK(watch.expired());
}

TEST_CASE(
    "supervised_loop: its context ends first, wherever the loop is",
    "[async][supervised_loop][lifetime]"
)
{
    auto clock = std::make_shared<ManualClock>();
    Work work(clock);
    std::optional<asio::io_context> context(std::in_place);
    auto loop = make_loop(*context, work);
    const std::weak_ptr<SupervisedLoop> watch = loop;
    const bool is_kept = GENERATE(true, false);
    SECTION("not started") {}
    SECTION("not begun")
    {
        loop->ensure_running();
    }
    SECTION("waiting")
    {
        loop->ensure_running();
        run_ready(*context);
    }
    SECTION("woken")
    {
        loop->ensure_running();
        run_ready(*context);
        loop->wake();
    }
    SECTION("in a round")
    {
        work.suspends = true;
        loop->ensure_running();
        run_ready(*context);
        loop->stop();
    }
    SECTION("in the pause after a failure")
    {
        work.failure = LoopFailure::exception;
        loop->ensure_running();
        run_ready(*context);
    }
    if (!is_kept) {
        loop.reset();
    }
    context.reset();
    CHECK(watch.expired() != is_kept);
    CHECK(clock->waiting() == 0);
    if (is_kept) {
        CHECK_FALSE(loop->health().running);
        const auto rounds = work.starts.size();
        loop->ensure_running();
        loop->wake();
        loop->stop();
        CHECK(work.starts.size() == rounds);
    }
}

TEST_CASE(
    "supervised_loop: is woken, asked and stopped from many threads", "[async][supervised_loop]"
)
{
    auto clock = std::make_shared<ManualClock>();
    std::atomic<int> asked{0};
    std::atomic<int> answered{0};
    asio::io_context context;
    ContextThreads context_threads(context, 2);
    const auto round = [&]() -> asio::awaitable<TimePoint> {
        answered = asked.load();
        co_return TimePoint::max();
    };
    const auto loop = std::make_shared<SupervisedLoop>(
        context.get_executor(), clock, "test", round, FailureReporter()
    );
    std::vector<std::thread> threads;
    std::atomic<int> unhealthy{0};
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < 2000; ++j) {
                ++asked;
                loop->ensure_running();
                loop->wake();
                unhealthy += loop->health().failures != 0 ? 1 : 0;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    // The last wake is answered, without one more.
    poll_until([&] { return answered.load() == 6000; });
    CHECK(loop->health().running);
    loop->stop();
    poll_until([&] { return !loop->health().running; });
    context_threads.finish();
    CHECK(unhealthy == 0);
}

} // namespace sojourn::tests

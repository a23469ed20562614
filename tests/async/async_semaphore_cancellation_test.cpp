// Waits that are cancelled: by each type, at each moment, through each way that Asio has.

#include "async/semaphore_bench.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <array>
#include <exception>
#include <optional>
#include <variant>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

using Type = asio::cancellation_type;

/// A wait through a handler that can be cancelled.
struct CancellableWait {
    void start(SemaphoreBench& bench, Duration limit = Duration::max())
    {
        bench.semaphore->async_acquire(
            limit, asio::bind_cancellation_slot(signal.slot(), noting(outcome))
        );
    }

    asio::cancellation_signal signal;
    Outcome outcome;
};

enum class Accepts : std::uint8_t { terminal, all };

/// A wait in a coroutine, which notes what it got and what became of it afterwards.
asio::awaitable<void>
wait_in_coroutine(AsyncSemaphore& semaphore, Accepts accepts, Outcome& outcome)
{
    if (accepts == Accepts::all) {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    }
    outcome.emplace(co_await semaphore.acquire());
}

void spawn_wait(
    SemaphoreBench& bench, asio::cancellation_signal& signal, Accepts accepts, Outcome& outcome
)
{
    asio::co_spawn(
        bench.context,
        wait_in_coroutine(*bench.semaphore, accepts, outcome),
        asio::bind_cancellation_slot(signal.slot(), [](const std::exception_ptr&) {})
    );
    bench.settle();
}

} // namespace

TEST_CASE(
    "async_semaphore: a handler's wait ends by each type of cancellation", "[async][semaphore]"
)
{
    const auto type = GENERATE(Type::terminal, Type::partial, Type::total, Type::all);
    const auto limit = GENERATE(Duration::max(), Duration(1h));
    SemaphoreBench bench;
    auto held = bench.take();
    CancellableWait wait;
    wait.start(bench, limit);
    bench.settle();
    wait.signal.emit(type);
    // By post, not within the call that cancelled.
    CHECK_FALSE(wait.outcome.has_value());
    bench.settle();
    CHECK(is_aborted(wait.outcome));
    CHECK(bench.clock->manual.waiting() == 0);
    held.release();
    CHECK(bench.metrics().held == 0);
    CHECK(bench.metrics().cancelled == 1);
    CHECK(bench.metrics().ledger_holds());
}

TEST_CASE(
    "async_semaphore: a coroutine's wait ends by each type of cancellation", "[async][semaphore]"
)
{
    const auto type = GENERATE(Type::terminal, Type::partial, Type::total);
    SemaphoreBench bench;
    auto held = bench.take();
    asio::cancellation_signal signal;
    Outcome outcome;
    spawn_wait(bench, signal, Accepts::all, outcome);
    signal.emit(type);
    CHECK_FALSE(outcome.has_value());
    bench.settle();
    CHECK(is_aborted(outcome));
    CHECK(bench.metrics().cancelled == 1);
    CHECK(bench.metrics().waiting == 0);
}

TEST_CASE("async_semaphore: a coroutine is cancelled by what it lets through", "[async][semaphore]")
{
    // Asio's filter, which lets only terminal through unless told otherwise, is in front of us.
    SemaphoreBench bench;
    auto held = bench.take();
    asio::cancellation_signal signal;
    Outcome outcome;
    spawn_wait(bench, signal, Accepts::terminal, outcome);
    signal.emit(Type::total);
    signal.emit(Type::partial);
    bench.settle();
    CHECK_FALSE(outcome.has_value());
    signal.emit(Type::terminal);
    bench.settle();
    CHECK(is_aborted(outcome));
}

TEST_CASE("async_semaphore: a cancellation after the grant comes too late", "[async][semaphore]")
{
    const bool by_coroutine = GENERATE(false, true);
    SemaphoreBench bench;
    auto held = bench.take();
    CancellableWait wait;
    if (by_coroutine) {
        spawn_wait(bench, wait.signal, Accepts::all, wait.outcome);
    } else {
        wait.start(bench);
    }
    held.release();
    wait.signal.emit(Type::all);
    bench.settle();
    CHECK(is_granted(wait.outcome));
    CHECK(bench.metrics().held == 1);
    CHECK(bench.metrics().cancelled == 0);
    wait.outcome.reset();
    CHECK(bench.metrics().held == 0);
    CHECK(bench.semaphore->try_acquire().has_value());
}

TEST_CASE(
    "async_semaphore: a cancellation before the release is not too late", "[async][semaphore]"
)
{
    // At a busy semaphore both are read in one turn, whichever came first.
    const bool cancel_first = GENERATE(false, true);
    SemaphoreBench bench;
    auto held = bench.take();
    CancellableWait cancelled;
    Outcome next;
    cancelled.start(bench);
    bench.acquire(next);
    bench.while_busy([&] {
        if (cancel_first) {
            cancelled.signal.emit(Type::terminal);
        }
        held.release();
        if (!cancel_first) {
            cancelled.signal.emit(Type::terminal);
        }
    });
    bench.settle();
    CHECK(is_aborted(cancelled.outcome));
    CHECK(is_granted(next));
    CHECK(bench.metrics().held == 1);
    CHECK(bench.metrics().ledger_holds());
}

TEST_CASE(
    "async_semaphore: one who is cancelled makes room for one who comes", "[async][semaphore]"
)
{
    SemaphoreBench bench(SemaphoreOptions().max_waiters(1));
    auto held = bench.take();
    CancellableWait cancelled;
    Outcome next;
    cancelled.start(bench);
    bench.while_busy([&] {
        cancelled.signal.emit(Type::terminal);
        bench.acquire(next);
    });
    bench.settle();
    CHECK(is_aborted(cancelled.outcome));
    CHECK_FALSE(next.has_value());
    held.release();
    bench.settle();
    CHECK(is_granted(next));
}

TEST_CASE("async_semaphore: one who is cancelled on the way into the line is", "[async][semaphore]")
{
    SemaphoreBench bench;
    auto held = bench.take();
    CancellableWait wait;
    bench.while_busy([&] {
        wait.start(bench);
        wait.signal.emit(Type::partial);
        wait.signal.emit(Type::total);
    });
    bench.settle();
    CHECK(is_aborted(wait.outcome));
    CHECK(bench.metrics().cancelled == 1);
    CHECK(bench.metrics().waiting == 0);
}

TEST_CASE("async_semaphore: any in the line can be cancelled", "[async][semaphore]")
{
    constexpr std::size_t count = 5;
    const auto place = GENERATE(range<std::size_t>(0, 5));
    SemaphoreBench bench;
    auto held = bench.take();
    std::array<CancellableWait, count> waits;
    for (auto& wait : waits) {
        wait.start(bench);
    }
    waits[place].signal.emit(Type::terminal);
    bench.settle();
    for (std::size_t i = 0; i < count; ++i) {
        CHECK(waits[i].outcome.has_value() == (i == place));
    }
    held.release();
    bench.settle();
    for (std::size_t i = 0; i < count; ++i) {
        if (i != place) {
            CHECK(is_granted(waits[i].outcome));
            waits[i].outcome.reset();
            bench.settle();
        }
    }
    CHECK(bench.metrics().held == 0);
}

TEST_CASE(
    "async_semaphore: cancelling twice, late or for nothing does nothing", "[async][semaphore]"
)
{
    SemaphoreBench bench;
    auto held = bench.take();
    CancellableWait wait;
    wait.signal.emit(Type::all);
    wait.start(bench);
    wait.signal.emit(Type::none);
    bench.settle();
    CHECK_FALSE(wait.outcome.has_value());
    wait.signal.emit(Type::total);
    wait.signal.emit(Type::terminal);
    bench.settle();
    CHECK(is_aborted(wait.outcome));
    wait.signal.emit(Type::terminal);
    CHECK(bench.metrics().cancelled == 1);
    // The slot serves the next wait.
    wait.outcome.reset();
    wait.start(bench);
    held.release();
    bench.settle();
    CHECK(is_granted(wait.outcome));
}

TEST_CASE("async_semaphore: a signal may outlive all else", "[async][semaphore]")
{
    SemaphoreBench bench;
    auto held = bench.take();
    auto wait = std::make_unique<CancellableWait>();
    Outcome outcome;
    bench.semaphore->async_acquire(
        asio::bind_cancellation_slot(asio::cancellation_slot(), noting(outcome))
    );
    held.release();
    bench.settle();
    CHECK(is_granted(outcome));
    // A slot that outlives semaphore and context.
    wait->start(bench);
    bench.semaphore.reset();
    bench.settle();
    CHECK(is_refused(wait->outcome, errc::stopping));
    wait->signal.emit(Type::all);
}

namespace {

/// What a coroutine got that awaits once more after it was cancelled.
struct AfterCancel {
    bool was_aborted = false;
    bool next_threw = false;
    bool next_was_granted = false;
};

asio::awaitable<void> wait_twice(AsyncSemaphore& semaphore, Permit& held, AfterCancel& after)
{
    const auto first = co_await semaphore.acquire();
    after.was_aborted = first.has_error();
    held.release();
    try {
        const auto second = co_await semaphore.acquire();
    } catch (const boost::system::system_error&) {
        after.next_threw = true;
    }
    co_await asio::this_coro::reset_cancellation_state();
    const auto third = co_await semaphore.acquire();
    after.next_was_granted = third.has_value();
}

} // namespace

TEST_CASE("async_semaphore: a coroutine that was cancelled begins no wait", "[async][semaphore]")
{
    SemaphoreBench bench;
    auto held = bench.take();
    asio::cancellation_signal signal;
    AfterCancel after;
    asio::co_spawn(
        bench.context,
        wait_twice(*bench.semaphore, held, after),
        asio::bind_cancellation_slot(signal.slot(), [](const std::exception_ptr&) {})
    );
    bench.settle();
    signal.emit(Type::terminal);
    bench.settle();
    CHECK(after.was_aborted);
    CHECK(after.next_threw);
    CHECK(after.next_was_granted);
    CHECK(bench.metrics().held == 0);
    CHECK(bench.metrics().entered == 3);
}

namespace {

using Either = std::variant<Result<Permit>, Result<Permit>>;

asio::awaitable<void>
wait_for_either(AsyncSemaphore& one, AsyncSemaphore& two, std::optional<std::size_t>& which)
{
    using namespace asio::experimental::awaitable_operators;
    const auto either = co_await (one.acquire() || two.acquire());
    which = either.index();
}

} // namespace

TEST_CASE(
    "async_semaphore: of two waits one ends the other, and no permit is lost", "[async][semaphore]"
)
{
    const std::size_t first = GENERATE(0U, 1U, 2U);
    SemaphoreBench bench;
    AsyncSemaphore other(bench.context.get_executor());
    auto held = bench.take();
    auto other_held = other.try_acquire().value();
    std::optional<std::size_t> which;
    asio::co_spawn(
        bench.context,
        wait_for_either(*bench.semaphore, other, which),
        [](const std::exception_ptr&) {}
    );
    bench.settle();
    CHECK_FALSE(which.has_value());
    // With 2 both are granted before either is told.
    if (first != 1) {
        held.release();
    }
    if (first != 0) {
        other_held.release();
    }
    bench.settle();
    REQUIRE(which.has_value());
    if (first != 2) {
        CHECK(*which == first);
        CHECK(
            (first == 0 ? run_coro(bench.context, other.metrics()) : bench.metrics()).cancelled == 1
        );
    }
    held.release();
    other_held.release();
    CHECK(bench.metrics().held == 0);
    CHECK(bench.metrics().waiting == 0);
    const auto metrics = run_coro(bench.context, other.metrics());
    CHECK(metrics.held == 0);
    CHECK(metrics.waiting == 0);
    CHECK(metrics.ledger_holds());
}

namespace {

asio::awaitable<void>
wait_bound(AsyncSemaphore& semaphore, asio::cancellation_signal& signal, Outcome& outcome)
{
    auto token = asio::bind_cancellation_slot(signal.slot(), asio::use_awaitable);
    outcome.emplace(co_await semaphore.async_acquire(std::move(token)));
}

} // namespace

TEST_CASE("async_semaphore: a slot bound to use_awaitable cancels one wait", "[async][semaphore]")
{
    SemaphoreBench bench;
    auto held = bench.take();
    asio::cancellation_signal signal;
    Outcome outcome;
    const auto done =
        spawn_coro(bench.context.get_executor(), wait_bound(*bench.semaphore, signal, outcome));
    bench.settle();
    signal.emit(Type::total);
    bench.settle();
    CHECK(is_aborted(outcome));
    CHECK(done->is_done());
}

} // namespace sojourn::tests

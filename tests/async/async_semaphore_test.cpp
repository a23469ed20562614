// Who gets a permit, and who has to wait or is refused.

#include "async/semaphore_bench.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

TEST_CASE("async_semaphore: grants, refuses and hands over in order", "[async][semaphore]")
{
    SemaphoreBench bench(SemaphoreOptions().permits(1).max_waiters(2));
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

TEST_CASE("async_semaphore: first come, first served", "[async][semaphore]")
{
    constexpr std::size_t count = 100;
    // Coming one by one or to a busy semaphore, and by either face.
    const bool is_busy = GENERATE(false, true);
    const bool by_coroutine = GENERATE(false, true);
    SemaphoreBench bench;
    auto held = bench.take();
    std::vector<std::size_t> served;
    const auto serve = [&](std::size_t number, const Result<Permit>& result) {
        if (result.has_value()) {
            served.push_back(number);
        }
    };
    const auto come = [&] {
        for (std::size_t i = 0; i < count; ++i) {
            if (by_coroutine) {
                asio::co_spawn(
                    bench.context,
                    bench.semaphore->acquire(),
                    [&serve, i](const std::exception_ptr&, const Result<Permit>& result) {
                        serve(i, result);
                    }
                );
            } else {
                bench.semaphore->async_acquire([&serve, i](const Result<Permit>& result) {
                    serve(i, result);
                });
            }
        }
        bench.settle();
    };
    if (is_busy) {
        bench.while_busy(come);
    } else {
        come();
    }
    bench.settle();
    CHECK(served.empty());
    CHECK(bench.metrics().waiting == count);
    held.release();
    bench.settle();
    REQUIRE(served.size() == count);
    CHECK(std::ranges::is_sorted(served));
    CHECK(bench.metrics().held == 0);
}

TEST_CASE("async_semaphore: nobody barges in before one who waits", "[async][semaphore]")
{
    SemaphoreBench bench;
    auto held = bench.take();
    Outcome first;
    Outcome second;
    bench.acquire(first);
    held.release();
    // Handed over, although nobody has been told yet.
    CHECK(bench.semaphore->try_acquire().error() == errc::overloaded);
    bench.acquire(second);
    CHECK(run_coro(bench.context, bench.semaphore->acquire(Duration::zero())).has_error());
    bench.settle();
    CHECK(is_granted(first));
    CHECK_FALSE(second.has_value());
    first.reset();
    CHECK(bench.semaphore->try_acquire().error() == errc::overloaded);
    bench.settle();
    CHECK(is_granted(second));
    second.reset();
    CHECK(bench.semaphore->try_acquire().has_value());
}

TEST_CASE("async_semaphore: nobody barges in while permits are too many", "[async][semaphore]")
{
    SemaphoreBench bench(SemaphoreOptions().permits(2));
    auto one = bench.take();
    auto two = bench.take();
    CHECK(bench.semaphore->resize(1).has_value());
    Outcome waiting;
    bench.acquire(waiting);
    one.release();
    bench.settle();
    CHECK_FALSE(waiting.has_value());
    CHECK(bench.semaphore->try_acquire().error() == errc::overloaded);
    two.release();
    bench.settle();
    CHECK(is_granted(waiting));
}

TEST_CASE(
    "async_semaphore: what one did before he came counts before he does", "[async][semaphore]"
)
{
    // At a busy semaphore all of it is read in one turn.
    SemaphoreBench bench(SemaphoreOptions().permits(1).max_waiters(0));
    auto held = bench.take();
    Outcome outcome;
    SECTION("a permit that he gave back is there for him")
    {
        bench.while_busy([&] {
            held.release();
            bench.acquire(outcome);
        });
        bench.settle();
        CHECK(is_granted(outcome));
    }
    SECTION("permits that he added are")
    {
        bench.while_busy([&] {
            CHECK(bench.semaphore->resize(2).has_value());
            bench.acquire(outcome);
        });
        bench.settle();
        CHECK(is_granted(outcome));
    }
    SECTION("permits that he took away are not")
    {
        bench.while_busy([&] {
            CHECK(bench.semaphore->resize(0).has_value());
            held.release();
            bench.acquire(outcome);
        });
        bench.settle();
        CHECK(is_refused(outcome, errc::overloaded));
    }
    SECTION("a semaphore that he closed is closed")
    {
        bench.while_busy([&] {
            held.release();
            bench.semaphore->close();
            bench.acquire(outcome);
        });
        bench.settle();
        CHECK(is_refused(outcome, errc::stopping));
    }
    CHECK(bench.clock->was_asked());
    CHECK(bench.metrics().ledger_holds());
}

TEST_CASE("async_semaphore: one release wakes all who fit", "[async][semaphore]")
{
    // Several permits come back at a busy semaphore: one turn reads them all.
    SemaphoreBench bench(SemaphoreOptions().permits(3));
    std::vector<Permit> held;
    for (int i = 0; i < 3; ++i) {
        held.push_back(bench.take());
    }
    std::array<Outcome, 4> outcomes;
    for (auto& outcome : outcomes) {
        bench.acquire(outcome);
    }
    bench.while_busy([&] { held.clear(); });
    bench.settle();
    CHECK(is_granted(outcomes[0]));
    CHECK(is_granted(outcomes[1]));
    CHECK(is_granted(outcomes[2]));
    CHECK_FALSE(outcomes[3].has_value());
    CHECK(bench.metrics().held == 3);
}

TEST_CASE("async_semaphore: no more wait than may", "[async][semaphore]")
{
    const std::size_t most = GENERATE(0U, 1U, 5U);
    const bool is_busy = GENERATE(false, true);
    SemaphoreBench bench(SemaphoreOptions().permits(1).max_waiters(most));
    auto held = bench.take();
    std::vector<Outcome> outcomes(most + 2);
    const auto come = [&] {
        for (auto& outcome : outcomes) {
            bench.acquire(outcome);
        }
    };
    if (is_busy) {
        bench.while_busy(come);
    } else {
        come();
    }
    bench.settle();
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        CHECK(outcomes[i].has_value() == (i >= most));
    }
    CHECK(is_refused(outcomes.back(), errc::overloaded));
    CHECK(outcomes.back()->error().retry_after() >= 1ms);
    CHECK(bench.metrics().waiting == most);
    // Who leaves makes room.
    held.release();
    bench.settle();
    if (most > 0) {
        CHECK(is_granted(outcomes.front()));
        bench.acquire(outcomes.back());
        CHECK(bench.metrics().waiting == most);
    }
    CHECK(bench.metrics().ledger_holds());
}

TEST_CASE("async_semaphore: one who waited too long is in nobody's way", "[async][semaphore]")
{
    SemaphoreBench bench(SemaphoreOptions().permits(1).max_waiters(1));
    auto held = bench.take();
    Outcome late;
    Outcome next;
    bench.acquire(late, 1ms);
    // Its timer has fired, and nobody has been woken yet.
    bench.clock->manual.advance(1ms);
    bench.acquire(next);
    bench.settle();
    CHECK(is_refused(late, errc::timed_out));
    CHECK_FALSE(next.has_value());
    held.release();
    bench.settle();
    CHECK(is_granted(next));
}

TEST_CASE("async_semaphore: a try at a busy semaphore is refused and counted", "[async][semaphore]")
{
    SemaphoreBench bench(SemaphoreOptions().permits(1));
    auto held = bench.take();
    bench.while_busy([&] {
        const auto tried = bench.semaphore->try_acquire();
        CHECK(tried.error() == errc::overloaded);
        CHECK(tried.error().retry_after() == 1ms);
        bench.semaphore->close();
        CHECK(bench.semaphore->try_acquire().error() == errc::stopping);
    });
    bench.settle();
    const auto metrics = bench.metrics();
    CHECK(metrics.refused_overloaded == 1);
    CHECK(metrics.refused_stopping == 2);
    CHECK(metrics.entered == 4);
    CHECK(metrics.ledger_holds());
}

TEST_CASE("async_semaphore: a try goes on with what waits for the executor", "[async][semaphore]")
{
    // More calls than two drains run, the one of the turn and the one of whoever asked in it: the
    // rest is handed to the context, which nobody runs.
    constexpr int calls = 2 * 64 + 10;
    SemaphoreBench bench(SemaphoreOptions().permits(1));
    auto held = bench.take();
    int told = 0;
    bench.while_busy([&] {
        for (int i = 0; i < calls; ++i) {
            bench.semaphore->async_metrics([&told](const SemaphoreMetrics&) { ++told; });
        }
        // One for him, one for who tries.
        CHECK(bench.semaphore->resize(3).has_value());
    });
    CHECK(bench.semaphore->try_acquire().has_value());
    bench.settle();
    CHECK(told == calls);
}

TEST_CASE("async_semaphore: permits move, and go back once", "[async][semaphore]")
{
    SemaphoreBench bench(SemaphoreOptions().permits(2));
    Permit nothing;
    CHECK_FALSE(nothing);
    nothing.release();
    auto one = bench.take();
    auto two = bench.take();
    CHECK(one);
    one = std::move(two);
    CHECK_FALSE(two); // NOLINT(bugprone-use-after-move): that is the question
    CHECK(bench.metrics().held == 1);
    auto& same = one;
    one = std::move(same);
    CHECK(bench.metrics().held == 1);
    Permit other(std::move(one));
    CHECK(bench.metrics().held == 1);
    other.release();
    other.release();
    CHECK(bench.metrics().held == 0);
}

TEST_CASE("async_semaphore: options out of bounds are refused by name", "[async][semaphore]")
{
    asio::io_context context;
    const auto text_of = [&](const SemaphoreOptions& options) -> std::string {
        try {
            const AsyncSemaphore semaphore(context.get_executor(), options);
        } catch (const boost::system::system_error& error) {
            return error.code() == errc::invalid_options ? error.what() : "wrong code";
        }
        return "";
    };
    CHECK(text_of(SemaphoreOptions()).empty());
    CHECK(text_of(SemaphoreOptions().permits(SemaphoreOptions::most + 1)).starts_with("permits"));
    CHECK(text_of(SemaphoreOptions().max_wait(-1ns)).starts_with("max_wait"));
    CHECK_THROWS(AsyncSemaphore(asio::any_io_executor()));
    SemaphoreBench bench;
    CHECK(bench.semaphore->resize(SemaphoreOptions::most + 1).error() == errc::invalid_options);
    CHECK(bench.metrics().limit == 1);
}

} // namespace sojourn::tests

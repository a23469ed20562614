#include "sojourn/async/latch.hpp"
#include "support/poll_until.hpp"
#include "support/run_coro.hpp"

#include <sojourn/testing/manual_clock.hpp>

#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include <memory>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

/// A wait of one coroutine at a latch.
struct Waiting {
    explicit Waiting(Duration length)
        : latch(context.get_executor(), clock),
          wait(spawn_coro(context.get_executor(), latch.wait(length)))
    {
        run_ready(context);
    }

    asio::io_context context;
    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    Latch latch;
    std::shared_ptr<CoroResult<Result<void>>> wait;
};

} // namespace

TEST_CASE("latch: a wait ends at its moment, and not before", "[async][latch]")
{
    Waiting w(5s);
    w.clock->advance(5s - 1ns);
    run_ready(w.context);
    CHECK_FALSE(w.wait->is_done());
    w.clock->advance(1ns);
    run_ready(w.context);
    CHECK(w.wait->is_done());
    CHECK_FALSE(w.latch.is_open());
}

TEST_CASE("latch: a wait ends when it is opened", "[async][latch]")
{
    Waiting w(5s);
    CHECK_FALSE(w.wait->is_done());
    w.latch.open();
    w.latch.open();
    run_ready(w.context);
    CHECK(w.wait->is_done());
    CHECK(w.latch.is_open());
    CHECK(w.clock->waiting() == 0);
}

TEST_CASE("latch: it is opened for all who wait", "[async][latch]")
{
    Waiting w(5s);
    const auto other = spawn_coro(w.context.get_executor(), w.latch.wait(Duration::max()));
    run_ready(w.context);
    CHECK_FALSE(other->is_done());
    w.latch.open();
    run_ready(w.context);
    REQUIRE(w.wait->is_done());
    REQUIRE(other->is_done());
    CHECK(w.wait->take().has_value());
    CHECK(other->take().has_value());
}

TEST_CASE("latch: one that was opened before is not waited for", "[async][latch]")
{
    asio::io_context context;
    Latch latch(context.get_executor(), std::make_shared<testing::ManualClock>());
    latch.open();
    CHECK(run_coro(context, latch.wait(Duration::max())).has_value());
    CHECK(latch.is_open());
}

TEST_CASE("latch: a moment that has come is not waited for", "[async][latch]")
{
    Waiting w(-1s);
    REQUIRE(w.wait->is_done());
    CHECK(w.wait->take().error() == errc::timed_out);
}

TEST_CASE("latch: no more wait than may", "[async][latch]")
{
    asio::io_context context;
    Latch latch(context.get_executor(), std::make_shared<testing::ManualClock>(), 1);
    const auto first = spawn_coro(context.get_executor(), latch.wait(Duration::max()));
    run_ready(context);
    CHECK(run_coro(context, latch.wait(Duration::max())).error() == errc::overloaded);
    CHECK(run_coro(context, latch.wait(1h)).error() == errc::overloaded);
    latch.open();
    run_ready(context);
    REQUIRE(first->is_done());
    CHECK(first->take().has_value());
}

TEST_CASE("latch: a wait goes with its context", "[async][latch]")
{
    const auto clock = std::make_shared<testing::ManualClock>();
    auto context = std::make_unique<asio::io_context>();
    Latch latch(context->get_executor(), clock);
    const auto wait = spawn_coro(context->get_executor(), latch.wait(1h));
    run_ready(*context);
    context.reset();
    CHECK_FALSE(wait->is_done());
    CHECK(clock->waiting() == 0);
    latch.open();
}

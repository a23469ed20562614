#include "sojourn/async/bell.hpp"
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

/// A wait of one coroutine at a bell.
struct Waiting {
    explicit Waiting(Duration length)
        : bell(context.get_executor(), clock),
          wait(spawn_coro(context.get_executor(), bell.wait_until(clock->steady() + length)))
    {
        run_ready(context);
    }

    asio::io_context context;
    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    Bell bell;
    std::shared_ptr<CoroResult<void>> wait;
};

} // namespace

TEST_CASE("bell: a wait ends at its moment, and not before", "[async][bell]")
{
    Waiting w(5s);
    w.clock->advance(5s - 1ns);
    run_ready(w.context);
    CHECK_FALSE(w.wait->is_done());
    w.clock->advance(1ns);
    run_ready(w.context);
    CHECK(w.wait->is_done());
    CHECK_FALSE(w.bell.has_rung());
}

TEST_CASE("bell: a wait ends when somebody rings", "[async][bell]")
{
    Waiting w(5s);
    CHECK_FALSE(w.wait->is_done());
    w.bell.ring();
    w.bell.ring();
    run_ready(w.context);
    CHECK(w.wait->is_done());
    CHECK(w.bell.has_rung());
    CHECK(w.clock->waiting() == 0);
}

TEST_CASE("bell: a ring that came before is not lost", "[async][bell]")
{
    asio::io_context context;
    Bell bell(context.get_executor(), std::make_shared<testing::ManualClock>());
    bell.ring();
    run_coro(context, bell.wait_until(TimePoint::max()));
    CHECK(bell.has_rung());
}

TEST_CASE("bell: a moment that has come is not waited for", "[async][bell]")
{
    Waiting w(-1s);
    CHECK(w.wait->is_done());
}

TEST_CASE("bell: a wait goes with its context", "[async][bell]")
{
    const auto clock = std::make_shared<testing::ManualClock>();
    auto context = std::make_unique<asio::io_context>();
    Bell bell(context->get_executor(), clock);
    const auto wait = spawn_coro(context->get_executor(), bell.wait_until(clock->steady() + 1h));
    run_ready(*context);
    context.reset();
    CHECK_FALSE(wait->is_done());
    CHECK(clock->waiting() == 0);
    bell.ring();
}

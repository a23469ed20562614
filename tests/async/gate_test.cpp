#include "async/inside.hpp"
#include "sojourn/async/gate.hpp"
#include "support/completion_probe.hpp"
#include "support/run_coro.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

namespace asio = boost::asio;

namespace sojourn::tests {

namespace {

class CountedCall final : public Gate::Call {
public:
    struct Log {
        int ran = 0;
        int abandoned = 0;
        /// Not in the order in which they were queued, or not inside.
        int wrong = 0;
    };

    CountedCall(Gate& gate, Log& log, int number) : gate_(gate), log_(log), number_(number) {}

private:
    void run() noexcept override
    {
        if (log_.ran++ != number_ || !gate_.running_in_this_thread()) {
            ++log_.wrong;
        }
    }

    void abandon() noexcept override { ++log_.abandoned; }

    Gate& gate_;
    Log& log_;
    int number_;
};

/// Calls of a gate that somebody is inside.
class QueuedCalls {
public:
    QueuedCalls(Gate& gate, int count)
    {
        for (int i = 0; i < count; ++i) {
            calls_.emplace_back(gate, log, i);
            entered = entered || gate.enter_or_queue(calls_.back());
        }
    }

    CountedCall::Log log;
    bool entered = false;

private:
    std::deque<CountedCall> calls_;
};

} // namespace

TEST_CASE("gate: one at a time is inside", "[async][gate]")
{
    asio::io_context context;
    const auto gate = std::make_shared<Gate>(context.get_executor());
    REQUIRE(gate->try_enter());
    CHECK(gate->running_in_this_thread());
    CHECK_FALSE(gate->try_enter());
    bool other_is_inside = true;
    std::thread([&] { other_is_inside = gate->running_in_this_thread(); }).join();
    CHECK_FALSE(other_is_inside);
    gate->leave();
    CHECK_FALSE(gate->running_in_this_thread());
    CHECK(gate->try_enter());
    gate->leave();
}

TEST_CASE("gate: whoever leaves runs what was queued, in order", "[async][gate]")
{
    asio::io_context context;
    const auto gate = std::make_shared<Gate>(context.get_executor());
    for (int round = 0; round < 3; ++round) {
        REQUIRE(gate->try_enter());
        const QueuedCalls calls(*gate, 5);
        CHECK_FALSE(calls.entered);
        CHECK(calls.log.ran == 0);
        gate->leave();
        CHECK(calls.log.ran == 5);
        CHECK(calls.log.wrong == 0);
    }
    CHECK(context.poll() == 0);
    CHECK(gate->try_enter());
    gate->leave();
}

TEST_CASE("gate: a drain runs 64 calls and hands the rest to the strand", "[async][gate]")
{
    asio::io_context context;
    const auto gate = std::make_shared<Gate>(context.get_executor());
    REQUIRE(gate->try_enter());
    const QueuedCalls calls(*gate, 150);
    gate->leave();
    CHECK(calls.log.ran == 64);
    CHECK_FALSE(gate->running_in_this_thread());
    CHECK_FALSE(gate->try_enter());
    // Others on the executor have their turn between two parts of the drain.
    int seen_by_neighbour = 0;
    asio::post(context, [&] { seen_by_neighbour = calls.log.ran; });
    context.run();
    CHECK(calls.log.ran == 150);
    CHECK(calls.log.wrong == 0);
    CHECK(seen_by_neighbour == 128);
    CHECK(gate->try_enter());
    gate->leave();
}

TEST_CASE("gate: calls that were queued when the context ends are abandoned", "[async][gate]")
{
    std::optional<asio::io_context> context(std::in_place);
    const auto gate = std::make_shared<Gate>(context->get_executor());
    REQUIRE(gate->try_enter());
    const QueuedCalls calls(*gate, 150);
    gate->leave();
    CHECK(calls.log.ran == 64);
    context.reset();
    CHECK(calls.log.ran == 64);
    CHECK(calls.log.abandoned == 86);
    // Without a context it still lets one in at a time, and drains whatever was queued at once.
    REQUIRE(gate->try_enter());
    const QueuedCalls later(*gate, 150);
    gate->leave();
    CHECK(later.log.ran == 150);
    CHECK(later.log.wrong == 0);
}

TEST_CASE("gate: the last reference may be that of a drain that never runs", "[async][gate]")
{
    std::optional<asio::io_context> context(std::in_place);
    auto gate = std::make_shared<Gate>(context->get_executor());
    REQUIRE(gate->try_enter());
    const QueuedCalls calls(*gate, 100);
    gate->leave();
    const std::weak_ptr<Gate> watch = gate;
    gate.reset();
    CHECK_FALSE(watch.expired());
    context->run();
    CHECK(calls.log.ran == 100);
    CHECK(watch.expired());
}

TEST_CASE("gate: whoever comes goes on with what was handed over", "[async][gate]")
{
    // The executor does not run, so the strand does not get to it.
    asio::io_context context;
    const auto gate = std::make_shared<Gate>(context.get_executor());
    REQUIRE(gate->try_enter());
    QueuedCalls calls(*gate, 200);
    gate->leave();
    const auto by_the_first = calls.log.ran;
    CHECK(by_the_first < 200);
    CHECK_FALSE(gate->try_enter());
    gate->help();
    const auto by_the_second = calls.log.ran;
    CHECK(by_the_second > by_the_first);
    // One that is queued behind the others helps, too, and is run with them in the end.
    QueuedCalls last(*gate, 1);
    gate->help();
    gate->help();
    CHECK(calls.log.ran == 200);
    CHECK(last.log.ran == 1);
    CHECK(gate->try_enter());
    gate->leave();
    // The strand finds nothing left to do.
    context.run();
    CHECK(calls.log.ran == 200);
}

TEST_CASE("gate: nobody goes on with what went with the context", "[async][gate]")
{
    std::optional<asio::io_context> context(std::in_place);
    const auto gate = std::make_shared<Gate>(context->get_executor());
    REQUIRE(gate->try_enter());
    QueuedCalls calls(*gate, 200);
    gate->leave();
    const auto ran = calls.log.ran;
    REQUIRE(ran < 200);
    context.reset();
    CHECK(calls.log.ran == ran);
    CHECK(calls.log.abandoned == 200 - ran);
    // Somebody is inside: whoever comes then must not go in beside him.
    REQUIRE(gate->try_enter());
    QueuedCalls last(*gate, 1);
    gate->help();
    CHECK(last.log.ran == 0);
    gate->leave();
    CHECK(last.log.ran == 1);
}

TEST_CASE("gate: what is to be dropped goes when nobody is inside any more", "[async][gate]")
{
    const auto count = GENERATE(0, 5, 200);
    CAPTURE(count);
    asio::io_context context;
    auto gate = std::make_shared<Gate>(context.get_executor());
    const std::weak_ptr<Gate> watch = gate;
    REQUIRE(gate->try_enter());
    QueuedCalls calls(*gate, count);
    // Nobody else holds the gate from here on.
    auto& inside = *gate;
    inside.drop_on_leaving(std::move(gate));
    CHECK_FALSE(watch.expired());
    inside.leave();
    // With many, the strand goes on.
    CHECK(watch.expired() == (calls.log.ran == count));
    context.run();
    CHECK(calls.log.ran == count);
    CHECK(watch.expired());
}

TEST_CASE("gate: the inline budget is per thread and refills", "[async][gate]")
{
    renew_inline_budget();
    int spent = 0;
    while (spend_inline_budget()) {
        ++spent;
    }
    CHECK(spent == inline_completion_budget);
    bool other_has_some = false;
    std::thread([&] { other_has_some = spend_inline_budget(); }).join();
    CHECK(other_has_some);
    CHECK_FALSE(spend_inline_budget());
    renew_inline_budget();
    CHECK(spend_inline_budget());
}

} // namespace sojourn::tests

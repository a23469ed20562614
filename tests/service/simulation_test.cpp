#include "service/manual_service.hpp"
#include "service/removal_log.hpp"

#include <sojourn/async/async_semaphore.hpp>
#include <sojourn/async/gate.hpp>
#include <sojourn/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> going_round()
{
    for (;;) {
        co_await asio::post(asio::use_awaitable);
    }
}

asio::awaitable<void> waking_up_again(testing::Simulation& simulation)
{
    for (;;) {
        co_await simulation.sleep(24h);
    }
}

asio::awaitable<int> failing()
{
    co_await asio::post(asio::use_awaitable);
    throw std::runtime_error("expected");
    co_return 0;
}

asio::awaitable<void> oversleep(testing::Simulation& simulation, std::string& story)
{
    co_await simulation.sleep(1s);
    story += "slept 1s, ";
    try {
        co_await simulation.sleep(24h);
        story += "slept on; ";
    } catch (const boost::system::system_error&) {
        story += "cancelled; ";
    }
}

asio::awaitable<void> take_turns(AsyncSemaphore& semaphore)
{
    for (int i = 0; i < 2; ++i) {
        const auto permit = co_await semaphore.acquire();
        co_await asio::post(asio::use_awaitable);
    }
}

/// As if this thread had completed calls inline until so many are left to it.
void leave_inline_budget(int left)
{
    renew_inline_budget();
    for (int i = left; i < inline_completion_budget; ++i) {
        (void)spend_inline_budget();
    }
}

asio::awaitable<Result<SessionLease>> acquire_later(SessionService& service, SessionId id)
{
    co_await asio::post(asio::use_awaitable);
    co_return co_await service.acquire(std::move(id));
}

/// So many acquire one session at once. Returns its id, and the trace of the run.
std::pair<std::string, std::uint64_t> crowd(std::uint64_t seed, int calls)
{
    testing::Simulation simulation(seed);
    SessionService service(simulation.executor(), plain_options(), simulation.environment());
    auto created = simulation.run(service.create()).value();
    created.lease.release();
    for (int i = 0; i < calls; ++i) {
        asio::co_spawn(simulation.executor(), acquire_later(service, created.id), asio::detached);
    }
    simulation.settle();
    return {std::string(created.id.text()), simulation.context().trace()};
}

} // namespace

TEST_CASE("simulation: a session's hours take no time", "[service]")
{
    testing::Simulation simulation;
    const auto log = std::make_shared<RemovalLog>();
    auto environment = listening_to_all(log);
    environment.clock(simulation.clock());
    SessionService service(simulation.executor(), plain_options(), environment);
    auto created = simulation.run(service.create()).value();
    created.lease.release();
    auto lease = simulation.run(service.acquire(created.id)).value();
    lease.release();
    simulation.pass(30min - 1ns);
    CHECK(simulation.run(service.peek(created.id)).has_value());
    simulation.pass(1ns);
    CHECK(simulation.run(service.peek(created.id)).error() == errc::not_found);
    CHECK(log->count(RemovalCause::expired_idle) == 1);
}

TEST_CASE("simulation: a seed gives the same ids and the same steps", "[service]")
{
    CHECK(crowd(5, 5) == crowd(5, 5));
    CHECK(crowd(5, 5).first != crowd(6, 5).first);
    CHECK(crowd(5, 5).second != crowd(6, 5).second);
}

TEST_CASE("simulation: what ran before on this thread makes no difference", "[service]")
{
    // Far more calls than may complete inline in one go.
    constexpr int calls = 600;
    const auto first = crowd(1, calls);
    for (const int left : {0, 1, inline_completion_budget / 2, inline_completion_budget}) {
        leave_inline_budget(left);
        CHECK(crowd(1, calls) == first);
    }
}

TEST_CASE("simulation: every order is found, whatever ran before on this thread", "[service]")
{
    const auto count_runs = [] {
        const auto choices = std::make_shared<testing::ExhaustiveChoices>();
        do {
            testing::Simulation simulation(choices);
            AsyncSemaphore semaphore(
                simulation.executor(), SemaphoreOptions().permits(1), simulation.clock()
            );
            for (int i = 0; i < 2; ++i) {
                asio::co_spawn(simulation.executor(), take_turns(semaphore), asio::detached);
            }
            simulation.settle();
        } while (choices->next());
        return choices->runs();
    };
    const auto runs = count_runs();
    CHECK(runs > 1);
    for (const int left : {0, 1, 3, 5}) {
        leave_inline_budget(left);
        CHECK(count_runs() == runs);
    }
}

TEST_CASE("simulation: time passes while a coroutine waits for it", "[service]")
{
    testing::Simulation simulation;
    const auto options = plain_options().max_in_flight(1).max_request_wait(3s);
    SessionService service(simulation.executor(), options, simulation.environment());
    const auto created = simulation.run(service.create()).value();
    const auto first = simulation.run(service.acquire(created.id)).value();
    const auto before = simulation.clock()->steady();
    CHECK(simulation.run(service.acquire(created.id)).error() == errc::overloaded);
    CHECK(simulation.clock()->steady() == before + 3s);
}

TEST_CASE("simulation: a listener sleeps, and is cancelled", "[service]")
{
    testing::Simulation simulation;
    std::string story;
    auto environment = simulation.environment();
    environment.on_removed([&](RemovedSession) { return oversleep(simulation, story); });
    const auto options = plain_options().listener_timeout(5s);
    SessionService service(simulation.executor(), options, environment);
    for (int i = 0; i < 2; ++i) {
        const auto created = simulation.run(service.create()).value();
        REQUIRE(simulation.run(service.remove(created.id)).has_value());
    }
    CHECK(story == "");
    simulation.pass(5s);
    CHECK(story == "slept 1s, cancelled; ");
    simulation.pass(5s);
    CHECK(story == "slept 1s, cancelled; slept 1s, cancelled; ");
}

TEST_CASE("simulation: what a coroutine throws comes out", "[service]")
{
    testing::Simulation simulation;
    CHECK_THROWS_AS(simulation.run(failing()), std::runtime_error);
}

TEST_CASE("simulation: a wait that nobody can end is told", "[service]")
{
    testing::Simulation simulation;
    AsyncSemaphore semaphore(
        simulation.executor(), SemaphoreOptions().permits(1), simulation.clock()
    );
    const auto held = simulation.run(semaphore.acquire()).value();
    CHECK_THROWS_AS(simulation.run(semaphore.acquire(Duration::max())), std::logic_error);
    CHECK_THROWS_AS(simulation.run(going_round()), std::runtime_error);
    asio::co_spawn(simulation.executor(), waking_up_again(simulation), asio::detached);
    CHECK_THROWS_AS(simulation.run(semaphore.acquire(Duration::max())), std::runtime_error);
}

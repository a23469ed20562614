// Requests of one session that must not overlap, and wait for each other in line.

#include "service/begun.hpp"
#include "service/manual_service.hpp"
#include "service/removal_log.hpp"
#include "support/completion_probe.hpp"
#include "support/face.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<ExclusiveLease>);
static_assert(!std::is_copy_assignable_v<ExclusiveLease>);
static_assert(std::is_nothrow_move_constructible_v<ExclusiveLease>);
static_assert(std::is_nothrow_move_assignable_v<ExclusiveLease>);
static_assert(noexcept(std::declval<ExclusiveLease&>().release()));

namespace {

using Exclusive = Begun<Result<ExclusiveLease>>;

Exclusive begin(
    ManualService& sessions, const SessionId& id, Duration limit = 1h, Face face = Face::coroutine
)
{
    auto& service = sessions.service;
    if (face == Face::handler) {
        return {sessions, service.async_acquire_exclusive(id, limit, asio::use_future)};
    }
    return {sessions, service.acquire_exclusive(id, limit)};
}

std::size_t leases_of(ManualService& sessions, const SessionId& id)
{
    return sessions.run(sessions.service.peek(id)).value().leases;
}

} // namespace

TEST_CASE("session_service: exclusive leases are had one after the other", "[async][service]")
{
    const auto face = any_face();
    const auto shards = GENERATE(std::size_t{1}, std::size_t{5});
    ManualService sessions(unlimited(shards));
    const auto id = sessions.establish();
    auto held = begin(sessions, id, 1h, face).get().value();
    CHECK(held);
    CHECK(held.info().requests == 2);
    std::deque<Exclusive> line;
    for (int i = 0; i < 10; ++i) {
        line.push_back(begin(sessions, id, 1h, face));
    }
    while (!line.empty()) {
        CAPTURE(line.size());
        for (const auto& waits : line) {
            REQUIRE(waits.is_waiting());
        }
        // Those who wait are in flight.
        CHECK(leases_of(sessions, id) == line.size() + 1);
        held.release();
        REQUIRE_FALSE(line.front().is_waiting());
        held = line.front().get().value();
        line.pop_front();
    }
    held.release();
    CHECK_FALSE(held);
    held.release();
    CHECK(leases_of(sessions, id) == 0);
    CHECK(sessions.metrics().requests_shed == 0);
    CHECK(sessions.metrics().acquired == 12);
}

TEST_CASE("session_service: an exclusive lease keeps only its kind waiting", "[async][service]")
{
    const auto shards = GENERATE(std::size_t{1}, std::size_t{5});
    ManualService sessions(unlimited(shards));
    const auto id = sessions.establish();
    auto held = begin(sessions, id).get().value();
    CHECK(sessions.run(sessions.service.acquire(id)).has_value());
    CHECK(sessions.run(sessions.service.acquire_weak(id)).has_value());
    for (int i = 0; i < 20; ++i) {
        CHECK(begin(sessions, sessions.establish()).get().has_value());
    }
    // Its line is the session's, whatever its id.
    const auto rotated = sessions.run(sessions.service.rotate(id)).value();
    auto waits = begin(sessions, rotated);
    CHECK(waits.is_waiting());
    held.release();
    CHECK(waits.get().has_value());
}

TEST_CASE(
    "session_service: an exclusive lease that is overwritten or destroyed gives way",
    "[async][service]"
)
{
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    auto held = std::make_unique<ExclusiveLease>(begin(sessions, id).get().value());
    auto second = begin(sessions, id);
    auto third = begin(sessions, id);
    auto moved = std::move(*held);
    held.reset();
    CHECK(second.is_waiting());
    moved = ExclusiveLease();
    moved = second.get().value();
    CHECK(third.is_waiting());
    {
        const auto gone = std::move(moved);
    }
    CHECK(third.get().has_value());
    CHECK(leases_of(sessions, id) == 0);
}

TEST_CASE("session_service: a session is given away exclusively time and again", "[async][service]")
{
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    for (int i = 0; i < 5; ++i) {
        // Nobody else has the session in between, so each is the first of a new line.
        auto first = begin(sessions, id).get().value();
        auto second = begin(sessions, id);
        REQUIRE(second.is_waiting());
        first.release();
        REQUIRE(second.get().has_value());
    }
}

TEST_CASE("session_service: acquire_exclusive says why it gives none", "[async][service]")
{
    const auto face = any_face();
    ManualService sessions(
        plain_options().request_rate(RateLimit(10, 2)).max_in_flight_per_session(1)
    );
    CHECK(begin(sessions, SessionId(), 1h, face).get().error() == errc::not_found);
    const auto id = sessions.add();
    auto held = begin(sessions, id, 1h, face).get().value();
    CHECK(begin(sessions, id, 1h, face).get().error() == errc::overloaded);
    held.release();
    CHECK(begin(sessions, id, 1h, face).get().has_value());
    const auto limited = begin(sessions, id, 1h, face).get();
    CHECK(limited.error() == errc::rate_limited);
    CHECK(limited.error().retry_after() == 100ms);
    CHECK(sessions.run(sessions.service.drain(0s)).has_value());
    CHECK(begin(sessions, id, 1h, face).get().error() == errc::stopping);
    CHECK(sessions.metrics().refused_busy == 1);
    CHECK(sessions.metrics().requests_shed == 0);
}

TEST_CASE("session_service: who has waited too long for a turn has timed out", "[async][service]")
{
    const auto face = any_face();
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    auto held = begin(sessions, id).get().value();
    auto waits = begin(sessions, id, 5s, face);
    auto next = begin(sessions, id, 1h, face);
    sessions.pass(5s - 1ns);
    CHECK(waits.is_waiting());
    sessions.pass(1ns);
    CHECK(waits.get().error() == errc::timed_out);
    CHECK(leases_of(sessions, id) == 2);
    CHECK(sessions.metrics().requests_shed == 1);
    held.release();
    CHECK(next.get().has_value());
}

TEST_CASE("session_service: without a limit a turn is waited for as a request", "[async][service]")
{
    ManualService sessions(unlimited().max_request_wait(3s));
    const auto id = sessions.establish();
    const auto held = begin(sessions, id).get().value();
    Exclusive waits(sessions, sessions.service.acquire_exclusive(id));
    sessions.pass(3s - 1ns);
    CHECK(waits.is_waiting());
    sessions.pass(1ns);
    CHECK(waits.get().error() == errc::timed_out);
}

TEST_CASE("session_service: a turn may be waited for for ever", "[async][service]")
{
    const auto face = any_face();
    ManualService sessions(unlimited().absolute_lifetime(max_duration));
    const auto id = sessions.establish();
    auto held = begin(sessions, id).get().value();
    auto waits = begin(sessions, id, Duration::max(), face);
    sessions.pass(max_duration / 2);
    CHECK(waits.is_waiting());
    held.release();
    CHECK(waits.get().has_value());
}

TEST_CASE("session_service: with a limit that is over a turn is only taken", "[async][service]")
{
    const auto face = any_face();
    const auto limit = GENERATE(Duration(0s), Duration(-1s), Duration::min());
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    auto held = begin(sessions, id, limit, face).get().value();
    CHECK(begin(sessions, id, limit, face).get().error() == errc::timed_out);
    CHECK(leases_of(sessions, id) == 1);
    held.release();
    CHECK(begin(sessions, id, limit, face).get().has_value());
}

TEST_CASE("session_service: a wait for a turn that is cancelled takes nothing", "[async][service]")
{
    const auto type = any_cancellation();
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    auto held = begin(sessions, id).get().value();
    auto cancelled = begin(sessions, id);
    auto next = begin(sessions, id);
    CHECK(cancelled.is_waiting());
    cancelled.cancel(type);
    CHECK(cancelled.get().error().code() == asio::error::operation_aborted);
    CHECK(leases_of(sessions, id) == 2);
    CHECK(next.is_waiting());
    held.release();
    auto last = next.get().value();
    CHECK(leases_of(sessions, id) == 1);
    last.release();
    CHECK(sessions.metrics().leased == 0);
    CHECK(begin(sessions, id, 0s).get().has_value());
}

namespace {

asio::awaitable<void> acquire_cancelled(
    std::shared_ptr<asio::cancellation_signal> signal,
    asio::cancellation_type type,
    SessionService& service,
    SessionId id,
    bool& has_returned
)
{
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    // So that Asio has switched contexts, without which it lets the exception out of `run`.
    co_await asio::post(asio::use_awaitable);
    signal->emit(type);
    const auto lease = co_await service.acquire_exclusive(id);
    has_returned = true;
}

} // namespace

TEST_CASE("session_service: who was cancelled before asks for no turn", "[async][service]")
{
    const auto type = any_cancellation();
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    const auto signal = std::make_shared<asio::cancellation_signal>();
    bool has_returned = false;
    auto done = asio::co_spawn(
        sessions.context,
        acquire_cancelled(signal, type, sessions.service, id, has_returned),
        asio::bind_cancellation_slot(signal->slot(), asio::use_future)
    );
    sessions.settle();
    REQUIRE(done.wait_for(0s) == std::future_status::ready);
    CHECK_THROWS_AS(done.get(), boost::system::system_error);
    CHECK_FALSE(has_returned);
    CHECK(sessions.metrics().acquires == 1);
    CHECK(sessions.metrics().leased == 0);
}

TEST_CASE(
    "session_service: who waits for a turn with a session that ends is refused", "[async][service]"
)
{
    const auto face = any_face();
    const bool is_removed = GENERATE(false, true);
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(unlimited().absolute_lifetime(1h), listening(log));
    const auto id = sessions.establish();
    auto held = begin(sessions, id).get().value();
    auto second = begin(sessions, id, 10h, face);
    auto third = begin(sessions, id, 10h, face);
    Begun<Result<void>> closed(sessions, held.closed());
    if (is_removed) {
        CHECK(sessions.run(sessions.service.remove(id)).has_value());
    } else {
        sessions.pass(1h);
    }
    CHECK(second.get().error() == errc::not_found);
    CHECK(third.get().error() == errc::not_found);
    CHECK(closed.get().has_value());
    CHECK(begin(sessions, id).get().error() == errc::not_found);
    CHECK(sessions.metrics().closing == 1);
    CHECK(log->size() == 0);
    held.release();
    sessions.settle();
    CHECK(log->size() == 1);
    CHECK(sessions.metrics().live == 0);
}

TEST_CASE(
    "session_service: who waits for a turn when a drain has no more time is told so",
    "[async][service]"
)
{
    const auto face = any_face();
    const auto shards = GENERATE(std::size_t{1}, std::size_t{5});
    ManualService sessions(unlimited(shards));
    const auto id = sessions.establish();
    auto held = begin(sessions, id).get().value();
    auto second = begin(sessions, id, 1h, face);
    auto third = begin(sessions, id, 1h, face);
    auto stopped = sessions.service.async_drain(0s, asio::use_future);
    CHECK(second.get().error() == errc::stopping);
    CHECK(third.get().error() == errc::stopping);
    held.release();
    sessions.settle();
    CHECK(stopped.get().has_value());
}

TEST_CASE(
    "session_service: who waits for a turn is not in flight among all requests", "[async][service]"
)
{
    ManualService sessions(unlimited().max_in_flight(2).max_request_wait(5s));
    const auto id = sessions.establish();
    auto held = begin(sessions, id).get().value();
    auto second = begin(sessions, id);
    auto third = begin(sessions, id);
    // One of two permits is free for others.
    auto other = sessions.acquire(id);
    held.release();
    CHECK_FALSE(second.is_waiting());
    held = second.get().value();
    // Has the turn now, and no permit for it.
    auto more = Begun<Result<SessionLease>>(sessions, sessions.service.acquire(id));
    held.release();
    CHECK_FALSE(more.is_waiting());
    CHECK(third.is_waiting());
    auto fourth = begin(sessions, id);
    sessions.pass(5s);
    const auto shed = third.get();
    CHECK(shed.error() == errc::overloaded);
    CHECK(shed.error().retry_after() == 5s);
    // Who comes after it got its turn, and waits for a permit.
    CHECK(fourth.is_waiting());
    other.release();
    CHECK(fourth.get().has_value());
}

TEST_CASE("session_service: who waits for a turn ends with the service", "[async][service]")
{
    const auto limit = GENERATE(Duration(1h), Duration::max());
    const auto shards = GENERATE(std::size_t{1}, std::size_t{5});
    asio::io_context context;
    auto service = std::make_unique<SessionService>(context.get_executor(), unlimited(shards));
    const auto id = run_coro(context, service->create()).value().id;
    auto held = run_coro(context, service->acquire_exclusive(id)).value();
    auto waits = asio::co_spawn(context, service->acquire_exclusive(id, limit), asio::use_future);
    auto handed = service->async_acquire_exclusive(id, limit, asio::use_future);
    auto closed = asio::co_spawn(context, held.closed(), asio::use_future);
    run_ready(context);
    CHECK(waits.wait_for(0s) != std::future_status::ready);
    service.reset();
    run_ready(context);
    REQUIRE(closed.wait_for(0s) == std::future_status::ready);
    CHECK(closed.get().has_value());
    REQUIRE(waits.wait_for(0s) == std::future_status::ready);
    CHECK(waits.get().error() == errc::stopping);
    REQUIRE(handed.wait_for(0s) == std::future_status::ready);
    CHECK(handed.get().error() == errc::stopping);
    held.release();
}

TEST_CASE("session_service: a turn that is given as the service goes is had", "[async][service]")
{
    asio::io_context context;
    auto service = std::make_unique<SessionService>(context.get_executor(), unlimited());
    const auto id = run_coro(context, service->create()).value().id;
    auto held = run_coro(context, service->acquire_exclusive(id)).value();
    auto waits = asio::co_spawn(context, service->acquire_exclusive(id, 1h), asio::use_future);
    run_ready(context);
    held.release();
    service.reset();
    run_ready(context);
    REQUIRE(waits.wait_for(0s) == std::future_status::ready);
    CHECK(waits.get().has_value());
}

TEST_CASE("session_service: who waits for a turn may go with the context", "[async][service]")
{
    const bool service_goes_first = GENERATE(false, true);
    const bool is_bounded = GENERATE(false, true);
    CompletionProbe probe;
    ExclusiveLease held;
    {
        auto context = std::make_unique<asio::io_context>();
        auto options = unlimited(2);
        if (is_bounded) {
            options.max_in_flight(2);
        }
        auto service = std::make_unique<SessionService>(context->get_executor(), options);
        for (int i = 0; i < 3; ++i) {
            const auto id = run_coro(*context, service->create()).value().id;
            for (int j = 0; j < 4; ++j) {
                auto waits = service->acquire_exclusive(id, 1h);
                (void)spawn_coro(context->get_executor(), std::move(waits));
                service->async_acquire_exclusive(id, 1h, probe.handler());
            }
            if (i == 0) {
                auto first = run_coro(*context, service->create()).value();
                held = run_coro(*context, service->acquire_exclusive(first.id)).value();
                service->async_acquire_exclusive(first.id, 1h, probe.handler());
            }
        }
        context->restart();
        for (int i = 0; i < 10; ++i) {
            context->poll_one();
        }
        if (service_goes_first) {
            service.reset();
        }
        context.reset();
    }
    CHECK(probe.live_handlers() == 0);
    std::thread([&] { held.release(); }).join();
}

TEST_CASE(
    "session_service: who has a turn and is cancelled waiting to be in flight passes it on",
    "[async][service]"
)
{
    const auto type = any_cancellation();
    ManualService sessions(unlimited().max_in_flight(1));
    const auto id = sessions.establish();
    auto other = sessions.acquire(sessions.establish());
    auto cancelled = begin(sessions, id);
    auto next = begin(sessions, id);
    cancelled.cancel(type);
    CHECK(cancelled.get().error().code() == asio::error::operation_aborted);
    CHECK(leases_of(sessions, id) == 1);
    CHECK(next.is_waiting());
    other.release();
    auto lease = next.get().value();
    CHECK(begin(sessions, id, 0s).get().error() == errc::timed_out);
    lease.release();
    CHECK(sessions.metrics().leased == 0);
}

TEST_CASE(
    "session_service: the limit of an exclusive lease is one for turn and permit",
    "[async][service]"
)
{
    ManualService sessions(plain_options().max_in_flight(1).max_request_wait(10s));
    const auto id = sessions.establish();
    const auto other = sessions.establish();
    auto before = sessions.run(sessions.service.acquire_exclusive(id, 1s)).value();
    auto next = sessions.service.async_acquire(other, asio::use_future);
    auto waiting = sessions.service.async_acquire_exclusive(id, 1s, asio::use_future);
    sessions.settle();
    sessions.pass(400ms);
    // The turn is his, and the permit is another's who has waited for longer.
    before.release();
    sessions.settle();
    const auto lease = next.get();
    CHECK(lease.has_value());
    sessions.pass(600ms - 1ns);
    CHECK(waiting.wait_for(0s) != std::future_status::ready);
    sessions.pass(1ns);
    REQUIRE(waiting.wait_for(0s) == std::future_status::ready);
    CHECK(waiting.get().error() == errc::timed_out);
}

// How many requests may be in flight at once, and what becomes of the others.

#include "service/manual_service.hpp"
#include "support/completion_probe.hpp"
#include "support/face.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstddef>
#include <future>
#include <optional>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

using Acquired = std::future<Result<SessionLease>>;

ServiceOptions bounded(std::size_t most)
{
    return plain_options().max_in_flight(most).request_rate(RateLimit::unlimited());
}

/// Begins a request, which may have to wait.
Acquired begin(ManualService& sessions, Face face, const SessionId& id)
{
    auto acquired =
        face == Face::coroutine
            ? asio::co_spawn(sessions.context, sessions.service.acquire(id), asio::use_future)
            : sessions.service.async_acquire(id, asio::use_future);
    sessions.settle();
    return acquired;
}

bool is_waiting(const Acquired& acquired)
{
    return acquired.wait_for(0s) != std::future_status::ready;
}

} // namespace

TEST_CASE("session_service in flight: requests wait in line for each other", "[async][service]")
{
    const auto face = any_face();
    const auto options = bounded(2).shards(GENERATE(1U, 16U));
    ManualService sessions(options);
    const auto id = sessions.add();
    auto first = begin(sessions, face, id).get().value();
    auto second = begin(sessions, face, id).get().value();
    auto third = begin(sessions, face, id);
    auto fourth = begin(sessions, face, sessions.add());
    CHECK(is_waiting(third));
    CHECK(is_waiting(fourth));
    second.release();
    sessions.settle();
    REQUIRE_FALSE(is_waiting(third));
    CHECK(is_waiting(fourth));
    // Whoever ends by being overwritten or destroyed gives way as well.
    first = third.get().value();
    sessions.settle();
    REQUIRE_FALSE(is_waiting(fourth));
    CHECK(fourth.get().has_value());
    CHECK(sessions.metrics().requests_shed == 0);
}

TEST_CASE("session_service in flight: a line that is full sheds", "[async][service]")
{
    const auto face = any_face();
    ManualService sessions(bounded(1).max_waiting_requests(1));
    const auto id = sessions.add();
    auto lease = begin(sessions, face, id).get().value();
    auto waits = begin(sessions, face, id);
    const auto shed = begin(sessions, face, id).get();
    CHECK(shed.error() == errc::overloaded);
    CHECK(shed.error().retry_after() > Duration::zero());
    CHECK(sessions.metrics().requests_shed == 1);
    // It left nothing behind: two requests pin the session, one of which waits.
    CHECK(sessions.run(sessions.service.peek(id))->leases == 2);
    lease.release();
    sessions.settle();
    CHECK(waits.get().has_value());
}

TEST_CASE("session_service in flight: who has waited too long is shed", "[async][service]")
{
    const auto face = any_face();
    ManualService sessions(bounded(1).max_request_wait(5s));
    const auto id = sessions.add();
    const auto lease = begin(sessions, face, id).get().value();
    auto waits = begin(sessions, face, id);
    sessions.pass(5s - 1ns);
    CHECK(is_waiting(waits));
    sessions.pass(1ns);
    REQUIRE_FALSE(is_waiting(waits));
    const auto shed = waits.get();
    CHECK(shed.error() == errc::overloaded);
    CHECK(shed.error().retry_after() == 5s);
    CHECK(sessions.run(sessions.service.peek(id))->leases == 1);
}

TEST_CASE("session_service in flight: only a request that may be served waits", "[async][service]")
{
    const auto face = any_face();
    ManualService sessions(plain_options().max_in_flight(1).request_rate(RateLimit(1, 2)));
    const auto id = sessions.add();
    const auto lease = begin(sessions, face, id).get().value();
    const auto stranger = SessionId::parse("nobody").value();
    CHECK(begin(sessions, face, stranger).get().error() == errc::not_found);
    auto waits = begin(sessions, face, id);
    CHECK(is_waiting(waits));
    CHECK(begin(sessions, face, id).get().error() == errc::rate_limited);
}

TEST_CASE("session_service in flight: a wait that is cancelled takes nothing", "[async][service]")
{
    const auto type = GENERATE(
        asio::cancellation_type::terminal,
        asio::cancellation_type::partial,
        asio::cancellation_type::total
    );
    ManualService sessions(bounded(1));
    const auto id = sessions.add();
    auto lease = sessions.acquire(id);
    asio::cancellation_signal signal;
    std::optional<Result<SessionLease>> outcome;
    // A coroutine that asks for no more is cancelled by `terminal` alone.
    const auto request = [&]() -> asio::awaitable<void> {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        outcome = co_await sessions.service.acquire(id);
    };
    auto done = asio::co_spawn(
        sessions.context, request, asio::bind_cancellation_slot(signal.slot(), asio::use_future)
    );
    sessions.settle();
    REQUIRE_FALSE(outcome.has_value());
    signal.emit(type);
    sessions.settle();
    REQUIRE(outcome.has_value());
    CHECK(outcome->error().code() == asio::error::operation_aborted);
    CHECK(sessions.run(sessions.service.peek(id))->leases == 1);
    lease.release();
    CHECK(sessions.run(sessions.service.acquire(id)).has_value());
}

TEST_CASE(
    "session_service in flight: a session that is removed while one waits", "[async][service]"
)
{
    const auto face = any_face();
    ManualService sessions(bounded(1));
    const auto id = sessions.add();
    auto lease = begin(sessions, face, id).get().value();
    auto waits = begin(sessions, face, id);
    CHECK(sessions.run(sessions.service.remove(id)).has_value());
    lease.release();
    sessions.settle();
    // It was pinned before, as any other lease.
    CHECK(waits.get().has_value());
    sessions.settle();
    CHECK(sessions.metrics().live == 0);
}

TEST_CASE("session_service in flight: leases outlive service and context", "[async][service]")
{
    const auto face = any_face();
    std::optional<ManualService> sessions(std::in_place, bounded(1));
    const auto id = sessions->add();
    auto lease = begin(*sessions, face, id).get().value();
    auto waits = begin(*sessions, face, id);
    sessions.reset();
    lease.release();
    CHECK_FALSE(lease);
}

TEST_CASE("session_service in flight: one session has so many and no more", "[async][service]")
{
    const auto face = any_face();
    const auto options = plain_options()
                             .max_in_flight_per_session(3)
                             .request_rate(RateLimit(1, 4))
                             .shards(GENERATE(1U, 16U));
    ManualService sessions(options);
    // The lease of its creation is one.
    auto created = sessions.create();
    auto second = begin(sessions, face, created.id).get().value();
    auto third = begin(sessions, face, created.id).get().value();
    for (int i = 0; i < 10; ++i) {
        const auto refused = begin(sessions, face, created.id).get();
        REQUIRE(refused.error() == errc::overloaded);
        REQUIRE(refused.error().retry_after() > Duration::zero());
    }
    CHECK(sessions.metrics().refused_busy == 10);
    CHECK(sessions.metrics().requests_shed == 0);
    CHECK(sessions.run(sessions.service.peek(created.id))->leases == 3);
    CHECK(sessions.run(sessions.service.peek(created.id))->requests == 2);
    // No other session is concerned, and what was refused has cost no rate.
    CHECK(begin(sessions, face, sessions.add()).get().has_value());
    created.lease.release();
    CHECK(begin(sessions, face, created.id).get().has_value());
    second.release();
    CHECK(begin(sessions, face, created.id).get().has_value());
    CHECK(begin(sessions, face, created.id).get().error() == errc::rate_limited);
}

TEST_CASE(
    "session_service in flight: those who wait are in flight in their session", "[async][service]"
)
{
    const auto face = any_face();
    ManualService sessions(bounded(1).max_in_flight_per_session(3));
    const auto id = sessions.add();
    auto lease = begin(sessions, face, id).get().value();
    auto waits = begin(sessions, face, id);
    auto for_a_turn = sessions.service.async_acquire_exclusive(id, 1h, asio::use_future);
    sessions.settle();
    CHECK(begin(sessions, face, id).get().error() == errc::overloaded);
    CHECK(sessions.metrics().refused_busy == 1);
    lease.release();
    sessions.settle();
    CHECK(waits.get().has_value());
    sessions.settle();
    CHECK(for_a_turn.get().has_value());
}

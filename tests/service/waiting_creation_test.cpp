// New sessions that wait for room, where that is the policy.

#include "service/manual_service.hpp"
#include "support/completion_probe.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

using Waiting = std::future<Result<CreatedSession>>;

/// With room for two sessions.
struct Inn {
    explicit Inn(const ServiceOptions& options = plain_options())
        : sessions(ServiceOptions(options).max_sessions(2).when_full(WhenFull::wait))
    {
        first = sessions.establish();
        second = sessions.establish();
    }

    Waiting knock(CreateOptions options = CreateOptions())
    {
        auto waiting = sessions.service.async_create(std::move(options), asio::use_future);
        sessions.settle();
        return waiting;
    }

    void remove(const SessionId& id)
    {
        REQUIRE(sessions.run(sessions.service.remove(id)).has_value());
        sessions.settle();
    }

    ManualService sessions;
    SessionId first;
    SessionId second;
};

bool is_done(const Waiting& waiting)
{
    return waiting.wait_for(0s) == std::future_status::ready;
}

} // namespace

TEST_CASE(
    "session_service waiting creation: it gets the room that others leave", "[async][service]"
)
{
    Inn inn(plain_options().shards(GENERATE(1U, 2U)));
    auto third = inn.knock();
    auto fourth = inn.knock();
    CHECK_FALSE(is_done(third));
    inn.remove(inn.first);
    REQUIRE(is_done(third));
    CHECK_FALSE(is_done(fourth));
    auto created = third.get();
    REQUIRE(created.has_value());
    CHECK(inn.sessions.knows(created->id));
    CHECK(inn.sessions.knows(inn.second));
    // A leased one leaves its room with its lease.
    inn.remove(created->id);
    CHECK_FALSE(is_done(fourth));
    created->lease.release();
    inn.sessions.settle();
    REQUIRE(is_done(fourth));
    CHECK(fourth.get().has_value());
    CHECK(inn.sessions.metrics().refused_overloaded == 0);
    CHECK(inn.sessions.metrics().removed_by(RemovalCause::evicted) == 0);
}

TEST_CASE("session_service waiting creation: it gets the room of who expires", "[async][service]")
{
    Inn inn(plain_options().max_creation_wait(1h));
    auto third = inn.knock();
    inn.sessions.pass(30min - 1ns);
    CHECK_FALSE(is_done(third));
    inn.sessions.pass(1ns);
    REQUIRE(is_done(third));
    CHECK(third.get().has_value());
}

TEST_CASE("session_service waiting creation: first come, first served", "[async][service]")
{
    Inn inn;
    std::vector<Waiting> line;
    for (int i = 0; i < 5; ++i) {
        line.push_back(inn.knock());
    }
    std::vector<SessionId> guests{inn.first, inn.second};
    for (std::size_t i = 0; i < line.size(); ++i) {
        CAPTURE(i);
        CHECK_FALSE(is_done(line[i]));
        inn.remove(guests[i]);
        REQUIRE(is_done(line[i]));
        guests.push_back(line[i].get().value().id);
        inn.sessions.settle();
        CHECK((i + 1 == line.size() || !is_done(line[i + 1])));
    }
}

TEST_CASE(
    "session_service waiting creation: it does not wait for longer than it may", "[async][service]"
)
{
    Inn inn(plain_options().max_creation_wait(10s));
    auto head = inn.knock();
    inn.sessions.pass(4s);
    auto next = inn.knock();
    inn.sessions.pass(6s - 1ns);
    CHECK_FALSE(is_done(head));
    inn.sessions.pass(1ns);
    REQUIRE(is_done(head));
    CHECK(head.get().error() == Error(errc::overloaded, 10s));
    CHECK_FALSE(is_done(next));
    inn.sessions.pass(4s);
    REQUIRE(is_done(next));
    CHECK(next.get().error() == Error(errc::overloaded, 10s));
    CHECK(inn.sessions.metrics().refused_overloaded == 2);
    // Nobody blocks the line.
    inn.remove(inn.first);
    CHECK(inn.sessions.run(inn.sessions.service.create()).has_value());
}

TEST_CASE("session_service waiting creation: no more wait than may", "[async][service]")
{
    Inn inn(plain_options().max_waiting_creations(1));
    auto head = inn.knock();
    auto next = inn.knock();
    const auto refused = inn.knock().get();
    CHECK(refused.error() == errc::overloaded);
    CHECK(refused.error().retry_after() > 0s);
    CHECK(inn.sessions.metrics().refused_overloaded == 1);
    CHECK_FALSE(is_done(head));
    CHECK_FALSE(is_done(next));
}

TEST_CASE(
    "session_service waiting creation: a principal waits for a place of its own", "[async][service]"
)
{
    ManualService sessions(
        plain_options().max_sessions(10).max_sessions_per_principal(1).when_full(WhenFull::wait)
    );
    const auto first = sessions.add(CreateOptions().principal("ada"));
    auto second = sessions.service.async_create(CreateOptions().principal("ada"), asio::use_future);
    sessions.settle();
    CHECK_FALSE(is_done(second));
    CHECK(sessions.run(sessions.service.remove(first)).has_value());
    sessions.settle();
    REQUIRE(is_done(second));
    CHECK(second.get().has_value());
}

TEST_CASE("session_service waiting creation: a cancelled one leaves the line", "[async][service]")
{
    const auto type = GENERATE(
        asio::cancellation_type::terminal,
        asio::cancellation_type::partial,
        asio::cancellation_type::total
    );
    Inn inn;
    std::vector<Result<CreatedSession>> results;
    const auto wait = [&]() -> asio::awaitable<void> {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        co_await asio::this_coro::throw_if_cancelled(false);
        auto result = co_await inn.sessions.service.create();
        results.push_back(std::move(result));
    };
    asio::cancellation_signal cancel;
    bool has_ended = false;
    asio::co_spawn(
        inn.sessions.context,
        wait,
        asio::bind_cancellation_slot(
            cancel.slot(), [&](const std::exception_ptr&) { has_ended = true; }
        )
    );
    inn.sessions.settle();
    auto next = inn.knock();
    cancel.emit(type);
    inn.sessions.settle();
    CHECK(has_ended);
    REQUIRE(results.size() <= 1);
    CHECK((results.empty() || results.front().error().code() == asio::error::operation_aborted));
    CHECK_FALSE(is_done(next));
    inn.remove(inn.first);
    REQUIRE(is_done(next));
    CHECK(next.get().has_value());
    CHECK(inn.sessions.metrics().live == 2);
}

TEST_CASE(
    "session_service waiting creation: what else is wrong is said at once", "[async][service]"
)
{
    Inn inn;
    CHECK(inn.knock(CreateOptions().idle_timeout(0s)).get().error() == errc::invalid_options);
    CHECK(inn.knock(CreateOptions().adopt(inn.first)).get().error() == errc::id_in_use);
}

// New sessions that wait for room, where that is the policy.

#include "service/manual_service.hpp"
#include "support/context_threads.hpp"
#include "support/poll_until.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <random>
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
    "session_service waiting creation: who has too many himself is refused at once, and blocks "
    "nobody",
    "[async][service]"
)
{
    ManualService sessions(plain_options()
                               .max_sessions(10)
                               .max_sessions_per_principal(1)
                               .shards(GENERATE(1U, 3U))
                               .when_full(WhenFull::wait));
    const auto first = sessions.create(CreateOptions().principal("ada"));
    const auto second = sessions.run(sessions.service.create(CreateOptions().principal("ada")));
    CHECK(second.error() == errc::overloaded);
    CHECK(second.error().retry_after() > 0s);
    CHECK(sessions.metrics().refused_overloaded == 1);
    CHECK(sessions.run(sessions.service.create(CreateOptions().principal("eve"))).has_value());
}

TEST_CASE(
    "session_service waiting creation: who waits for a half-open place keeps no user waiting",
    "[async][service]"
)
{
    ManualService sessions(
        plain_options().max_half_open(1).max_sessions(10).when_full(WhenFull::wait)
    );
    const auto id = sessions.add();
    auto anonymous = sessions.service.async_create(CreateOptions(), asio::use_future);
    sessions.settle();
    CHECK_FALSE(is_done(anonymous));
    CHECK(sessions.run(sessions.service.create(CreateOptions().principal("ada"))).has_value());
    // The client comes back, and its place is free.
    sessions.acquire(id).release();
    sessions.settle();
    REQUIRE(is_done(anonymous));
    CHECK(anonymous.get().has_value());
}

TEST_CASE(
    "session_service waiting creation: it ends with the service, whenever that goes",
    "[async][service][lifetime]"
)
{
    // Also between an attempt and the wait: a coroutine is suspended once in so many calls.
    for (int calls = 0; calls < 600; calls += calls > 480 && calls < 530 ? 1 : 20) {
        CAPTURE(calls);
        asio::io_context context;
        const auto clock = std::make_shared<testing::ManualClock>();
        auto service = std::make_unique<SessionService>(
            context.get_executor(),
            plain_options().max_sessions(1).when_full(WhenFull::wait).max_creation_wait(1h),
            ServiceEnvironment().clock(clock)
        );
        const auto created = run_coro(context, service->create()).value();
        bool has_begun = false;
        std::optional<Error> error;
        const auto wait = [&]() -> asio::awaitable<void> {
            for (int i = 0; i < calls; ++i) {
                (void)co_await service->peek(created.id);
            }
            has_begun = true;
            auto result = co_await service->create();
            error = result.error();
        };
        asio::co_spawn(context, wait, [](const std::exception_ptr&) {});
        poll_until(context, [&] { return has_begun; });
        REQUIRE_FALSE(error.has_value());
        service.reset();
        run_ready(context);
        REQUIRE(error.has_value());
        CHECK(*error == errc::stopping);
    }
}

TEST_CASE("session_service waiting creation: a drain refuses and counts all", "[async][service]")
{
    ManualService sessions(
        plain_options().max_sessions(1).when_full(WhenFull::wait).max_creation_wait(10s)
    );
    auto created = sessions.create();
    auto head = sessions.service.async_create(CreateOptions(), asio::use_future);
    sessions.settle();
    auto next = sessions.service.async_create(CreateOptions(), asio::use_future);
    sessions.settle();
    auto drained = sessions.service.async_drain(1s, asio::use_future);
    sessions.settle();
    REQUIRE(is_done(head));
    REQUIRE(is_done(next));
    CHECK(head.get().error() == errc::stopping);
    CHECK(next.get().error() == errc::stopping);
    CHECK(sessions.metrics().creations_refused_stopping == 2);
    created.lease.release();
    sessions.settle();
    CHECK(drained.get()->is_clean());
}

TEST_CASE("session_service waiting creation: a rotation leaves room too", "[async][service]")
{
    ManualService sessions(plain_options().max_sessions(10).max_sessions_per_principal(1));
    const auto id = sessions.add(CreateOptions().principal("ada"));
    CHECK(sessions.run(sessions.service.rotate(id, RotateOptions().principal("bob"))).has_value());
    CHECK(sessions.run(sessions.service.create(CreateOptions().principal("ada"))).has_value());
}

TEST_CASE(
    "session_service waiting creation: many threads lose no place", "[async][service][stress]"
)
{
    asio::io_context context;
    ContextThreads threads(context, 3);
    SessionService service(
        context.get_executor(),
        plain_options()
            .shards(GENERATE(1U, 4U))
            .max_sessions(16)
            .max_half_open(12)
            .max_sessions_per_principal(3)
            .max_total_attribute_bytes(100'000)
            .when_full(WhenFull::wait)
            .max_creation_wait(5s)
    );
    const auto visit = [&service](unsigned seed) -> asio::awaitable<int> {
        std::mt19937 random(seed);
        int made = 0;
        for (int i = 0; i < 40; ++i) {
            auto options = CreateOptions();
            if (random() % 2 == 0) {
                options.principal("user " + std::to_string(random() % 8));
            }
            options.attributes({{"a", std::string(random() % 9'000, 'x')}});
            auto created = co_await service.create(std::move(options));
            if (!created) {
                continue;
            }
            ++made;
            created->lease.release();
            (void)co_await service.remove(created->id);
        }
        co_return made;
    };
    std::vector<std::future<int>> visits;
    for (unsigned seed = 0; seed < 24; ++seed) {
        visits.push_back(asio::co_spawn(context, visit(seed), asio::use_future));
    }
    int made = 0;
    for (auto& one : visits) {
        REQUIRE(one.wait_for(default_limit) == std::future_status::ready);
        made += one.get();
    }
    CHECK(made > 24 * 20);
    // All that there was is there.
    std::vector<CreatedSession> all;
    for (int i = 0; i < 16; ++i) {
        auto created = service.async_create(
            CreateOptions().principal("last " + std::to_string(i)), asio::use_future
        );
        REQUIRE(created.wait_for(default_limit) == std::future_status::ready);
        all.push_back(created.get().value());
    }
    auto metrics = service.async_metrics(asio::use_future);
    REQUIRE(metrics.wait_for(default_limit) == std::future_status::ready);
    CHECK(metrics.get()->ledger_holds());
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
    "session_service waiting creation: a handler's wait is cancelled too, by any type",
    "[async][service]"
)
{
    const auto type = GENERATE(
        asio::cancellation_type::terminal,
        asio::cancellation_type::partial,
        asio::cancellation_type::total
    );
    Inn inn;
    asio::cancellation_signal cancel;
    std::optional<Error> error;
    inn.sessions.service.async_create(
        CreateOptions(),
        asio::bind_cancellation_slot(
            cancel.slot(),
            [&](const Result<CreatedSession>& created) {
                REQUIRE_FALSE(error.has_value());
                error = created.error();
            }
        )
    );
    inn.sessions.settle();
    auto next = inn.knock();
    cancel.emit(type);
    // Not inside the call that cancels.
    CHECK_FALSE(error.has_value());
    inn.sessions.settle();
    REQUIRE(error.has_value());
    CHECK(error->code() == asio::error::operation_aborted);
    cancel.emit(type);
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

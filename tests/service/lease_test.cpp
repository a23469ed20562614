#include "service/manual_service.hpp"
#include "service/removal_log.hpp"
#include "support/allocations.hpp"
#include "support/context_threads.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<SessionLease>);
static_assert(!std::is_copy_assignable_v<SessionLease>);
static_assert(std::is_nothrow_move_constructible_v<SessionLease>);
static_assert(std::is_nothrow_move_assignable_v<SessionLease>);
static_assert(noexcept(std::declval<SessionLease&>().release()));

TEST_CASE("session_service: a leased session is not evicted", "[async][service]")
{
    auto options = plain_options().max_sessions(3);
    ManualService sessions(options);
    const auto id = sessions.establish();
    const auto lease = sessions.acquire(id);
    for (int i = 0; i < 20; ++i) {
        REQUIRE(sessions.run(sessions.service.create()).has_value());
    }
    CHECK(sessions.knows(id));
}

TEST_CASE("session_service: a release allocates nothing", "[async][service]")
{
    ManualService sessions;
    const auto id = sessions.establish();
    auto lease = sessions.acquire(id);
    const auto before = allocations_made();
    lease.release();
    CHECK(allocations_made() == before);
}

TEST_CASE("session_service: the last release ends a session without memory", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    const auto id = sessions.establish();
    auto lease = sessions.acquire(id);
    CHECK(sessions.run(sessions.service.remove(id)).has_value());
    CHECK(sessions.metrics().closing == 1);
    {
        const FailingNew failing(1, FailingNew::Repeat::yes);
        lease.release();
    }
    CHECK(sessions.metrics().live == 0);
    sessions.settle();
    CHECK(log->count(RemovalCause::deleted) == 1);
}

TEST_CASE("session_service: a leased session does not expire for idleness", "[async][service]")
{
    ManualService sessions;
    const auto id = sessions.establish();
    auto lease = sessions.acquire(id);
    for (int i = 0; i < 10; ++i) {
        sessions.pass(40min);
        REQUIRE(sessions.knows(id));
    }
    // Its idle time begins when the lease is given back.
    sessions.clock->advance(5min);
    lease.release();
    sessions.pass(30min - 1ns);
    CHECK(sessions.knows(id));
    sessions.pass(1ns);
    CHECK_FALSE(sessions.knows(id));
    CHECK(sessions.metrics().removed_by(RemovalCause::expired_idle) == 1);
}

TEST_CASE(
    "session_service: the idle time begins at the release, however late that is noticed",
    "[async][service]"
)
{
    ManualService sessions;
    const auto id = sessions.establish();
    auto first = sessions.acquire(id);
    auto second = sessions.acquire(id);
    sessions.clock->advance(10min);
    first.release();
    sessions.clock->advance(10min);
    second.release();
    // No turn for a while: nothing has settled the releases yet.
    sessions.clock->advance(10min);
    CHECK(sessions.run(sessions.service.peek(id)).value().expires_in == 20min);
}

TEST_CASE("session_service: a leased session ends with its lifetime", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    auto created = sessions.create(CreateOptions().absolute_lifetime(1h).idle_timeout(50min));
    sessions.pass(1h);
    CHECK_FALSE(sessions.knows(created.id));
    CHECK(sessions.metrics().closing == 1);
    CHECK(log->size() == 0);
    created.lease.release();
    sessions.settle();
    REQUIRE(log->size() == 1);
    CHECK(log->all()[0].cause == RemovalCause::expired_lifetime);
}

TEST_CASE(
    "session_service: a session removed while leased ends with its last lease", "[async][service]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    const auto id = sessions.establish();
    auto first = sessions.acquire(id);
    auto second = sessions.acquire(id);
    REQUIRE(sessions.run(sessions.service.remove(id)).has_value());

    CHECK(sessions.run(sessions.service.acquire(id)).error() == errc::not_found);
    CHECK(sessions.run(sessions.service.remove(id)).error() == errc::not_found);
    CHECK(sessions.metrics().closing == 1);
    CHECK(sessions.metrics().live == 1);
    first.release();
    sessions.settle();
    CHECK(log->size() == 0);

    // No other call comes: the release itself sees to it that the listener is told.
    second.release();
    sessions.settle();
    REQUIRE(log->size() == 1);
    CHECK(log->all()[0].cause == RemovalCause::deleted);
    CHECK(sessions.metrics().live == 0);
    CHECK(sessions.metrics().closing == 0);
}

TEST_CASE(
    "session_service: a removed session's id is free while the old lease is held",
    "[async][service]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    const auto id = SessionId::parse("adopted").value();
    auto old = sessions.create(CreateOptions().adopt(id));
    REQUIRE(sessions.run(sessions.service.remove(id)).has_value());
    auto fresh = sessions.create(CreateOptions().adopt(id));
    CHECK(old.lease.info().reference != fresh.lease.info().reference);
    old.lease.release();
    sessions.settle();
    CHECK(log->count(old.lease.info().reference) == 1);
    CHECK(log->size() == 1);
    CHECK(sessions.acquire(id).info().reference == fresh.lease.info().reference);
}

TEST_CASE("session_service: a closing session counts against the capacity", "[async][service]")
{
    auto options = plain_options().max_sessions(1);
    ManualService sessions(options);
    auto created = sessions.create();
    REQUIRE(sessions.run(sessions.service.remove(created.id)).has_value());
    CHECK(sessions.run(sessions.service.create()).error() == errc::overloaded);
    created.lease.release();
    CHECK(sessions.run(sessions.service.create()).has_value());
}

TEST_CASE(
    "session_service: a lease is given back once, from whichever object holds it",
    "[async][service]"
)
{
    ManualService sessions;
    const auto id = sessions.establish();
    const auto leased = [&] { return sessions.run(sessions.service.peek(id)).value().leases; };

    auto lease = sessions.acquire(id);
    auto other = std::move(lease);
    CHECK_FALSE(lease); // NOLINT(bugprone-use-after-move): that is the question
    lease.release();
    CHECK(leased() == 1);
    other.release();
    CHECK(leased() == 0);
    CHECK_FALSE(other);
    other.release();
    CHECK(leased() == 0);
    CHECK(other.info().requests == 2);

    auto a = sessions.acquire(id);
    auto b = sessions.acquire(id);
    CHECK(leased() == 2);
    a = std::move(b);
    CHECK(leased() == 1);
    auto& self = a;
    a = std::move(self);
    CHECK(a);
    CHECK(leased() == 1);
    a = SessionLease();
    CHECK(leased() == 0);
    SessionLease().release();
}

TEST_CASE("session_service: leases can be given back from many threads at once", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().request_rate(RateLimit::unlimited());
    ManualService sessions(options, listening(log));
    for (int round = 0; round < 20; ++round) {
        const auto id = sessions.establish();
        std::vector<std::vector<SessionLease>> shares(3);
        for (auto& share : shares) {
            for (int i = 0; i < 10; ++i) {
                share.push_back(sessions.acquire(id));
            }
        }
        const bool is_removed = round % 2 == 0;
        if (is_removed) {
            REQUIRE(sessions.run(sessions.service.remove(id)).has_value());
        }
        {
            const ContextThreads background(sessions.context, 1);
            std::vector<std::thread> threads;
            for (auto& share : shares) {
                threads.emplace_back([&share] { share.clear(); });
            }
            for (auto& thread : threads) {
                thread.join();
            }
            if (is_removed) {
                poll_until([&] { return log->size() == static_cast<std::size_t>(round / 2 + 1); });
            }
        }
        sessions.context.restart();
        CHECK(sessions.metrics().leased == 0);
        CHECK(sessions.knows(id) != is_removed);
    }
    CHECK(log->is_unique());
}

namespace {

asio::awaitable<void> hold_for_an_hour(SessionService& service, SessionId id, int& holding)
{
    const auto lease = co_await service.acquire(id);
    ++holding;
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(asio::use_awaitable);
    --holding;
}

} // namespace

TEST_CASE(
    "session_service: a lease may die with a frame that its context destroys", "[async][service]"
)
{
    for (const bool is_removed : {false, true}) {
        for (const bool service_goes_first : {false, true}) {
            const auto log = std::make_shared<RemovalLog>();
            auto context = std::make_unique<asio::io_context>();
            auto service = std::make_unique<SessionService>(
                context->get_executor(), plain_options(), listening(log)
            );
            const auto id = run_coro(*context, service->create()).value().id;
            int holding = 0;
            for (int i = 0; i < 3; ++i) {
                (void)spawn_coro(context->get_executor(), hold_for_an_hour(*service, id, holding));
            }
            poll_until(*context, [&] { return holding == 3; });
            if (is_removed) {
                REQUIRE(run_coro(*context, service->remove(id)).has_value());
            }
            if (service_goes_first) {
                service.reset();
            }
            context.reset();
            service.reset();
            CHECK(holding == 3);
            CHECK(log->size() == 0);
        }
    }
}

TEST_CASE(
    "session_service: a lease may outlive the service, the context and the clock",
    "[async][service]"
)
{
    for (const bool is_removed : {false, true}) {
        SessionLease survivor;
        std::optional<SessionReference> reference;
        {
            const auto log = std::make_shared<RemovalLog>();
            ManualService sessions(plain_options(), listening(log));
            auto created =
                sessions.create(CreateOptions().principal("alice").attributes({{"k", "v"}}));
            reference = created.lease.info().reference;
            if (is_removed) {
                REQUIRE(sessions.run(sessions.service.remove(created.id)).has_value());
            }
            survivor = std::move(created.lease);
        }
        REQUIRE(survivor);
        CHECK(survivor.info().reference == reference);
        CHECK(survivor.info().principal_text() == "alice");
        CHECK(survivor.info().attributes.data.get("k") == "v");
        std::thread([&] { survivor.release(); }).join();
        CHECK_FALSE(survivor);
    }
}

TEST_CASE(
    "session_service: a lease may be given back between the ends of service and context",
    "[async][service]"
)
{
    asio::io_context context;
    const auto log = std::make_shared<RemovalLog>();
    auto service =
        std::make_unique<SessionService>(context.get_executor(), plain_options(), listening(log));
    auto created = run_coro(context, service->create()).value();
    auto other = run_coro(context, service->create()).value();
    REQUIRE(run_coro(context, service->remove(created.id)).has_value());
    service.reset();
    created.lease.release();
    other.lease.release();
    // The background has ended with the service, so this returns; and nobody is told any more.
    context.restart();
    context.run_for(default_limit);
    CHECK(context.stopped());
    CHECK(log->size() == 0);
}

#include "service/manual_service.hpp"
#include "service/removal_log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

TEST_CASE(
    "session_service: a listener is told of each end once, with its cause", "[async][service]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().max_sessions(4);
    ManualService sessions(options, listening(log));
    const auto reference_of = [&](const SessionId& id) {
        return sessions.run(sessions.service.peek(id)).value().reference;
    };

    const auto deleted =
        sessions.establish(CreateOptions().principal("alice").attributes({{"k", "v"}}));
    const auto deleted_reference = reference_of(deleted);
    (void)sessions.run(sessions.service.remove(deleted));
    sessions.settle();
    REQUIRE(log->size() == 1);
    const auto told = log->all()[0];
    CHECK(told.reference == deleted_reference);
    CHECK(told.cause == RemovalCause::deleted);
    CHECK(*told.principal == "alice");
    CHECK(told.requests == 1);
    CHECK(told.created == sessions.clock->wall());
    CHECK(told.attributes.data.get("k") == "v");
    CHECK(told.attributes.version == 1);

    const auto evicted = reference_of(sessions.establish());
    for (int i = 0; i < 4; ++i) {
        (void)sessions.establish();
    }
    sessions.settle();
    REQUIRE(log->size() == 2);
    CHECK(log->all()[1].reference == evicted);
    CHECK(log->all()[1].cause == RemovalCause::evicted);
    CHECK(log->all()[1].principal == nullptr);

    sessions.pass(30min);
    CHECK(log->count(RemovalCause::expired_idle) == 4);
    const auto aged = reference_of(sessions.add(CreateOptions().absolute_lifetime(1s)));
    sessions.pass(1s);
    CHECK(log->all().back().reference == aged);
    CHECK(log->all().back().cause == RemovalCause::expired_lifetime);

    const auto drained = reference_of(sessions.establish());
    CHECK(sessions.run(sessions.service.drain()).value().is_clean());
    CHECK(log->all().back().reference == drained);
    CHECK(log->all().back().cause == RemovalCause::drained);
    CHECK(log->size() == 8);
    CHECK(log->is_unique());
    CHECK(sessions.metrics().pending_removals == 0);
}

TEST_CASE(
    "session_service: a listener is told in the order in which sessions ended", "[async][service]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    std::vector<SessionReference> ended;
    std::vector<SessionId> ids;
    for (int i = 0; i < 300; ++i) {
        ids.push_back(sessions.establish());
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        // Neither the order of creation nor its reverse.
        const auto& id = ids[(i * 7) % ids.size()];
        ended.push_back(sessions.run(sessions.service.peek(id)).value().reference);
        (void)sessions.run(sessions.service.remove(id));
    }
    sessions.settle();
    std::vector<SessionReference> told;
    for (const auto& removed : log->all()) {
        told.push_back(removed.reference);
    }
    CHECK(told == ended);
}

TEST_CASE("session_service: of many that end at once the first is told first", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    std::vector<SessionReference> created;
    for (int i = 0; i < 300; ++i) {
        sessions.pass(1ms);
        created.push_back(sessions.create().lease.info().reference);
    }
    sessions.pass(1h);
    std::vector<SessionReference> told;
    for (const auto& removed : log->all()) {
        told.push_back(removed.reference);
    }
    CHECK(told == created);
}

TEST_CASE("session_service: a busy shard keeps no other from being told", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().shards(2).cleanup_batch(10'000).max_pending_events(10'000);
    ManualService sessions(options, listening(log));
    for (int i = 0; i < 2000; ++i) {
        (void)sessions.add();
    }
    // A listing goes through the shards one after the other.
    auto second = ListOptions().after(SessionCursor{1, 0});
    const auto page = sessions.run(sessions.service.list(second)).value();
    REQUIRE_FALSE(page.sessions.empty());
    CHECK(sessions.run(sessions.service.cleanup(CleanupScope::all)).value() == 2000);
    sessions.settle();
    REQUIRE(log->size() == 2000);

    const auto told = log->all();
    const auto first_of_second = std::ranges::find_if(told, [&](const RemovedSession& removed) {
        return std::ranges::count(page.sessions, removed.reference, &SessionInfo::reference) > 0;
    });
    CHECK(first_of_second - told.begin() < 500);
}

namespace {

/// What a listener does after it has written down what it was told.
asio::awaitable<void>
fail_on(std::shared_ptr<RemovalLog> log, RemovedSession removed, std::size_t every)
{
    log->add(std::move(removed));
    const auto count = log->size();
    if (count % every != 0) {
        co_return;
    }
    switch (count / every % 3) {
    case 0:
        throw std::runtime_error("a listener that fails");
    case 1:
        throw 42;
    default:
        throw std::exception_ptr();
    }
}

} // namespace

TEST_CASE("session_service: cleanup survives whatever a listener throws", "[async][service]")
{
    for (const std::size_t every : {1U, 2U, 3U, 7U}) {
        INFO("every " << every);
        const auto log = std::make_shared<RemovalLog>();
        std::uint64_t reported = 0;
        bool names_the_listener = true;
        auto environment =
            ServiceEnvironment()
                .on_removed([log, every](RemovedSession removed) {
                    return fail_on(log, std::move(removed), every);
                })
                .on_failure([&](std::string_view where, const std::exception_ptr& what) {
                    ++reported;
                    names_the_listener = names_the_listener && what && where == "removal listener";
                });
        auto options = plain_options().cleanup_batch(5);
        ManualService sessions(options, environment);
        for (int round = 1; round <= 3; ++round) {
            for (int i = 0; i < 50; ++i) {
                (void)sessions.add();
            }
            sessions.pass(60s);
            CHECK(sessions.metrics().live == 0);
            CHECK(sessions.metrics().pending_removals == 0);
            CHECK(log->size() == static_cast<std::size_t>(50 * round));
        }
        CHECK(log->is_unique());
        CHECK(reported == 150 / every);
        CHECK(names_the_listener);
        const auto health = sessions.health();
        CHECK(health.listener_failures == 150 / every);
        CHECK(health.is_ready());
        CHECK(health.events.running);
        CHECK(health.cleanup.running);
    }
}

TEST_CASE(
    "session_service: a listener that throws before it is a coroutine is survived too",
    "[async][service]"
)
{
    int calls = 0;
    auto environment =
        ServiceEnvironment()
            .on_removed([&](const RemovedSession&) -> asio::awaitable<void> {
                ++calls;
                throw std::bad_alloc();
            })
            .on_failure([](std::string_view, const std::exception_ptr&) { throw 1; });
    ManualService sessions(plain_options(), environment);
    for (int i = 0; i < 10; ++i) {
        (void)sessions.add();
    }
    sessions.pass(60s);
    CHECK(calls == 10);
    CHECK(sessions.health().listener_failures == 10);
    CHECK(sessions.metrics().pending_removals == 0);
}

namespace {

/// A listener that does with the service whatever a caller may do.
struct Busybody {
    SessionService* service = nullptr;
    SessionId other;
    std::vector<errc> failures;
    int calls = 0;
    SessionLease kept;

    void note(const Error& error)
    {
        if (error.code()) {
            failures.push_back(static_cast<errc>(error.code().value()));
        }
    }
};

asio::awaitable<void> use_service(std::shared_ptr<Busybody> self, RemovedSession)
{
    auto& service = *self->service;
    if (++self->calls > 5) {
        co_return;
    }
    const auto created = co_await service.create();
    self->note(created.error());
    const auto rotated = co_await service.rotate(self->other);
    self->note(rotated.error());
    self->other = *rotated;
    auto lease = co_await service.acquire(self->other);
    self->note(lease.error());
    self->kept = std::move(*lease);
    // Ends a session from inside the telling of another one's end.
    const auto removed = co_await service.remove(created->id);
    self->note(removed.error());
    const auto metrics = co_await service.metrics();
    self->note(metrics.error());
    const auto cleaned = co_await service.cleanup();
    self->note(cleaned.error());
    const auto listed = co_await service.list();
    self->note(listed.error());
}

} // namespace

TEST_CASE("session_service: a listener may use the service", "[async][service]")
{
    const auto busybody = std::make_shared<Busybody>();
    auto environment = ServiceEnvironment().on_removed([busybody](RemovedSession removed) {
        return use_service(busybody, std::move(removed));
    });
    ManualService sessions(plain_options(), environment);
    busybody->service = &sessions.service;
    busybody->other = sessions.establish();
    (void)sessions.run(sessions.service.remove(sessions.add()));
    sessions.settle();
    CHECK(busybody->failures.empty());
    CHECK(busybody->calls == 6);
    CHECK(sessions.knows(busybody->other));
    CHECK(sessions.metrics().pending_removals == 0);
    busybody->kept.release();
    CHECK(sessions.run(sessions.service.drain()).value().is_clean());
}

namespace {

/// A listener that waits at a gate until the test opens it.
struct SlowListener {
    bool is_open = false;
    int told = 0;
};

asio::awaitable<void> wait_at_gate(std::shared_ptr<SlowListener> listener, RemovedSession)
{
    while (!listener->is_open) {
        co_await asio::post(asio::use_awaitable);
    }
    ++listener->told;
}

ServiceEnvironment slow_environment(const std::shared_ptr<SlowListener>& listener)
{
    return ServiceEnvironment().on_removed([listener](RemovedSession removed) {
        return wait_at_gate(listener, std::move(removed));
    });
}

} // namespace

TEST_CASE(
    "session_service: a slow listener slows admission down, which recovers with it",
    "[async][service]"
)
{
    // Both bounds are for all shards together.
    const auto shards = GENERATE(std::size_t{1}, std::size_t{4});
    CAPTURE(shards);
    const auto listener = std::make_shared<SlowListener>();
    auto options = plain_options().max_sessions(5).max_pending_events(3).shards(shards);
    asio::io_context context;
    const auto clock = std::make_shared<testing::ManualClock>();
    SessionService service(
        context.get_executor(), options, slow_environment(listener).clock(clock)
    );
    const auto create = [&] { return run_coro(context, service.create()); };
    for (int i = 0; i < 8; ++i) {
        REQUIRE(create().has_value());
    }
    for (int i = 0; i < 5; ++i) {
        const auto refused = create();
        REQUIRE(refused.error() == errc::overloaded);
        CHECK(refused.error().retry_after() > Duration::zero());
    }
    const auto before = run_coro(context, service.metrics()).value();
    CHECK(before.ledger_holds());
    CHECK(before.pending_removals == 3);
    CHECK(before.live == 5);
    CHECK(before.refused_overloaded == 5);

    listener->is_open = true;
    poll_until(context, [&] { return listener->told == 3; });
    CHECK(create().has_value());
    poll_until(context, [&] { return listener->told == 4; });
}

TEST_CASE(
    "session_service: what waits for a slow listener is bounded however sessions end",
    "[async][service]"
)
{
    const auto listener = std::make_shared<SlowListener>();
    auto options =
        plain_options().max_sessions(10).max_pending_events(4).listener_timeout(max_duration);
    asio::io_context context;
    const auto clock = std::make_shared<testing::ManualClock>();
    SessionService service(
        context.get_executor(), options, slow_environment(listener).clock(clock)
    );
    int refused = 0;
    for (int i = 0; i < 100; ++i) {
        const auto created = run_coro(context, service.create());
        if (!created) {
            REQUIRE(created.error() == errc::overloaded);
            ++refused;
        } else if (i % 2 == 0) {
            REQUIRE(run_coro(context, service.remove(created->id)).has_value());
        } else {
            clock->advance(60s);
        }
    }
    const auto metrics = run_coro(context, service.metrics()).value();
    CHECK(metrics.ledger_holds());
    CHECK(metrics.live + metrics.pending_removals <= 10 + 4);
    CHECK(refused > 0);

    listener->is_open = true;
    poll_until(context, [&] {
        return listener->told == static_cast<int>(metrics.removed_total());
    });
    CHECK(run_coro(context, service.create()).has_value());
}

TEST_CASE(
    "session_service: a listener runs one at a time, off the strands of the service",
    "[async][service]"
)
{
    // While it stands still in the middle of its work, all operations go on.
    const auto listener = std::make_shared<SlowListener>();
    asio::io_context context;
    const auto clock = std::make_shared<testing::ManualClock>();
    SessionService service(
        context.get_executor(), plain_options(), slow_environment(listener).clock(clock)
    );
    const auto id = run_coro(context, service.create()).value().id;
    for (int i = 0; i < 3; ++i) {
        const auto gone = run_coro(context, service.create()).value().id;
        REQUIRE(run_coro(context, service.remove(gone)).has_value());
    }
    for (int i = 0; i < 50; ++i) {
        context.poll_one();
    }
    CHECK(listener->told == 0);
    CHECK(run_coro(context, service.acquire(id)).has_value());
    CHECK(run_coro(context, service.rotate(id)).has_value());
    CHECK(run_coro(context, service.metrics()).value().pending_removals == 3);
    CHECK(run_coro(context, service.health()).value().is_ready());
    listener->is_open = true;
    poll_until(context, [&] { return listener->told == 3; });
}

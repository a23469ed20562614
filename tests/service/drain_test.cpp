#include "service/manual_service.hpp"
#include "service/removal_log.hpp"
#include "support/completion_probe.hpp"
#include "support/context_threads.hpp"
#include "support/tracking_executor.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstddef>
#include <future>
#include <list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

using Drained = std::future<Result<DrainReport>>;

DrainOptions within(Duration limit, Duration grace)
{
    return DrainOptions().limit(limit).cancel_grace(grace);
}

bool is_ready(const Drained& drained)
{
    return drained.wait_for(0s) == std::future_status::ready;
}

/// Begins a drain and lets it come as far as it does by itself.
Drained begin(ManualService& sessions, const DrainOptions& options = DrainOptions())
{
    auto drained = sessions.service.async_drain(options, asio::use_future);
    sessions.settle();
    return drained;
}

/// The report of a drain that must have come to its end.
DrainReport report_of(Drained& drained)
{
    REQUIRE(is_ready(drained));
    return drained.get().value();
}

/// What a report says of the sessions that there were, and of their events if anybody is told.
void check_sums(const DrainReport& report, std::size_t sessions, std::size_t events)
{
    CHECK(report.finished + report.cancelled == sessions);
    CHECK(report.still_leased <= report.cancelled);
    CHECK(report.events_delivered + report.events_undelivered == events);
}

/// A gate at which a listener waits, and which lets so many through in all.
struct Gate {
    static constexpr int wide_open = 1'000'000;

    int passes = 0;
    int called = 0;
    int told = 0;
};

asio::awaitable<void> wait_at(std::shared_ptr<Gate> gate, RemovedSession)
{
    ++gate->called;
    while (gate->told >= gate->passes) {
        co_await asio::post(asio::use_awaitable);
    }
    ++gate->told;
}

ServiceEnvironment gated(const std::shared_ptr<Gate>& gate)
{
    return ServiceEnvironment().on_removed([gate](RemovedSession removed) {
        return wait_at(gate, std::move(removed));
    });
}

/// Runs so many handlers, where somebody waits actively and so it never gets quiet.
void run_some(asio::io_context& context, int handlers = 400)
{
    for (int i = 0; i < handlers; ++i) {
        context.restart();
        context.poll_one();
    }
}

} // namespace

TEST_CASE("session_service drain: a drained service refuses for good", "[async][service]")
{
    auto options = plain_options().shards(3);
    ManualService sessions(options);
    const auto id = sessions.establish();
    const auto report = sessions.run(sessions.service.drain()).value();
    for (int i = 0; i < 3; ++i) {
        auto& service = sessions.service;
        CHECK(sessions.run(service.create()).error() == errc::stopping);
        CHECK(sessions.run(service.acquire(id)).error() == errc::stopping);
        CHECK(sessions.run(service.acquire(SessionId())).error() == errc::stopping);
        CHECK(sessions.run(service.peek(id)).error() == errc::not_found);
        CHECK(sessions.run(service.touch(id)).error() == errc::not_found);
        CHECK(sessions.run(service.rotate(id)).error() == errc::not_found);
        CHECK(sessions.run(service.remove(id)).error() == errc::not_found);
        CHECK(sessions.run(service.list()).value().sessions.empty());
        CHECK(sessions.run(service.cleanup()).value() == 0);
        CHECK(sessions.run(service.cleanup(CleanupScope::all)).value() == 0);
        // Once it is closed, a drain tells what there was to tell.
        CHECK(sessions.run(service.drain(0s)).value() == report);
        CHECK(service.state() == ServiceState::closed);
        CHECK(sessions.health().state == ServiceState::closed);
    }
    const auto metrics = sessions.metrics();
    CHECK(metrics.live == 0);
    CHECK(metrics.removed_by(RemovalCause::drained) == 1);
    CHECK(metrics.refused_stopping == 6);
    CHECK(metrics.creations_refused_stopping == 3);
}

TEST_CASE("session_service drain: idle sessions end at once, in turns", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    const auto shards = GENERATE(std::size_t{1}, std::size_t{4});
    auto options = plain_options().cleanup_batch(3).shards(shards);
    ManualService sessions(options, listening(log));
    for (int i = 0; i < 50; ++i) {
        (void)sessions.establish();
    }
    const auto report = sessions.run(sessions.service.drain()).value();
    CHECK(report.finished == 50);
    CHECK(report.events_delivered == 50);
    CHECK(report.waiters_refused == 0);
    CHECK(report.is_clean());
    check_sums(report, 50, 50);
    CHECK(log->count(RemovalCause::drained) == 50);
    CHECK(sessions.clock->waiting() == 0);
}

TEST_CASE("session_service drain: what has expired already counts as that", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    (void)sessions.establish();
    (void)sessions.add();
    // No cleanup runs in between.
    sessions.clock->advance(60s);
    const auto report = sessions.run(sessions.service.drain()).value();
    CHECK(report.finished + log->count(RemovalCause::expired_idle) >= 2);
    CHECK(log->count(RemovalCause::expired_idle) == 1);
    CHECK(log->count(RemovalCause::drained) == 1);
}

TEST_CASE(
    "session_service drain: afterwards the context has nothing left to do", "[async][service]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    asio::io_context context;
    SessionService service(context.get_executor(), plain_options(), listening(log));
    auto created = service.async_create(CreateOptions(), asio::use_future);
    context.run_for(50ms);
    CHECK_FALSE(context.stopped());
    created.get().value().lease.release();
    auto drained = service.async_drain(10s, asio::use_future);
    context.restart();
    context.run_for(default_limit);
    CHECK(context.stopped());
    CHECK(drained.get().has_value());
    CHECK(log->count(RemovalCause::drained) == 1);
}

TEST_CASE(
    "session_service drain: states come in order, and readiness goes first", "[async][service]"
)
{
    ManualService sessions;
    auto held = sessions.create();
    CHECK(sessions.service.state() == ServiceState::running);
    CHECK(sessions.health().is_ready());

    auto drained = sessions.service.async_drain(within(5s, 2s), asio::use_future);
    // Nothing has run yet.
    CHECK(sessions.service.state() == ServiceState::draining);
    asio::io_context other;
    const auto health = run_coro(other, sessions.service.health()).value();
    CHECK(health.state == ServiceState::draining);
    CHECK_FALSE(health.is_ready());

    sessions.settle();
    sessions.pass(5s - 1ns);
    CHECK(sessions.service.state() == ServiceState::draining);
    sessions.pass(1ns);
    CHECK(sessions.service.state() == ServiceState::cancelling);
    CHECK_FALSE(sessions.health().is_ready());
    sessions.pass(2s - 1ns);
    CHECK(sessions.service.state() == ServiceState::cancelling);
    sessions.pass(1ns);
    CHECK(sessions.service.state() == ServiceState::closed);
    CHECK(report_of(drained).still_leased == 1);
    // There is no way back.
    (void)begin(sessions, within(1h, 1h));
    CHECK(sessions.service.state() == ServiceState::closed);
    held.lease.release();
    sessions.settle();
    CHECK(sessions.service.state() == ServiceState::closed);
}

namespace {

asio::awaitable<ServiceState> state_once_awaited(SessionService& service)
{
    // Asked by a coroutine that comes next, when the drain is suspended for the first time.
    const auto executor = co_await asio::this_coro::executor;
    auto state = std::make_shared<ServiceState>(ServiceState::running);
    asio::post(executor, [state, &service] { *state = service.state(); });
    (void)co_await service.drain();
    co_return *state;
}

} // namespace

TEST_CASE("session_service drain: awaited, it begins before it is suspended", "[async][service]")
{
    ManualService sessions;
    (void)sessions.add();
    auto drain = sessions.service.drain();
    // A coroutine that nobody awaits has not begun.
    CHECK(sessions.service.state() == ServiceState::running);
    CHECK(sessions.run(state_once_awaited(sessions.service)) >= ServiceState::draining);
    CHECK(sessions.run(std::move(drain)).has_value());
}

TEST_CASE("session_service drain: leased sessions may finish", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().shards(4);
    ManualService sessions(options, listening(log));
    auto first = sessions.create();
    auto second = sessions.create();
    auto drained = begin(sessions, within(30s, 1s));
    CHECK_FALSE(is_ready(drained));
    CHECK(sessions.run(sessions.service.acquire(first.id)).error() == errc::stopping);

    // A request in flight can still do what it is there for.
    CHECK(sessions.knows(first.id));
    const auto change = [](Attributes& data) { data.set("key", "value"); };
    CHECK(sessions.run(sessions.service.modify(first.id, change)).has_value());
    const auto renamed = sessions.run(sessions.service.rotate(first.id));
    REQUIRE(renamed.has_value());
    CHECK(sessions.run(sessions.service.touch(*renamed)).has_value());

    first.lease.release();
    sessions.settle();
    CHECK(log->size() == 1);
    CHECK_FALSE(sessions.knows(*renamed));
    sessions.pass(30s - 1ns);
    CHECK_FALSE(is_ready(drained));
    second.lease.release();
    sessions.settle();
    const auto report = report_of(drained);
    CHECK(report.finished == 2);
    CHECK(report.is_clean());
    check_sums(report, 2, 2);
    CHECK(log->count(RemovalCause::drained) == 2);
    CHECK(sessions.clock->waiting() == 0);
}

TEST_CASE(
    "session_service drain: a session with several leases ends with the last", "[async][service]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    auto created = sessions.create();
    auto other = sessions.acquire(created.id);
    auto drained = begin(sessions);
    created.lease.release();
    sessions.settle();
    CHECK(log->size() == 0);
    CHECK_FALSE(is_ready(drained));
    other.release();
    sessions.settle();
    CHECK(report_of(drained).finished == 1);
}

TEST_CASE("session_service drain: one that is removed meanwhile ends for that", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    auto removed_before = sessions.create();
    auto removed_after = sessions.create();
    auto outlived = sessions.create(CreateOptions().absolute_lifetime(1s));
    CHECK(sessions.run(sessions.service.remove(removed_before.id)).has_value());
    auto drained = begin(sessions);
    CHECK(sessions.run(sessions.service.remove(removed_after.id)).has_value());
    sessions.pass(1s);
    removed_before.lease.release();
    removed_after.lease.release();
    outlived.lease.release();
    sessions.settle();
    const auto report = report_of(drained);
    CHECK(report.is_clean());
    check_sums(report, 3, 3);
    CHECK(log->count(RemovalCause::deleted) == 2);
    CHECK(log->count(RemovalCause::expired_lifetime) == 1);
}

TEST_CASE("session_service drain: at the limit the leased are told to close", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    const auto shards = GENERATE(std::size_t{1}, std::size_t{5});
    auto options = plain_options().shards(shards).cleanup_batch(2);
    ManualService sessions(options, listening(log));
    std::vector<CreatedSession> held;
    for (int i = 0; i < 20; ++i) {
        held.push_back(sessions.create());
        (void)sessions.establish();
    }
    auto drained = begin(sessions, within(5s, 1s));
    CHECK(log->size() == 20);
    for (int i = 0; i < 3; ++i) {
        held.pop_back();
    }
    sessions.settle();
    CHECK(log->size() == 23);
    CHECK(sessions.metrics().closing == 0);

    sessions.pass(5s);
    CHECK(sessions.service.state() == ServiceState::cancelling);
    CHECK(sessions.metrics().closing == 17);
    for (const auto& one : held) {
        CHECK_FALSE(sessions.knows(one.id));
    }
    CHECK_FALSE(is_ready(drained));

    SECTION("and all give back in time")
    {
        held.clear();
        sessions.settle();
        const auto report = report_of(drained);
        CHECK(report.finished == 23);
        CHECK(report.cancelled == 17);
        CHECK(report.still_leased == 0);
        CHECK(report.events_undelivered == 0);
        CHECK_FALSE(report.is_clean());
        check_sums(report, 40, 40);
        CHECK(log->count(RemovalCause::drained) == 40);
    }
    SECTION("and some do not")
    {
        held.resize(12);
        sessions.settle();
        CHECK(log->size() == 28);
        sessions.pass(1s);
        const auto report = report_of(drained);
        CHECK(report.finished == 23);
        CHECK(report.cancelled == 17);
        CHECK(report.still_leased == 12);
        CHECK(report.events_delivered == 28);
        check_sums(report, 40, 28);
        CHECK_FALSE(sessions.health().cleanup.running);
        CHECK_FALSE(sessions.health().events.running);

        // They end with their lease; nobody is there to be told, and the report stays what it was.
        held.clear();
        sessions.settle();
        CHECK(sessions.metrics().live == 0);
        CHECK(sessions.metrics().pending_removals == 12);
        CHECK(log->size() == 28);
        CHECK(sessions.run(sessions.service.drain()).value() == report);
    }
    CHECK(sessions.clock->waiting() == 0);
}

TEST_CASE("session_service drain: with no time at all it says what it left", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    auto held = sessions.create();
    (void)sessions.establish();
    const auto report = sessions.run(sessions.service.drain(within(-1s, -1s))).value();
    CHECK(report.finished == 1);
    CHECK(report.cancelled == 1);
    CHECK(report.still_leased == 1);
    check_sums(report, 2, 1);
    CHECK(sessions.service.state() == ServiceState::closed);
    CHECK(sessions.metrics().closing == 1);
}

TEST_CASE(
    "session_service drain: past the limit, listeners still have the grace", "[async][service]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    (void)sessions.establish();
    auto drained = begin(sessions, within(0s, 1s));
    const auto report = report_of(drained);
    CHECK(report.events_delivered == 1);
    CHECK(report.is_clean());
    CHECK(log->size() == 1);
}

TEST_CASE(
    "session_service drain: of an empty service, with any limit, it succeeds at once",
    "[async][service]"
)
{
    for (const Duration limit :
         {Duration::min(), Duration(-1s), Duration(0s), Duration(1s), Duration::max()}) {
        ManualService sessions;
        CHECK(sessions.run(sessions.service.drain(limit)).value() == DrainReport());
        CHECK(sessions.run(sessions.service.drain(within(limit, limit))).value().is_clean());
    }
}

TEST_CASE(
    "session_service drain: requests that wait in line are refused at once", "[async][service]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().max_in_flight(2).request_rate(RateLimit::unlimited());
    ManualService sessions(options, listening(log));
    const auto id = sessions.add();
    const auto idle = sessions.add();
    auto first = sessions.acquire(id);
    auto second = sessions.acquire(id);
    std::list<std::future<Result<SessionLease>>> waiting;
    for (int i = 0; i < 3; ++i) {
        waiting.push_back(sessions.service.async_acquire(i == 0 ? id : idle, asio::use_future));
    }
    sessions.settle();
    auto drained = begin(sessions);
    for (auto& one : waiting) {
        REQUIRE(one.wait_for(0s) == std::future_status::ready);
        CHECK(one.get().error() == errc::stopping);
    }
    // Only they had it leased.
    CHECK(log->size() == 1);
    CHECK(sessions.run(sessions.service.acquire(id)).error() == errc::stopping);
    first.release();
    second.release();
    sessions.settle();
    const auto report = report_of(drained);
    CHECK(report.waiters_refused == 3);
    CHECK(report.is_clean());
    check_sums(report, 2, 2);
}

TEST_CASE("session_service drain: whoever is refused a session is counted once", "[async][service]")
{
    auto options = plain_options().shards(4).max_sessions_per_principal(2);
    ManualService sessions(options);
    (void)sessions.add(CreateOptions().principal("ada"));
    CHECK(sessions.run(sessions.service.drain()).value().waiters_refused == 0);
    for (int i = 0; i < 5; ++i) {
        // With a principal, it is the lane that is closed.
        auto wish = i % 2 == 0 ? CreateOptions() : CreateOptions().principal("ada");
        CHECK(sessions.run(sessions.service.create(wish)).error() == errc::stopping);
    }
    CHECK(sessions.metrics().creations_refused_stopping == 5);
}

TEST_CASE("session_service drain: it waits for a listener that is slow", "[async][service]")
{
    const auto gate = std::make_shared<Gate>();
    asio::io_context context;
    const auto clock = std::make_shared<testing::ManualClock>();
    SessionService service(context.get_executor(), plain_options(), gated(gate).clock(clock));
    for (int i = 0; i < 3; ++i) {
        (void)run_coro(context, service.create()).value();
    }
    auto drained = service.async_drain(within(10s, 5s), asio::use_future);
    run_some(context);
    CHECK_FALSE(is_ready(drained));
    CHECK(gate->called == 1);

    SECTION("and all are told")
    {
        gate->passes = Gate::wide_open;
        poll_until(context, [&] { return is_ready(drained); });
        const auto report = report_of(drained);
        CHECK(gate->told == 3);
        CHECK(report.events_delivered == 3);
        CHECK(report.is_clean());
    }
    SECTION("but not for ever, and says who was not told")
    {
        clock->advance(10s);
        run_some(context);
        // Nobody has a lease, so there is nobody to cancel.
        CHECK(service.state() == ServiceState::draining);
        CHECK_FALSE(is_ready(drained));
        clock->advance(5s);
        poll_until(context, [&] { return is_ready(drained); });
        const auto report = report_of(drained);
        CHECK(report.finished == 3);
        CHECK(report.events_delivered == 0);
        CHECK(report.events_undelivered == 3);
        CHECK_FALSE(report.is_clean());
        CHECK(service.state() == ServiceState::closed);
        // The one that runs goes on, and nobody else is told.
        gate->passes = Gate::wide_open;
        run_ready(context);
        CHECK(gate->called == 1);
        CHECK(gate->told == 1);
        CHECK(run_coro(context, service.drain()).value() == report);
    }
    SECTION("and counts one that returns in time as told, though others are not")
    {
        gate->passes = 1;
        run_some(context);
        CHECK(gate->called == 2);
        clock->advance(15s);
        poll_until(context, [&] { return is_ready(drained); });
        const auto report = report_of(drained);
        CHECK(report.events_delivered == 1);
        CHECK(report.events_undelivered == 2);
        check_sums(report, 3, 3);
        gate->passes = Gate::wide_open;
        run_ready(context);
    }
}

TEST_CASE("session_service drain: events of before count as well", "[async][service]")
{
    const auto gate = std::make_shared<Gate>();
    asio::io_context context;
    const auto clock = std::make_shared<testing::ManualClock>();
    SessionService service(context.get_executor(), plain_options(), gated(gate).clock(clock));
    const auto id = run_coro(context, service.create()).value().id;
    CHECK(run_coro(context, service.remove(id)).has_value());
    (void)run_coro(context, service.create()).value();
    run_some(context);
    CHECK(gate->called == 1);
    auto drained = service.async_drain(within(10s, 5s), asio::use_future);
    run_some(context);
    gate->passes = Gate::wide_open;
    poll_until(context, [&] { return is_ready(drained); });
    const auto report = report_of(drained);
    CHECK(report.finished == 1);
    CHECK(report.events_delivered == 2);
}

// With a creation listener alone the ends are told to nobody, and so wait for nobody.
TEST_CASE("session_service drain: afterwards nobody waits to be told", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    const auto which = GENERATE(0, 1, 2);
    INFO("listeners " << which);
    auto listeners = which == 0 ? listening_to_all(log) : ServiceEnvironment();
    if (which == 1) {
        listeners.on_created([log](SessionInfo created) {
            return write_down_created(log, std::move(created));
        });
    } else if (which == 2) {
        listeners = listening(log);
    }
    ManualService sessions(plain_options().shards(GENERATE(1U, 3U)), listeners);
    for (int i = 0; i < 5; ++i) {
        (void)sessions.create();
    }
    REQUIRE(sessions.run(sessions.service.drain(1s)).has_value());
    const auto metrics = sessions.metrics();
    CHECK(metrics.pending_creations == 0);
    CHECK(metrics.pending_removals == 0);
    CHECK(log->created().size() == (which == 2 ? 0 : 5));
    CHECK(log->size() == (which == 1 ? 0 : 5));
}

namespace {

struct Drainer {
    SessionService* service = nullptr;
    std::optional<Result<DrainReport>> outcome;
    int told = 0;
};

asio::awaitable<void> drain_from_inside(std::shared_ptr<Drainer> drainer, RemovedSession)
{
    if (++drainer->told == 1) {
        const auto limit = DrainOptions().limit(5s).cancel_grace(2s);
        drainer->outcome = co_await drainer->service->drain(limit);
    }
}

asio::awaitable<void> begin_from_inside(std::shared_ptr<Drainer> drainer, RemovedSession)
{
    if (++drainer->told == 1) {
        drainer->service->async_drain(5s, [drainer](const Result<DrainReport>& result) {
            drainer->outcome = result;
        });
    }
    co_return;
}

} // namespace

// It waits for itself, so only time ends that; and then everything goes on to the end.
TEST_CASE(
    "session_service drain: a listener that awaits it has its time pass and does not hang",
    "[async][service]"
)
{
    const auto drainer = std::make_shared<Drainer>();
    auto environment = ServiceEnvironment().on_removed([drainer](RemovedSession removed) {
        return drain_from_inside(drainer, std::move(removed));
    });
    ManualService sessions(plain_options(), environment);
    drainer->service = &sessions.service;
    (void)sessions.add();
    (void)sessions.run(sessions.service.remove(sessions.add()));
    sessions.settle();
    CHECK(drainer->told == 1);
    CHECK_FALSE(drainer->outcome);
    CHECK(sessions.metrics().live == 0);
    sessions.pass(5s);
    sessions.pass(2s);
    REQUIRE(drainer->outcome);
    CHECK(drainer->outcome->value().events_undelivered == 2);
    sessions.settle();
    CHECK_FALSE(sessions.health().events.running);
    CHECK(sessions.clock->waiting() == 0);
}

TEST_CASE("session_service drain: a listener may begin it", "[async][service]")
{
    const auto drainer = std::make_shared<Drainer>();
    auto environment = ServiceEnvironment().on_removed([drainer](RemovedSession removed) {
        return begin_from_inside(drainer, std::move(removed));
    });
    ManualService sessions(plain_options(), environment);
    drainer->service = &sessions.service;
    (void)sessions.add();
    (void)sessions.run(sessions.service.remove(sessions.add()));
    sessions.settle();
    CHECK(drainer->told == 2);
    REQUIRE(drainer->outcome);
    CHECK(drainer->outcome->value().is_clean());
    CHECK(sessions.service.state() == ServiceState::closed);
}

TEST_CASE("session_service drain: it may come in the middle of a cleanup", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().cleanup_batch(1).max_pending_events(1000);
    ManualService sessions(options, listening(log));
    for (int i = 0; i < 200; ++i) {
        (void)sessions.add();
    }
    sessions.settle();
    for (int steps = 0; steps < 30; ++steps) {
        if (steps == 0) {
            sessions.clock->advance(60s);
        }
        sessions.context.restart();
        sessions.context.poll_one();
    }
    auto cleaned = sessions.service.async_cleanup(CleanupScope::all, asio::use_future);
    auto drained = sessions.service.async_drain(10s, asio::use_future);
    sessions.settle();
    CHECK(report_of(drained).is_clean());
    REQUIRE(cleaned.wait_for(0s) == std::future_status::ready);
    CHECK(log->size() == 200);
    CHECK(log->is_unique());
    CHECK(sessions.metrics().pending_removals == 0);
}

// Several at once

TEST_CASE("session_service drain: two at the same time tell the same", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().shards(2);
    ManualService sessions(options, listening(log));
    auto held = sessions.create();
    (void)sessions.add();
    auto first = sessions.service.async_drain(10s, asio::use_future);
    auto second = sessions.service.async_drain(20s, asio::use_future);
    sessions.settle();
    CHECK_FALSE(is_ready(first));
    CHECK_FALSE(is_ready(second));
    held.lease.release();
    sessions.settle();
    const auto report = report_of(first);
    CHECK(report_of(second) == report);
    CHECK(report.finished == 2);
    CHECK(report.is_clean());
    CHECK(log->size() == 2);
}

TEST_CASE("session_service drain: of two, the shorter limit wins", "[async][service]")
{
    const bool is_shorter_first = GENERATE(true, false);
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().shards(2);
    ManualService sessions(options, listening(log));
    auto held = sessions.create();
    const auto shorter = within(1s, 1s);
    const auto longer = within(Duration::max(), 10s);
    auto first = begin(sessions, is_shorter_first ? shorter : longer);
    auto second = begin(sessions, is_shorter_first ? longer : shorter);
    sessions.pass(1s);
    CHECK(sessions.service.state() == ServiceState::cancelling);
    CHECK_FALSE(is_ready(first));
    CHECK_FALSE(is_ready(second));
    SECTION("and the grace is shared")
    {
        held.lease.release();
        sessions.settle();
    }
    SECTION("and so is its end")
    {
        sessions.pass(1s);
    }
    const auto report = report_of(first);
    CHECK(report_of(second) == report);
    CHECK(report.cancelled == 1);
    CHECK_FALSE(sessions.health().events.running);
    CHECK(sessions.clock->waiting() == 0);
}

TEST_CASE("session_service drain: one that comes later hurries the one before", "[async][service]")
{
    ManualService sessions;
    auto held = sessions.create();
    auto patient = begin(sessions, within(Duration::max(), Duration::max()));
    sessions.pass(1h);
    CHECK_FALSE(is_ready(patient));
    auto hasty = begin(sessions, within(0s, 0s));
    CHECK(report_of(hasty).still_leased == 1);
    CHECK(report_of(patient).still_leased == 1);
    CHECK(sessions.clock->waiting() == 0);
}

TEST_CASE("session_service drain: many, over many shards, in many threads", "[async][service]")
{
    constexpr int rounds = 20;
    constexpr std::size_t count = 60;
    for (int round = 0; round < rounds; ++round) {
        const auto log = std::make_shared<RemovalLog>();
        asio::io_context context;
        auto options = plain_options().shards(4).cleanup_batch(4);
        SessionService service(context.get_executor(), options, listening(log));
        ContextThreads threads(context, 3);
        std::vector<SessionLease> leases;
        for (std::size_t i = 0; i < count; ++i) {
            auto created = service.async_create(CreateOptions(), asio::use_future).get();
            if (i % 2 == 0) {
                leases.push_back(std::move(created->lease));
            }
        }
        std::vector<Drained> drained;
        for (int i = 0; i < 5; ++i) {
            drained.push_back(service.async_drain(within(1h, 1h), asio::use_future));
            leases.resize(leases.size() - 3);
        }
        leases.resize(5);
        if (round % 2 == 0) {
            leases.clear();
        } else {
            drained.push_back(service.async_drain(within(0s, 0s), asio::use_future));
        }
        std::optional<DrainReport> report;
        for (auto& one : drained) {
            REQUIRE(one.wait_for(default_limit) == std::future_status::ready);
            const auto mine = one.get().value();
            CHECK(mine == report.value_or(mine));
            report = mine;
        }
        CHECK(report->is_clean() == (round % 2 == 0));
        check_sums(*report, count, count - report->still_leased);
        threads.finish();
        CHECK(log->is_unique());
        CHECK(log->size() >= report->events_delivered);
    }
}

TEST_CASE(
    "session_service drain: requests that race with it get in whole or not", "[async][service]"
)
{
    constexpr int rounds = 30;
    for (int round = 0; round < rounds; ++round) {
        const auto log = std::make_shared<RemovalLog>();
        asio::io_context context;
        auto options = plain_options().shards(3).max_in_flight(2).max_sessions_per_principal(50);
        SessionService service(context.get_executor(), options, listening(log));
        ContextThreads threads(context, 3);
        std::vector<std::future<Result<CreatedSession>>> created;
        Drained drained;
        for (int i = 0; i < 30; ++i) {
            auto wish = i % 2 == 0 ? CreateOptions() : CreateOptions().principal("ada");
            created.push_back(service.async_create(wish, asio::use_future));
            if (i == 15) {
                drained = service.async_drain(within(1h, 1h), asio::use_future);
            }
        }
        std::uint64_t made = 0;
        for (auto& one : created) {
            REQUIRE(one.wait_for(default_limit) == std::future_status::ready);
            const auto result = one.get();
            CHECK((result || result.error() == errc::stopping));
            made += result ? 1U : 0U;
        }
        REQUIRE(drained.wait_for(default_limit) == std::future_status::ready);
        const auto report = drained.get().value();
        CHECK(report.is_clean());
        threads.finish();
        asio::io_context other;
        const auto metrics = run_coro(other, service.metrics()).value();
        CHECK(metrics.created == made);
        CHECK(metrics.creations_refused_stopping == 30 - made);
        CHECK(metrics.live == 0);
        CHECK(metrics.ledger_holds());
        CHECK(log->size() == made);
    }
}

// Cancellation

namespace {

/// A drain that a coroutine awaits, and that can be cancelled.
struct Awaited {
    explicit Awaited(ManualService& sessions, const DrainOptions& options = DrainOptions())
    {
        asio::co_spawn(
            sessions.context,
            sessions.service.drain(options),
            asio::bind_cancellation_slot(
                signal.slot(),
                [this](const std::exception_ptr& thrown, const Result<DrainReport>& result) {
                    failure = thrown;
                    outcome = result;
                }
            )
        );
    }

    asio::cancellation_signal signal;
    std::exception_ptr failure;
    std::optional<Result<DrainReport>> outcome;
};

asio::awaitable<void> drain_once_posted(SessionService& service, bool& has_begun)
{
    co_await asio::post(asio::use_awaitable);
    has_begun = true;
    (void)co_await service.drain();
}

} // namespace

TEST_CASE("session_service drain: a cancelled caller does not cut it short", "[async][service]")
{
    const auto type = GENERATE(
        asio::cancellation_type::terminal,
        asio::cancellation_type::partial,
        asio::cancellation_type::total
    );
    ManualService sessions;
    auto held = sessions.create();
    Awaited drain(sessions, within(10s, 1s));
    sessions.settle();
    drain.signal.emit(type);
    sessions.settle();
    CHECK_FALSE(drain.outcome.has_value());
    CHECK(sessions.service.state() == ServiceState::draining);
    held.lease.release();
    sessions.settle();
    REQUIRE(drain.outcome.has_value());
    CHECK_FALSE(drain.failure);
    CHECK(drain.outcome->value().is_clean());
}

TEST_CASE(
    "session_service drain: a caller that was cancelled before does not begin", "[async][service]"
)
{
    ManualService sessions;
    asio::cancellation_signal signal;
    bool has_begun = false;
    std::exception_ptr failure;
    asio::co_spawn(
        sessions.context,
        drain_once_posted(sessions.service, has_begun),
        asio::bind_cancellation_slot(
            signal.slot(), [&](const std::exception_ptr& thrown) { failure = thrown; }
        )
    );
    sessions.context.restart();
    sessions.context.poll_one();
    REQUIRE_FALSE(has_begun);
    signal.emit(asio::cancellation_type::terminal);
    sessions.settle();
    REQUIRE(failure);
    CHECK_THROWS_AS(std::rethrow_exception(failure), boost::system::system_error);
    CHECK(sessions.service.state() == ServiceState::running);
    CHECK(sessions.run(sessions.service.create()).has_value());
}

// Completion

TEST_CASE(
    "session_service drain: it completes once, on the executor of its handler, never inline",
    "[async][service]"
)
{
    const bool is_closed_before = GENERATE(false, true);
    ManualService sessions;
    (void)sessions.add();
    if (is_closed_before) {
        (void)sessions.run(sessions.service.drain());
    }
    asio::io_context other;
    const TrackingExecutor executor(other.get_executor());
    CompletionProbe probe;
    bool was_on_executor = false;
    std::optional<Result<DrainReport>> outcome;
    auto handler = probe.handler([&](const Result<DrainReport>& result) {
        outcome = result;
        was_on_executor = executor.running_in_this_thread();
    });
    probe.initiate([&] {
        sessions.service.async_drain(
            DrainOptions(), asio::bind_executor(executor, std::move(handler))
        );
    });
    sessions.settle();
    CHECK(probe.completions() == 0);
    poll_until(other, [&] { return probe.completions() > 0; });
    run_ready(other);
    CHECK(probe.completions() == 1);
    CHECK(probe.inline_completions() == 0);
    CHECK(probe.live_handlers() == 0);
    CHECK(was_on_executor);
    REQUIRE(outcome.has_value());
    CHECK(outcome->value().finished == 1);
}

namespace {

asio::awaitable<bool> drain_and_call(SessionService& service)
{
    (void)co_await service.drain();
    // Were this still on a strand of the service, the call would wait for itself.
    const auto metrics = co_await service.metrics();
    co_return metrics.has_value();
}

} // namespace

TEST_CASE("session_service drain: its caller goes on outside the service", "[async][service]")
{
    asio::thread_pool pool(2);
    SessionService service(pool.get_executor(), plain_options());
    CHECK(run_coro_on(pool.get_executor(), drain_and_call(service)));
}

TEST_CASE("session_service drain: its arguments may go once it was begun", "[async][service]")
{
    ManualService sessions;
    auto held = sessions.create();
    auto drain = [&sessions] {
        auto options = within(3s, 0s);
        auto deferred = sessions.service.async_drain(options, asio::deferred);
        options = within(1h, 1h);
        return deferred;
    }();
    auto drained = std::move(drain)(asio::use_future);
    sessions.settle();
    CHECK_FALSE(is_ready(drained));
    sessions.pass(3s);
    CHECK(report_of(drained).still_leased == 1);
}

// Destruction

TEST_CASE("session_service drain: it ends when the service goes", "[async][service]")
{
    const auto limit = GENERATE(Duration(1h), Duration::max());
    const auto shards = GENERATE(std::size_t{1}, std::size_t{3});
    const bool is_leased = GENERATE(true, false);
    const auto gate = std::make_shared<Gate>();
    const auto clock = std::make_shared<testing::ManualClock>();
    const std::weak_ptr<testing::ManualClock> watch = clock;
    asio::io_context context;
    auto options = plain_options().shards(shards);
    auto service =
        std::make_unique<SessionService>(context.get_executor(), options, gated(gate).clock(clock));
    SessionLease lease;
    for (int i = 0; i < 3; ++i) {
        lease = run_coro(context, service->create()).value().lease;
    }
    if (!is_leased) {
        lease.release();
    }
    auto first = service->async_drain(within(limit, 1s), asio::use_future);
    auto second = service->async_drain(within(limit, Duration::max()), asio::use_future);
    run_some(context);
    CHECK(gate->called == 1);
    CHECK_FALSE(is_ready(first));
    service.reset();
    poll_until(context, [&] { return is_ready(first) && is_ready(second); });
    CHECK(first.get().error().code() == asio::error::operation_aborted);
    CHECK(second.get().error().code() == asio::error::operation_aborted);
    // The listener that runs goes on; nobody else is told.
    gate->passes = Gate::wide_open;
    run_ready(context);
    CHECK(gate->called == 1);
    CHECK(clock->waiting() == 0);
    lease.release();
    run_ready(context);
}

TEST_CASE("session_service drain: it may be begun when the service goes", "[async][service]")
{
    for (int steps = 0; steps < 120; ++steps) {
        const auto log = std::make_shared<RemovalLog>();
        asio::io_context context;
        const auto clock = std::make_shared<testing::ManualClock>();
        auto options = plain_options().shards(2).cleanup_batch(1);
        auto service = std::make_unique<SessionService>(
            context.get_executor(), options, listening(log).clock(clock)
        );
        auto held = run_coro(context, service->create()).value();
        for (int i = 0; i < 5; ++i) {
            (void)run_coro(context, service->create()).value();
        }
        CompletionProbe probe;
        std::optional<Result<DrainReport>> outcome;
        service->async_drain(
            within(Duration::max(), 1s),
            probe.handler([&outcome](const Result<DrainReport>& result) { outcome = result; })
        );
        run_some(context, steps);
        service.reset();
        run_ready(context);
        CAPTURE(steps);
        REQUIRE(probe.completions() == 1);
        CHECK(probe.live_handlers() == 0);
        CHECK(outcome->error().code() == asio::error::operation_aborted);
        CHECK(clock->waiting() == 0);
    }
}

TEST_CASE("session_service drain: it goes with its context", "[async][service]")
{
    const bool is_service_first = GENERATE(false, true);
    for (int steps = 0; steps < 120; steps += 3) {
        const auto gate = std::make_shared<Gate>();
        const auto clock = std::make_shared<testing::ManualClock>();
        std::list<CompletionProbe> probes;
        SessionLease lease;
        {
            auto context = std::make_unique<asio::io_context>();
            auto options = plain_options().shards(2).cleanup_batch(1);
            auto service = std::make_unique<SessionService>(
                context->get_executor(), options, gated(gate).clock(clock)
            );
            for (int i = 0; i < 5; ++i) {
                lease = run_coro(*context, service->create()).value().lease;
            }
            service->async_drain(within(1h, 1s), probes.emplace_back().handler());
            service->async_drain(Duration::max(), probes.emplace_back().handler());
            run_some(*context, steps);
            if (is_service_first) {
                service.reset();
            }
            context.reset();
        }
        for (const auto& probe : probes) {
            CHECK(probe.completions() == 0);
            CHECK(probe.live_handlers() == 0);
        }
        lease.release();
    }
}

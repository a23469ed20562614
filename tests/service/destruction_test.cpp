#include "service/manual_service.hpp"
#include "service/removal_log.hpp"
#include "support/completion_probe.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/execution/bad_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstddef>
#include <future>
#include <list>
#include <memory>
#include <utility>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

// What is proven here shows under AddressSanitizer, with Asio's recycling switched off.

namespace {

/// Starts every operation with a handler, some several times, and gives what they complete.
void start_everything(
    SessionService& service, const SessionId& id, std::list<CompletionProbe>& probes
)
{
    const auto handler = [&] { return probes.emplace_back().handler(); };
    for (int i = 0; i < 20; ++i) {
        service.async_create(CreateOptions().principal("alice"), handler());
        service.async_acquire(id, handler());
        service.async_acquire(SessionId(), AcquireOptions().peer("192.0.2.1"), handler());
        service.async_modify(id, [](Attributes& data) { data.set("a", "b"); }, handler());
        service.async_acquire_exclusive(id, 1h, handler());
        service.async_acquire_weak(id, handler());
        service.async_peek(id, handler());
        service.async_touch(id, handler());
        service.async_snapshot(id, handler());
        service.async_commit(id, 1, Attributes(), handler());
        service.async_list(ListOptions(), handler());
        service.async_count(SessionFilter(), handler());
        service.async_remove_matching(SessionFilter().principal("bob"), handler());
        service.async_metrics(handler());
        service.async_in_flight(handler());
        service.async_health(handler());
        service.async_cleanup(CleanupScope::expired, handler());
        service.async_remove_by_principal("alice", handler());
        service.async_rotate(SessionId(), RotateOptions(), handler());
    }
    service.async_cleanup(CleanupScope::all, handler());
    service.async_remove(id, handler());
}

asio::awaitable<void> listen_slowly(std::shared_ptr<RemovalLog> log, RemovedSession removed)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 100us);
    co_await timer.async_wait(asio::use_awaitable);
    log->add(std::move(removed));
}

ServiceEnvironment slow_environment(const std::shared_ptr<RemovalLog>& log, bool is_manual)
{
    auto environment = ServiceEnvironment().on_removed([log](RemovedSession removed) {
        return listen_slowly(log, std::move(removed));
    });
    if (is_manual) {
        environment.clock(std::make_shared<testing::ManualClock>());
    }
    return environment;
}

enum class First { service, context };

} // namespace

TEST_CASE("session_service: service and io_context may go in either order", "[async][service]")
{
    const auto first = GENERATE(First::service, First::context);
    const auto is_manual = GENERATE(false, true);
    const auto shards = GENERATE(std::size_t{1}, std::size_t{4});
    const auto waits_for_room = GENERATE(false, true);
    for (const int steps : {0, 1, 5, 20, 51, 100, 201, 400, 501, 1000}) {
        INFO("steps " << steps << ", manual " << is_manual << ", shards " << shards);
        const auto log = std::make_shared<RemovalLog>();
        std::list<CompletionProbe> probes;
        auto context = std::make_unique<asio::io_context>();
        auto options = plain_options().shards(shards).half_open_timeout(1ms);
        if (waits_for_room) {
            options.max_sessions(shards + 1).when_full(WhenFull::wait).max_creation_wait(1h);
        }
        auto service = std::make_unique<SessionService>(
            context->get_executor(), options, slow_environment(log, is_manual)
        );
        const auto created = run_coro(*context, service->create()).value();
        start_everything(*service, created.id, probes);
        if (steps % 2 == 1) {
            // Waits for the lease that is held here.
            service->async_drain(1h, probes.emplace_back().handler());
        }
        for (int i = 0; i < steps; ++i) {
            context->restart();
            context->poll_one();
        }
        if (first == First::service) {
            service.reset();
            for (int i = 0; i < steps / 2; ++i) {
                context->restart();
                context->poll_one();
            }
        }
        context.reset();
        service.reset();
        for (const auto& probe : probes) {
            CHECK(probe.completions() <= 1);
            CHECK(probe.inline_completions() == 0);
            // Whoever was not called was let go of.
            CHECK(probe.live_handlers() == 0);
        }
    }
}

TEST_CASE(
    "session_service: after the service is gone what it began is completed", "[async][service]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    asio::io_context context;
    std::list<CompletionProbe> probes;
    {
        auto options = plain_options().shards(3);
        if (GENERATE(false, true)) {
            // Most creations wait for room, then.
            options.max_sessions(3).when_full(WhenFull::wait).max_creation_wait(1h);
        }
        SessionService service(context.get_executor(), options, listening(log));
        const auto created = run_coro(context, service.create()).value();
        start_everything(service, created.id, probes);
    }
    context.restart();
    context.run_for(default_limit);
    // The background is gone too, so the context runs out of work.
    CHECK(context.stopped());
    for (const auto& probe : probes) {
        CHECK(probe.completions() == 1);
        CHECK(probe.live_handlers() == 0);
    }
}

TEST_CASE("session_service: service and thread_pool may go in either order", "[async][service]")
{
    const auto first = GENERATE(First::service, First::context);
    const auto is_manual = GENERATE(false, true);
    for (int round = 0; round < 15; ++round) {
        const auto log = std::make_shared<RemovalLog>();
        std::list<CompletionProbe> probes;
        auto pool = std::make_unique<asio::thread_pool>(3);
        auto options = plain_options().shards(2).half_open_timeout(1ms);
        auto service = std::make_unique<SessionService>(
            pool->get_executor(), options, slow_environment(log, is_manual)
        );
        const auto created = run_coro_on(pool->get_executor(), service->create()).value();
        start_everything(*service, created.id, probes);
        if (first == First::service) {
            service.reset();
        }
        if (round % 3 == 0) {
            pool->stop();
        }
        if (first == First::context || round % 2 == 0) {
            pool->stop();
            pool->join();
        }
        pool.reset();
        service.reset();
        for (const auto& probe : probes) {
            CHECK(probe.completions() <= 1);
            CHECK(probe.inline_completions() == 0);
            CHECK(probe.live_handlers() == 0);
        }
    }
}

TEST_CASE("session_service: a drain in flight ends with its context", "[async][service]")
{
    const auto is_manual = GENERATE(false, true);
    const auto first = GENERATE(First::service, First::context);
    const auto log = std::make_shared<RemovalLog>();
    CompletionProbe probe;
    SessionLease lease;
    {
        auto context = std::make_unique<asio::io_context>();
        auto service = std::make_unique<SessionService>(
            context->get_executor(), plain_options(), slow_environment(log, is_manual)
        );
        lease = run_coro(*context, service->create()).value().lease;
        service->async_drain(1h, probe.handler());
        for (int i = 0; i < 100; ++i) {
            context->restart();
            context->poll_one();
        }
        if (first == First::service) {
            service.reset();
        }
        context.reset();
    }
    CHECK(probe.completions() == 0);
    CHECK(probe.live_handlers() == 0);
    lease.release();
}

TEST_CASE(
    "session_service: operations still work when the context of the service is gone",
    "[async][service]"
)
{
    asio::io_context caller;
    auto context = std::make_unique<asio::io_context>();
    SessionService service(context->get_executor());
    const auto id = run_coro(caller, service.create()).value().id;
    context.reset();
    CHECK(run_coro(caller, service.acquire(id)).has_value());
    CHECK(run_coro(caller, service.create()).has_value());
    CHECK(run_coro(caller, service.remove(id)).has_value());
    CHECK(run_coro(caller, service.metrics()).value().live == 1);
}

TEST_CASE("session_service: what needs the context says so when it is gone", "[async][service]")
{
    using asio::execution::bad_executor;
    asio::io_context caller;
    auto context = std::make_unique<asio::io_context>();
    SessionService service(context->get_executor());
    const auto created = run_coro(caller, service.create()).value();
    context.reset();
    CHECK_THROWS_AS(run_coro(caller, service.drain(1s)), bad_executor);
    CHECK_THROWS_AS(run_coro(caller, created.lease.closed()), bad_executor);
    CHECK_THROWS_AS(run_coro(caller, service.acquire_exclusive(created.id)), bad_executor);
    CHECK(run_coro(caller, service.peek(created.id))->leases == 1);
    CHECK_THROWS_AS(service.async_metrics(asio::detached), bad_executor);
    CHECK_THROWS_AS(service.async_list(ListOptions(), asio::detached), bad_executor);
    CHECK_THROWS_AS(service.async_peek(SessionId(), asio::detached), bad_executor);
    const auto refused = CreateOptions().idle_timeout(0s);
    CHECK_THROWS_AS(service.async_create(refused, asio::detached), bad_executor);
}

TEST_CASE("session_service: what starts after the service is gone still works", "[async][service]")
{
    asio::io_context context;
    auto service = std::make_unique<SessionService>(context.get_executor());
    const auto id = run_coro(context, service->create()).value().id;
    auto peek = service->async_peek(id, asio::deferred);
    auto metrics = service->async_metrics(asio::deferred);
    auto drain = service->drain(1s);
    service.reset();

    auto session = std::move(peek)(asio::use_future);
    auto counters = std::move(metrics)(asio::use_future);
    run_ready(context);
    REQUIRE(session.wait_for(0s) == std::future_status::ready);
    CHECK(session.get().has_value());
    REQUIRE(counters.wait_for(0s) == std::future_status::ready);
    CHECK(counters.get().value().live == 1);
    // Nothing is left that it would have to wait for.
    CHECK(run_coro(context, std::move(drain)).value().finished == 1);
}

namespace {

/// Lets others run before it writes down what it was told.
asio::awaitable<void> listen_later(std::shared_ptr<RemovalLog> log, RemovedSession removed)
{
    co_await asio::post(asio::use_awaitable);
    log->add(std::move(removed));
}

} // namespace

TEST_CASE("session_service: a service that is gone tells nobody any more", "[async][service]")
{
    constexpr std::size_t count = 300;
    const auto log = std::make_shared<RemovalLog>();
    asio::io_context context;
    auto environment = ServiceEnvironment().on_removed([log](RemovedSession removed) {
        return listen_later(log, std::move(removed));
    });
    auto service =
        std::make_unique<SessionService>(context.get_executor(), plain_options(), environment);
    for (std::size_t i = 0; i < count; ++i) {
        (void)run_coro(context, service->create());
    }
    CHECK(run_coro(context, service->cleanup(CleanupScope::all)).value() == count);
    poll_until(context, [&] { return log->size() > 0; });
    service.reset();
    const auto told = log->size();
    REQUIRE(told < count);
    run_ready(context);
    // One may have been told and was about to write it down.
    CHECK(log->size() <= told + 1);
}

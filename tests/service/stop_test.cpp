#include "service/manual_service.hpp"
#include "service/removal_log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>

#include <future>
#include <memory>
#include <optional>
#include <utility>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

TEST_CASE("session_service: a stopped service refuses for good", "[async][service]")
{
    auto options = plain_options().shards(3);
    ManualService sessions(options);
    const auto id = sessions.establish();
    REQUIRE(sessions.run(sessions.service.stop()).has_value());
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
        CHECK(sessions.run(service.stop()).has_value());
    }
    const auto metrics = sessions.metrics();
    CHECK(metrics.live == 0);
    CHECK(metrics.removed_by(RemovalCause::drained) == 1);
    CHECK(metrics.refused_stopping == 6);
}

TEST_CASE("session_service: after stop the context has nothing left to do", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    asio::io_context context;
    SessionService service(context.get_executor(), plain_options(), listening(log));
    auto created = service.async_create(CreateOptions(), asio::use_future);
    context.run_for(50ms);
    CHECK_FALSE(context.stopped());
    created.get().value().lease.release();
    auto stopped = service.async_stop(10s, asio::use_future);
    context.restart();
    context.run_for(default_limit);
    CHECK(context.stopped());
    CHECK(stopped.get().has_value());
    CHECK(log->count(RemovalCause::drained) == 1);
}

TEST_CASE("session_service: stop waits until the last lease is released", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().shards(4);
    ManualService sessions(options, listening(log));
    auto first = sessions.create();
    auto second = sessions.create();
    auto stopped = sessions.service.async_stop(30s, asio::use_future);
    sessions.settle();
    CHECK(stopped.wait_for(0s) == std::future_status::timeout);
    CHECK(sessions.run(sessions.service.acquire(first.id)).error() == errc::stopping);
    CHECK_FALSE(sessions.health().is_accepting);

    first.lease.release();
    sessions.settle();
    CHECK(log->size() == 1);
    sessions.pass(30s - 1ns);
    CHECK(stopped.wait_for(0s) == std::future_status::timeout);
    second.lease.release();
    sessions.settle();
    REQUIRE(stopped.wait_for(0s) == std::future_status::ready);
    CHECK(stopped.get().has_value());
    CHECK(log->count(RemovalCause::drained) == 2);
    CHECK(sessions.clock->waiting() == 0);
}

TEST_CASE("session_service: stop ends at its limit although a lease is held", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    (void)sessions.add();
    auto held = sessions.create();
    auto stopped = sessions.service.async_stop(5s, asio::use_future);
    sessions.settle();
    sessions.pass(5s - 1ns);
    CHECK(stopped.wait_for(0s) == std::future_status::timeout);
    sessions.pass(1ns);
    REQUIRE(stopped.wait_for(0s) == std::future_status::ready);
    CHECK(stopped.get().error() == errc::timed_out);
    CHECK(log->size() == 1);
    sessions.settle();
    CHECK(sessions.clock->waiting() == 0);
    CHECK_FALSE(sessions.health().cleanup.running);
    CHECK_FALSE(sessions.health().events.running);

    // It ends with its lease; nobody is there to be told.
    held.lease.release();
    sessions.settle();
    CHECK(sessions.metrics().live == 0);
    CHECK(log->size() == 1);
    CHECK(sessions.metrics().pending_removals == 1);
}

TEST_CASE(
    "session_service: stop may be called several times at once, with limits of their own",
    "[async][service]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().shards(2);
    ManualService sessions(options, listening(log));
    auto held = sessions.create();
    auto brief = sessions.service.async_stop(1s, asio::use_future);
    auto longer = sessions.service.async_stop(10s, asio::use_future);
    sessions.settle();
    sessions.pass(1s);
    REQUIRE(brief.wait_for(0s) == std::future_status::ready);
    CHECK(brief.get().error() == errc::timed_out);
    CHECK(longer.wait_for(0s) == std::future_status::timeout);
    // The brief one has not ended the background, which the longer one still needs.
    held.lease.release();
    sessions.settle();
    CHECK(log->size() == 1);
    REQUIRE(longer.wait_for(0s) == std::future_status::ready);
    CHECK(longer.get().has_value());
    CHECK(sessions.clock->waiting() == 0);
    CHECK_FALSE(sessions.health().events.running);
}

TEST_CASE("session_service: two that stop at the same time both succeed", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    auto held = sessions.create();
    auto first = sessions.service.async_stop(10s, asio::use_future);
    auto second = sessions.service.async_stop(20s, asio::use_future);
    sessions.settle();
    held.lease.release();
    sessions.settle();
    REQUIRE(first.wait_for(0s) == std::future_status::ready);
    REQUIRE(second.wait_for(0s) == std::future_status::ready);
    CHECK(first.get().has_value());
    CHECK(second.get().has_value());
    CHECK(log->size() == 1);
}

TEST_CASE("session_service: stop may come in the middle of a cleanup", "[async][service]")
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
    auto stopped = sessions.service.async_stop(10s, asio::use_future);
    sessions.settle();
    REQUIRE(stopped.wait_for(0s) == std::future_status::ready);
    CHECK(stopped.get().has_value());
    REQUIRE(cleaned.wait_for(0s) == std::future_status::ready);
    CHECK(log->size() == 200);
    CHECK(log->is_unique());
    CHECK(sessions.metrics().pending_removals == 0);
}

TEST_CASE("session_service: stop waits for a listener that is slow", "[async][service]")
{
    struct Gate {
        bool is_open = false;
        int told = 0;
    };

    struct Listener {
        static asio::awaitable<void> wait(std::shared_ptr<Gate> gate, RemovedSession)
        {
            while (!gate->is_open) {
                co_await asio::post(asio::use_awaitable);
            }
            ++gate->told;
        }
    };

    const auto gate = std::make_shared<Gate>();
    asio::io_context context;
    const auto clock = std::make_shared<testing::ManualClock>();
    auto environment = ServiceEnvironment().clock(clock).on_removed([gate](RemovedSession removed) {
        return Listener::wait(gate, std::move(removed));
    });
    SessionService service(context.get_executor(), plain_options(), environment);
    (void)run_coro(context, service.create()).value();
    auto stopped = service.async_stop(10s, asio::use_future);
    for (int i = 0; i < 200; ++i) {
        context.restart();
        context.poll_one();
    }
    CHECK(stopped.wait_for(0s) == std::future_status::timeout);
    gate->is_open = true;
    poll_until(context, [&] { return stopped.wait_for(0s) == std::future_status::ready; });
    CHECK(stopped.get().has_value());
    CHECK(gate->told == 1);
}

namespace {

struct Stopper {
    SessionService* service = nullptr;
    std::optional<Error> outcome;
    int told = 0;
};

asio::awaitable<void> stop_from_inside(std::shared_ptr<Stopper> stopper, RemovedSession)
{
    if (++stopper->told == 1) {
        const auto stopped = co_await stopper->service->stop(5s);
        stopper->outcome = stopped.error();
    }
}

} // namespace

// It waits for itself, so it can only time out; and then everything goes on to the end.
TEST_CASE(
    "session_service: a listener that stops the service times out and does not hang",
    "[async][service]"
)
{
    const auto stopper = std::make_shared<Stopper>();
    auto environment = ServiceEnvironment().on_removed([stopper](RemovedSession removed) {
        return stop_from_inside(stopper, std::move(removed));
    });
    ManualService sessions(plain_options(), environment);
    stopper->service = &sessions.service;
    (void)sessions.add();
    (void)sessions.run(sessions.service.remove(sessions.add()));
    sessions.settle();
    CHECK(stopper->told == 1);
    CHECK_FALSE(stopper->outcome);
    CHECK(sessions.metrics().live == 0);
    sessions.pass(5s);
    REQUIRE(stopper->outcome);
    CHECK(*stopper->outcome == errc::timed_out);
    sessions.settle();
    CHECK_FALSE(sessions.health().events.running);
    CHECK(sessions.clock->waiting() == 0);
}

TEST_CASE(
    "session_service: stop of an empty service, with any limit, succeeds at once",
    "[async][service]"
)
{
    for (const Duration limit :
         {Duration::min(), Duration(-1s), Duration(0s), Duration(1s), Duration::max()}) {
        ManualService sessions;
        (void)sessions.add();
        CHECK(sessions.run(sessions.service.stop(limit)).has_value());
    }
}

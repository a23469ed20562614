#include "service/manual_service.hpp"
#include "service/removal_log.hpp"
#include "support/context_threads.hpp"

#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <future>
#include <memory>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

/// Creates, acquires, removes and rotates, while others do and while time passes.
asio::awaitable<void> come_and_go(SessionService& service, int rounds)
{
    std::vector<SessionId> ids;
    for (int i = 0; i < rounds; ++i) {
        const auto created = co_await service.create();
        if (created) {
            ids.push_back(created->id);
        }
        if (ids.empty()) {
            continue;
        }
        auto& id = ids[static_cast<std::size_t>(i * 7) % ids.size()];
        const auto lease = co_await service.acquire(id);
        if (i % 3 == 0) {
            (void)co_await service.remove(id);
        } else if (i % 3 == 1) {
            if (const auto fresh = co_await service.rotate(id)) {
                id = *fresh;
            }
        }
    }
}

} // namespace

// The second: metrics assumed what kind of session a removed one was, and went below zero.
TEST_CASE(
    "session_service: the ledger holds in every snapshot from another thread", "[async][service]"
)
{
    for (const std::size_t shards : {1U, 4U}) {
        const auto log = std::make_shared<RemovalLog>();
        auto options = plain_options()
                           .max_sessions(50)
                           .shards(shards)
                           .half_open_timeout(1ms)
                           .idle_timeout(2ms)
                           .absolute_lifetime(5ms)
                           .max_pending_events(1'000'000);
        ManualService sessions(options, listening(log));
        int snapshots = 0;
        int broken = 0;
        int backwards = 0;
        {
            const ContextThreads background(sessions.context, 2);
            std::vector<std::shared_ptr<CoroResult<void>>> running;
            for (int i = 0; i < 4; ++i) {
                running.push_back(
                    spawn_coro(sessions.context.get_executor(), come_and_go(sessions.service, 400))
                );
            }
            Metrics last;
            const auto are_done = [&] {
                return std::ranges::all_of(running, [](const auto& one) { return one->is_done(); });
            };
            const TimeLimit limit(default_limit);
            while (!are_done() && !limit.is_over()) {
                auto future = sessions.service.async_metrics(asio::use_future);
                REQUIRE(future.wait_for(default_limit) == std::future_status::ready);
                const auto now = future.get().value();
                ++snapshots;
                // Of several shards one is asked after the other, so their sum is of no one moment.
                const bool is_bounded = shards > 1 || now.live <= 50;
                broken += now.ledger_holds() && is_bounded && now.leased <= now.live ? 0 : 1;
                backwards += now.created < last.created ||
                                     now.removed_total() < last.removed_total() ||
                                     now.acquires < last.acquires
                                 ? 1
                                 : 0;
                last = now;
                sessions.clock->advance(100us);
            }
            REQUIRE(are_done());
        }
        sessions.context.restart();
        sessions.pass(1s);
        CHECK(snapshots > 0);
        CHECK(broken == 0);
        CHECK(backwards == 0);
        const auto metrics = sessions.metrics();
        CHECK(metrics.live == 0);
        CHECK(metrics.leased == 0);
        CHECK(metrics.half_open == 0);
        CHECK(metrics.closing == 0);
        CHECK(metrics.pending_removals == 0);
        CHECK(log->size() == metrics.created);
        CHECK(log->is_unique());
        for (const auto cause : removal_causes) {
            CHECK(log->count(cause) == metrics.removed_by(cause));
        }
        CHECK(metrics.removed_by(RemovalCause::drained) == 0);
    }
}

TEST_CASE("session_service: every outcome is counted once, where it belongs", "[async][service]")
{
    auto options = plain_options().max_sessions(2).request_rate(RateLimit(1, 1));
    ManualService sessions(options);
    auto created = sessions.create();
    auto other = sessions.create();
    (void)sessions.run(sessions.service.create());
    created.lease.release();
    sessions.acquire(created.id).release();
    (void)sessions.run(sessions.service.acquire(created.id));
    (void)sessions.run(sessions.service.acquire(SessionId()));
    (void)sessions.run(sessions.service.rotate(created.id));
    const auto metrics = sessions.metrics();
    CHECK(metrics.created == 2);
    CHECK(metrics.live == 2);
    CHECK(metrics.half_open == 1);
    CHECK(metrics.leased == 1);
    CHECK(metrics.refused_overloaded == 1);
    CHECK(metrics.acquires == 3);
    CHECK(metrics.acquired == 1);
    CHECK(metrics.rate_limited == 1);
    CHECK(metrics.not_found == 1);
    CHECK(metrics.rotated == 1);
    CHECK(metrics.refused_stopping == 0);
    CHECK(metrics.removed_total() == 0);
    CHECK(metrics.calls_inline > 0);

    // As long as it is held, a drain cannot end well; and what is refused then is counted.
    const auto at_once = DrainOptions().limit(0s).cancel_grace(0s);
    CHECK(sessions.run(sessions.service.drain(at_once)).value().still_leased == 1);
    (void)sessions.run(sessions.service.acquire(other.id));
    (void)sessions.run(sessions.service.create());
    (void)sessions.run(sessions.service.create());
    CHECK(sessions.metrics().refused_stopping == 1);
    CHECK(sessions.metrics().creations_refused_stopping == 2);
    CHECK(sessions.metrics().removed_by(RemovalCause::drained) == 1);
    other.lease.release();
    CHECK(sessions.metrics().removed_by(RemovalCause::drained) == 2);
}

TEST_CASE("session_service: health tells that all is well", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    const auto health = sessions.health();
    CHECK(health.state == ServiceState::running);
    CHECK(health.is_ready());
    CHECK(health.cleanup.running);
    CHECK(health.events.running);
    CHECK(health.cleanup.rounds == 1);
    CHECK(health.cleanup.failures == 0);
    CHECK(health.cleanup.last_success == sessions.clock->steady());
    CHECK(health.cleanup_lag == Duration::zero());
    CHECK(health.listener_failures == 0);
}

TEST_CASE("session_service: health tells how late cleanup is", "[async][service]")
{
    auto options = plain_options().shards(3);
    ManualService sessions(options);
    (void)sessions.add();
    sessions.settle();
    sessions.clock->advance(60s);
    sessions.clock->advance(7s);
    // Asked in the turn of the caller, before the background has had its own.
    asio::io_context other;
    const auto late = run_coro(other, sessions.service.health()).value();
    CHECK(late.cleanup_lag == 7s);
    sessions.settle();
    CHECK(sessions.health().cleanup_lag == Duration::zero());
}

TEST_CASE("session_service: health after a drain says so", "[async][service]")
{
    ManualService sessions;
    REQUIRE(sessions.run(sessions.service.drain()).has_value());
    sessions.settle();
    const auto health = sessions.health();
    CHECK(health.state == ServiceState::closed);
    CHECK_FALSE(health.is_ready());
    CHECK_FALSE(health.cleanup.running);
    CHECK_FALSE(health.events.running);
}

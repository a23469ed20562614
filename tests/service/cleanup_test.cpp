#include "service/manual_service.hpp"
#include "service/removal_log.hpp"
#include "support/sanitizers.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

TEST_CASE("session_service: cleanup sleeps until the earliest deadline", "[async][service]")
{
    ManualService sessions;
    const auto start = sessions.clock->steady();
    CHECK(sessions.clock->next_deadline() == TimePoint::max());

    (void)sessions.add(CreateOptions().principal("alice"));
    sessions.settle();
    CHECK(sessions.clock->next_deadline() == start + 30min);
    CHECK(sessions.clock->waiting() == 1);

    // A later deadline does not wake it, an earlier one does.
    const auto rounds = sessions.health().cleanup.rounds;
    (void)sessions.add(CreateOptions().principal("alice").idle_timeout(1h));
    sessions.settle();
    CHECK(sessions.clock->next_deadline() == start + 30min);
    CHECK(sessions.health().cleanup.rounds == rounds);

    (void)sessions.add(CreateOptions().principal("alice").idle_timeout(1min));
    sessions.settle();
    CHECK(sessions.clock->next_deadline() == start + 1min);
    CHECK(sessions.clock->waiting() == 1);

    sessions.pass(1min);
    CHECK(sessions.metrics().live == 2);
    CHECK(sessions.clock->next_deadline() == start + 30min);
}

TEST_CASE(
    "session_service: cleanup over several shards sleeps until the earliest of all",
    "[async][service]"
)
{
    // Longer than any of theirs: a leased session could be due after that at the earliest.
    auto options = plain_options().shards(8).idle_timeout(1h);
    ManualService sessions(options);
    const auto start = sessions.clock->steady();
    for (int minute = 40; minute > 0; --minute) {
        auto wish = CreateOptions().principal("alice").idle_timeout(minute * 1min);
        (void)sessions.add(wish);
        sessions.settle();
        REQUIRE(sessions.clock->next_deadline() == start + minute * 1min);
    }
    for (std::uint64_t live = 39; live > 0; --live) {
        sessions.pass(1min);
        REQUIRE(sessions.metrics().live == live);
    }
}

TEST_CASE(
    "session_service: a session ends at its deadline and not a nanosecond before",
    "[async][service]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    (void)sessions.establish();
    sessions.pass(30min - 1ns);
    CHECK(log->size() == 0);
    // Nobody calls: the background ends it and tells of it by itself.
    sessions.pass(1ns);
    REQUIRE(log->size() == 1);
    CHECK(log->all()[0].cause == RemovalCause::expired_idle);
    CHECK(sessions.metrics().live == 0);
}

TEST_CASE(
    "session_service: an expired session is not found although cleanup has not run",
    "[async][service]"
)
{
    ManualService sessions;
    const auto id = sessions.establish();
    const auto other = sessions.establish();
    sessions.clock->advance(30min - 1ns);
    CHECK(sessions.knows(id));
    sessions.clock->advance(1ns);
    CHECK(sessions.run(sessions.service.acquire(id)).error() == errc::not_found);
    CHECK(sessions.run(sessions.service.remove(other)).error() == errc::not_found);
    CHECK(sessions.metrics().removed_by(RemovalCause::expired_idle) == 2);
}

TEST_CASE("session_service: a lifetime ends however busy the session is", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(plain_options(), listening(log));
    const auto id = sessions.add(CreateOptions().absolute_lifetime(2h));
    for (int i = 0; i < 120; ++i) {
        sessions.acquire(id).release();
        sessions.pass(1min);
    }
    CHECK_FALSE(sessions.knows(id));
    REQUIRE(log->size() == 1);
    CHECK(log->all()[0].cause == RemovalCause::expired_lifetime);
    CHECK(log->all()[0].requests == 120);
}

TEST_CASE(
    "session_service: a client that never comes back frees its place soon", "[async][service]"
)
{
    ManualService sessions;
    const auto silent = sessions.add();
    const auto returning = sessions.add();
    const auto known = sessions.add(CreateOptions().principal("alice"));
    CHECK(sessions.metrics().half_open == 2);
    sessions.pass(59s);
    sessions.acquire(returning).release();
    CHECK(sessions.metrics().half_open == 1);
    sessions.pass(1s);
    CHECK_FALSE(sessions.knows(silent));
    CHECK(sessions.knows(returning));
    CHECK(sessions.knows(known));
    CHECK(sessions.metrics().half_open == 0);
}

namespace {

asio::awaitable<void>
create_all(SessionService& service, CreateOptions wish, int count, std::vector<SessionId>& ids)
{
    for (int i = 0; i < count; ++i) {
        auto created = co_await service.create(wish);
        ids.push_back(created.value().id);
    }
}

/// How many of these sessions are as they were left.
asio::awaitable<int>
count_untouched(SessionService& service, const std::vector<SessionId>& ids, Duration expires_in)
{
    int untouched = 0;
    for (const auto& id : ids) {
        const auto info = co_await service.peek(id);
        untouched += info && info->expires_in == expires_in ? 1 : 0;
    }
    co_return untouched;
}

} // namespace

// The fourth: cleanup looked at every session.
TEST_CASE(
    "session_service: cleanup of 1,000 among 100,000 does not touch the others", "[async][service]"
)
{
    constexpr int all = is_sanitized ? 20'000 : 100'000;
    constexpr int brief = 1'000;
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().max_sessions(all).max_pending_events(brief);
    ManualService sessions(options, listening(log));
    std::vector<SessionId> lasting_ids;
    std::vector<SessionId> brief_ids;
    auto lasting_wish = CreateOptions().principal("alice").idle_timeout(1h);
    auto brief_wish = CreateOptions().principal("bob").idle_timeout(1min);
    sessions.run(create_all(sessions.service, lasting_wish, all - brief, lasting_ids));
    sessions.run(create_all(sessions.service, brief_wish, brief, brief_ids));
    sessions.settle();

    const auto before = sessions.metrics();
    sessions.pass(1min);
    const auto after = sessions.metrics();
    CHECK(after.live == all - brief);
    CHECK(after.removed_by(RemovalCause::expired_idle) == brief);
    CHECK(log->size() == brief);
    // Turns in proportion to what expired: expiry, delivery, and the two looks at the metrics.
    const auto turns =
        after.calls_inline + after.calls_suspended - before.calls_inline - before.calls_suspended;
    CHECK(turns < brief / 8);

    CHECK(sessions.run(count_untouched(sessions.service, lasting_ids, 59min)) == all - brief);
    CHECK(sessions.run(count_untouched(sessions.service, brief_ids, 0s)) == 0);
}

namespace {

/// Looks at the counters whenever it gets its turn, and notes the most that ended between two
/// looks.
asio::awaitable<void>
watch_steps(SessionService& service, std::uint64_t until, std::uint64_t& largest)
{
    std::uint64_t seen = 0;
    for (int looks = 0; seen < until && looks < 100'000; ++looks) {
        const auto metrics = co_await service.metrics();
        const auto removed = metrics->removed_total();
        largest = std::max(largest, removed - seen);
        seen = removed;
        co_await asio::post(asio::use_awaitable);
    }
}

} // namespace

TEST_CASE(
    "session_service: cleanup works in batches between which others get their turn",
    "[async][service]"
)
{
    auto options = plain_options().cleanup_batch(10);
    ManualService sessions(options);
    for (int i = 0; i < 500; ++i) {
        (void)sessions.add();
    }
    sessions.settle();
    std::uint64_t largest = 0;
    sessions.clock->advance(60s);
    const auto watching =
        spawn_coro(sessions.context.get_executor(), watch_steps(sessions.service, 500, largest));
    sessions.settle();
    REQUIRE(watching->is_done());
    CHECK(largest >= 1);
    CHECK(largest <= 20);
    CHECK(sessions.metrics().live == 0);
}

TEST_CASE("session_service: cleanup on request says how many it ended", "[async][service]")
{
    auto options = plain_options().shards(3).cleanup_batch(7);
    ManualService sessions(options);
    for (int i = 0; i < 100; ++i) {
        (void)sessions.add();
        (void)sessions.add(CreateOptions().principal("alice"));
    }
    // On a context of its own, where the background does not get its turn before.
    asio::io_context other;
    const auto cleanup = [&] { return run_coro(other, sessions.service.cleanup()).value(); };
    CHECK(cleanup() == 0);
    sessions.clock->advance(60s);
    CHECK(cleanup() == 100);
    CHECK(cleanup() == 0);
    CHECK(sessions.metrics().live == 100);
}

TEST_CASE(
    "session_service: cleanup of all ends everything, leased sessions with their lease",
    "[async][service]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().shards(3).cleanup_batch(7);
    ManualService sessions(options, listening(log));
    for (int i = 0; i < 100; ++i) {
        (void)sessions.add();
    }
    auto leased = sessions.create();
    CHECK(sessions.run(sessions.service.cleanup(CleanupScope::all)).value() == 101);
    CHECK_FALSE(sessions.knows(leased.id));
    sessions.settle();
    CHECK(log->size() == 100);
    CHECK(sessions.metrics().closing == 1);
    leased.lease.release();
    sessions.settle();
    CHECK(log->count(RemovalCause::deleted) == 101);
    CHECK(log->is_unique());

    // It is not the end of the service.
    CHECK(sessions.run(sessions.service.create()).has_value());
}

TEST_CASE("session_service: a clock that jumps far ahead or back does no harm", "[async][service]")
{
    ManualService sessions;
    const auto start = sessions.clock->steady();
    const auto id = sessions.establish();
    sessions.clock->set(start - 30min);
    sessions.settle();
    CHECK(sessions.knows(id));
    sessions.acquire(id).release();
    sessions.clock->set(start + 24h * 365);
    sessions.settle();
    CHECK_FALSE(sessions.knows(id));
    sessions.clock->set(TimePoint::max() - 1h);
    sessions.settle();
    const auto late = sessions.establish(CreateOptions().idle_timeout(24h * 300));
    CHECK(sessions.knows(late));
    sessions.pass(59min);
    CHECK(sessions.knows(late));
    CHECK(sessions.metrics().live == 1);
}

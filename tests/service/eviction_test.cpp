#include "service/manual_service.hpp"
#include "service/removal_log.hpp"
#include "support/allocations.hpp"
#include "support/context_threads.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

/// All that is allocated, coroutine frames too; always zero under a sanitizer.
std::size_t heap_bytes()
{
    return mallinfo2().uordblks;
}

asio::awaitable<void> create_many(SessionService& service, int count, std::atomic<int>& refused)
{
    for (int i = 0; i < count; ++i) {
        const auto created = co_await service.create();
        refused += created ? 0 : 1;
    }
}

} // namespace

// The first of the failures that started this project: eviction held the lock that deletion takes.
TEST_CASE(
    "session_service: eviction at capacity from many coroutines at once completes",
    "[async][service]"
)
{
    const auto threads = GENERATE(std::size_t{1}, std::size_t{4});
    const auto shards = GENERATE(std::size_t{1}, std::size_t{4});
    const auto is_listening = GENERATE(false, true);
    INFO("threads " << threads << ", shards " << shards << ", listening " << is_listening);
    constexpr int coroutines = 32;
    constexpr int each = 100;

    const auto log = std::make_shared<RemovalLog>();
    // In each shard, room for what all coroutines lease at once.
    const auto capacity = 64 * shards;
    auto options =
        plain_options().max_sessions(capacity).shards(shards).max_pending_events(1'000'000);
    ManualService sessions(options, is_listening ? listening(log) : ServiceEnvironment());
    std::atomic<int> refused{0};
    std::vector<std::shared_ptr<CoroResult<void>>> running;
    {
        const ContextThreads background(sessions.context, threads);
        for (int i = 0; i < coroutines; ++i) {
            running.push_back(spawn_coro(
                sessions.context.get_executor(), create_many(sessions.service, each, refused)
            ));
        }
        for (const auto& one : running) {
            poll_until([&] { return one->is_done(); });
            one->take();
        }
    }
    sessions.context.restart();
    sessions.settle();

    const auto metrics = sessions.metrics();
    CHECK(refused == 0);
    CHECK(metrics.created == coroutines * each);
    CHECK(metrics.live == capacity);
    CHECK(metrics.leased == 0);
    CHECK(metrics.removed_by(RemovalCause::evicted) == coroutines * each - capacity);
    CHECK(metrics.removed_total() == metrics.removed_by(RemovalCause::evicted));
    if (is_listening) {
        CHECK(metrics.pending_removals == 0);
        CHECK(log->size() == metrics.removed_total());
        CHECK(log->is_unique());
    }
}

TEST_CASE(
    "session_service: the session whose last request ended longest ago is evicted",
    "[async][service]"
)
{
    auto options = plain_options().max_sessions(3);
    ManualService sessions(options);
    const auto a = sessions.establish();
    const auto b = sessions.establish();
    const auto c = sessions.establish();
    // Touched is used; and what counts is the end of a request, not its beginning.
    auto long_request = sessions.acquire(b);
    (void)sessions.run(sessions.service.touch(a));
    long_request.release();

    const auto d = sessions.add();
    CHECK_FALSE(sessions.knows(c));
    const auto e = sessions.add();
    CHECK_FALSE(sessions.knows(a));
    CHECK(sessions.knows(b));
    (void)sessions.add();
    CHECK_FALSE(sessions.knows(b));
    CHECK(sessions.knows(d));
    CHECK(sessions.knows(e));
    CHECK(sessions.metrics().removed_by(RemovalCause::evicted) == 3);
}

// The third: the recency queue had an entry for each touch.
TEST_CASE(
    "session_service: a session touched many times is in the recency list once", "[async][service]"
)
{
    auto options = plain_options().max_sessions(4).request_rate(RateLimit::unlimited());
    ManualService sessions(options);
    std::vector<SessionId> ids;
    for (int i = 0; i < 4; ++i) {
        ids.push_back(sessions.establish());
    }
    const auto use = [&](int rounds) {
        for (int i = 0; i < rounds; ++i) {
            for (const auto& id : ids) {
                (void)sessions.run(sessions.service.touch(id));
                (void)sessions.acquire(id);
            }
            sessions.pass(1ms);
        }
    };
    use(100);
    const auto before = bytes_allocated();
    const auto heap_before = heap_bytes();
    use(2000);
    CHECK(sessions.metrics().live == 4);
    CHECK(bytes_allocated() == before);
    CHECK(heap_bytes() <= heap_before + 4096);

    // Were an entry left over, one of these would evict a session that was just created.
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto fresh = sessions.add();
        CHECK(sessions.knows(fresh));
        CHECK_FALSE(sessions.knows(ids[i]));
        CHECK(sessions.metrics().live == 4);
    }
    CHECK(sessions.metrics().removed_by(RemovalCause::evicted) == 4);
}

TEST_CASE("session_service: memory stays flat while sessions come and go", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().max_sessions(50).shards(2);
    ManualService sessions(options);
    const auto churn = [&](int rounds) {
        for (int i = 0; i < rounds; ++i) {
            auto wish = CreateOptions().principal("user" + std::to_string(i % 80));
            const auto id = sessions.establish(wish);
            if (i % 3 == 0) {
                (void)sessions.run(sessions.service.rotate(id));
            }
            if (i % 100 == 0) {
                sessions.pass(10min);
            }
        }
        (void)sessions.run(sessions.service.cleanup(CleanupScope::all));
    };
    churn(1000);
    const auto before = bytes_allocated();
    const auto heap_before = heap_bytes();
    churn(4000);
    CHECK(bytes_allocated() <= before + 16384);
    CHECK(heap_bytes() <= heap_before + 16384);
}

TEST_CASE("session_service: when all sessions are leased there is no room", "[async][service]")
{
    auto options = plain_options().max_sessions(2);
    ManualService sessions(options);
    auto first = sessions.create();
    const auto second = sessions.create();

    const auto refused = sessions.run(sessions.service.create());
    CHECK(refused.error() == errc::overloaded);
    CHECK(refused.error().retry_after() > Duration::zero());
    CHECK(sessions.metrics().refused_overloaded == 1);
    CHECK(sessions.metrics().created == 2);

    first.lease.release();
    CHECK(sessions.run(sessions.service.create()).has_value());
    CHECK_FALSE(sessions.knows(first.id));
    CHECK(sessions.knows(second.id));
}

TEST_CASE("session_service: sessions that have expired make room before others", "[async][service]")
{
    const auto policy = GENERATE(WhenFull::evict_idle, WhenFull::reject);
    auto options = plain_options().max_sessions(3).when_full(policy);
    ManualService sessions(options);
    const auto old = sessions.establish();
    // More recently used than it, and yet it is this one that has expired.
    const auto lasting = sessions.establish(CreateOptions().principal("alice"));
    const auto brief = sessions.establish(CreateOptions().idle_timeout(1min));
    sessions.clock->advance(1min);

    CHECK(sessions.run(sessions.service.create()).has_value());
    CHECK(sessions.knows(old));
    CHECK(sessions.knows(lasting));
    CHECK_FALSE(sessions.knows(brief));
    const auto metrics = sessions.metrics();
    CHECK(metrics.removed_by(RemovalCause::expired_idle) == 1);
    CHECK(metrics.removed_by(RemovalCause::evicted) == 0);
}

TEST_CASE("session_service: the policy reject keeps the sessions there are", "[async][service]")
{
    auto options = plain_options().max_sessions(2).when_full(WhenFull::reject);
    ManualService sessions(options);
    const auto a = sessions.establish();
    const auto b = sessions.establish();
    const auto refused = sessions.run(sessions.service.create());
    CHECK(refused.error() == errc::overloaded);
    CHECK(refused.error().retry_after() > Duration::zero());
    CHECK(sessions.knows(a));
    (void)sessions.run(sessions.service.remove(b));
    CHECK(sessions.run(sessions.service.create()).has_value());
}

TEST_CASE(
    "session_service: no more sessions live than the options allow, over all shards",
    "[async][service]"
)
{
    auto options = plain_options().max_sessions(10).shards(7);
    ManualService sessions(options);
    for (int i = 0; i < 200; ++i) {
        (void)sessions.add();
        REQUIRE(sessions.metrics().live <= 10);
    }
    CHECK(sessions.metrics().live == 10);
}

// Several shards are one service: one capacity, one order of use.

#include "service/manual_service.hpp"

#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <random>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t shards = 16;

ServiceOptions sharded(std::size_t capacity)
{
    return plain_options().max_sessions(capacity).shards(shards).request_rate(RateLimit::unlimited()
    );
}

} // namespace

TEST_CASE("session_service shards: the capacity is one number, and exact", "[async][service]")
{
    constexpr std::size_t capacity = 100;
    auto options = sharded(capacity);
    ManualService sessions(options);
    std::vector<SessionId> ids;
    for (std::size_t i = 0; i < capacity; ++i) {
        ids.push_back(sessions.establish());
        sessions.clock->advance(1ms);
    }
    // Nobody had to go before it was full, wherever chance has put them.
    CHECK(sessions.metrics().live == capacity);
    CHECK(sessions.metrics().removed_total() == 0);
    for (int i = 0; i < 50; ++i) {
        (void)sessions.establish();
        REQUIRE(sessions.metrics().live == capacity);
    }
    CHECK(sessions.metrics().removed_by(RemovalCause::evicted) == 50);
    // One that is removed makes room for one, in whichever shard it falls.
    CHECK(sessions.run(sessions.service.remove(ids.back())).has_value());
    (void)sessions.establish();
    CHECK(sessions.metrics().removed_by(RemovalCause::evicted) == 50);
    CHECK(sessions.metrics().live == capacity);
}

TEST_CASE(
    "session_service shards: the session used least recently of all is evicted, at random",
    "[async][service]"
)
{
    // One thread, so that no turn comes between: the victim is the one that a single list gives.
    const auto seed = GENERATE(1U, 2U, 3U, 4U);
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    constexpr std::size_t capacity = 64;
    auto options = sharded(capacity);
    ManualService sessions(options);
    std::deque<SessionId> order;
    for (int step = 0; step < 2000; ++step) {
        sessions.clock->advance(1us);
        if (order.size() == capacity && random() % 3 != 0) {
            const auto used = order.begin() + static_cast<std::ptrdiff_t>(random() % capacity);
            const auto id = *used;
            order.erase(used);
            sessions.acquire(id).release();
            order.push_back(id);
            continue;
        }
        const bool is_full = order.size() == capacity;
        order.push_back(sessions.establish());
        if (is_full) {
            const auto victim = order.front();
            order.pop_front();
            if (sessions.knows(victim)) {
                FAIL("step " << step << ": another than the least recently used was evicted");
            }
        }
    }
    CHECK(sessions.metrics().live == capacity);
    CHECK(std::ranges::all_of(order, [&](const SessionId& id) { return sessions.knows(id); }));
}

TEST_CASE(
    "session_service shards: nobody is evicted where the policy forbids it", "[async][service]"
)
{
    auto options = sharded(20).when_full(WhenFull::reject);
    ManualService sessions(options);
    for (int i = 0; i < 20; ++i) {
        (void)sessions.establish();
    }
    const auto refused = sessions.run(sessions.service.create());
    CHECK(refused.error() == errc::overloaded);
    CHECK(refused.error().retry_after() > Duration::zero());
    CHECK(sessions.metrics().refused_overloaded == 1);
    CHECK(sessions.metrics().live == 20);
    // Those that have expired make room all the same.
    sessions.clock->advance(30min);
    CHECK(sessions.run(sessions.service.create()).has_value());
}

TEST_CASE("session_service shards: leased sessions are never evicted", "[async][service]")
{
    auto options = sharded(20);
    ManualService sessions(options);
    std::vector<CreatedSession> leased;
    for (int i = 0; i < 20; ++i) {
        leased.push_back(sessions.create());
    }
    CHECK(sessions.run(sessions.service.create()).error() == errc::overloaded);
    CHECK(sessions.metrics().refused_overloaded == 1);
    leased[7].lease.release();
    (void)sessions.create();
    CHECK_FALSE(sessions.knows(leased[7].id));
    CHECK(sessions.metrics().live == 20);
}

TEST_CASE("session_service shards: a creation that fails evicts nobody", "[async][service]")
{
    auto options = sharded(20);
    ManualService sessions(options);
    const auto id = sessions.establish();
    for (int i = 1; i < 20; ++i) {
        (void)sessions.establish();
    }
    auto wish = CreateOptions().adopt(id);
    CHECK(sessions.run(sessions.service.create(wish)).error() == errc::id_in_use);
    CHECK(sessions.metrics().live == 20);
    CHECK(sessions.metrics().removed_total() == 0);
}

TEST_CASE("session_service shards: both faces make room", "[async][service]")
{
    auto options = sharded(20);
    ManualService sessions(options);
    for (int i = 0; i < 30; ++i) {
        auto created = sessions.service.async_create(CreateOptions(), asio::use_future);
        sessions.settle();
        REQUIRE(created.get().has_value());
    }
    CHECK(sessions.metrics().live == 20);
    CHECK(sessions.metrics().removed_by(RemovalCause::evicted) == 10);
}

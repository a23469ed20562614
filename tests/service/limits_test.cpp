#include "service/manual_service.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstddef>

using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

TEST_CASE("session_service: a session has a burst of requests, then its rate", "[async][service]")
{
    auto options = plain_options().request_rate(RateLimit(10, 5));
    ManualService sessions(options);
    const auto id = sessions.add();
    for (int i = 0; i < 5; ++i) {
        REQUIRE(sessions.run(sessions.service.acquire(id)).has_value());
    }
    const auto refused = sessions.run(sessions.service.acquire(id));
    CHECK(refused.error() == errc::rate_limited);
    CHECK(refused.error().retry_after() == 100ms);
    // Hammering does not push the moment away.
    for (int i = 0; i < 50; ++i) {
        REQUIRE(sessions.run(sessions.service.acquire(id)).error().retry_after() == 100ms);
    }
    const auto metrics = sessions.metrics();
    CHECK(metrics.acquires == 56);
    CHECK(metrics.acquired == 5);
    CHECK(metrics.rate_limited == 51);
}

TEST_CASE(
    "session_service: waiting for retry_after suffices, and a nanosecond less does not",
    "[async][service]"
)
{
    auto options = plain_options().request_rate(RateLimit(7, 3));
    ManualService sessions(options);
    const auto id = sessions.add();
    int admitted = 0;
    for (int i = 0; i < 200; ++i) {
        const auto result = sessions.run(sessions.service.acquire(id));
        if (result) {
            ++admitted;
            sessions.clock->advance((i % 5) * 17ms);
            continue;
        }
        const auto wait = result.error().retry_after();
        REQUIRE(wait > Duration::zero());
        sessions.clock->advance(wait - 1ns);
        REQUIRE(sessions.run(sessions.service.acquire(id)).error().retry_after() == 1ns);
        sessions.clock->advance(1ns);
        REQUIRE(sessions.run(sessions.service.acquire(id)).has_value());
        ++admitted;
    }
    CHECK(admitted > 100);
}

TEST_CASE(
    "session_service: a refused request neither leases nor touches its session", "[async][service]"
)
{
    auto options = plain_options().request_rate(RateLimit(1, 1)).max_sessions(2);
    ManualService sessions(options);
    const auto limited = sessions.establish();
    sessions.clock->advance(100ms);
    const auto other = sessions.establish();
    REQUIRE(sessions.run(sessions.service.acquire(limited)).error() == errc::rate_limited);
    const auto info = sessions.run(sessions.service.peek(limited)).value();
    CHECK(info.requests == 1);
    CHECK(info.leases == 0);
    CHECK(info.expires_in == 30min - 100ms);
    // It still is the one that was used longest ago.
    (void)sessions.add();
    CHECK_FALSE(sessions.knows(limited));
    CHECK(sessions.knows(other));
}

TEST_CASE("session_service: one session's rate is no concern of another's", "[async][service]")
{
    auto options = plain_options().request_rate(RateLimit(1, 1));
    ManualService sessions(options);
    const auto a = sessions.establish();
    const auto b = sessions.add();
    CHECK(sessions.run(sessions.service.acquire(a)).error() == errc::rate_limited);
    CHECK(sessions.run(sessions.service.acquire(b)).has_value());
}

TEST_CASE("session_service: rotation does not give a session a fresh rate", "[async][service]")
{
    for (const std::size_t shards : {1U, 7U}) {
        auto options = plain_options().request_rate(RateLimit(10, 3)).shards(shards);
        ManualService sessions(options);
        auto id = sessions.add();
        int admitted = 0;
        for (int i = 0; i < 30; ++i) {
            admitted += sessions.run(sessions.service.acquire(id)) ? 1 : 0;
            id = sessions.run(sessions.service.rotate(id)).value();
        }
        CHECK(admitted == 3);
        CHECK(sessions.run(sessions.service.acquire(id)).error().retry_after() == 100ms);
    }
}

TEST_CASE("session_service: an unlimited rate refuses nobody", "[async][service]")
{
    auto options = plain_options().request_rate(RateLimit::unlimited());
    ManualService sessions(options);
    const auto id = sessions.add();
    for (int i = 0; i < 1000; ++i) {
        REQUIRE(sessions.run(sessions.service.acquire(id)).has_value());
    }
}

TEST_CASE("session_service: a session may have a rate of its own", "[async][service]")
{
    const auto options = plain_options().request_rate(RateLimit(10, 2));
    ManualService sessions(options);
    const auto paying = sessions.add(CreateOptions().request_rate(RateLimit(1'000, 20)));
    const auto distrusted = sessions.add(CreateOptions().request_rate(RateLimit(1, 1)));
    const auto internal = sessions.add(CreateOptions().request_rate(RateLimit::unlimited()));
    const auto plain = sessions.add();
    const auto burst = [&](const SessionId& id) {
        int count = 0;
        while (count < 1'000 && sessions.run(sessions.service.acquire(id))) {
            ++count;
        }
        return count;
    };
    CHECK(burst(paying) == 20);
    CHECK(burst(distrusted) == 1);
    CHECK(burst(internal) == 1'000);
    CHECK(burst(plain) == 2);
    CHECK(sessions.run(sessions.service.acquire(paying)).error().retry_after() == 1ms);
    CHECK(sessions.run(sessions.service.acquire(distrusted)).error().retry_after() == 1s);

    // Rotation keeps it, and what was used up of it.
    const auto rotated = sessions.run(sessions.service.rotate(paying)).value();
    CHECK(burst(rotated) == 0);
    sessions.pass(5ms);
    CHECK(burst(rotated) == 5);
    CHECK(burst(distrusted) == 0);
    // The slot of one that is gone has nothing of it left.
    CHECK(sessions.run(sessions.service.remove(internal)).has_value());
    CHECK(burst(sessions.add()) == 2);
}

TEST_CASE(
    "session_service: a session's own rate is exact, whatever clock requests read",
    "[async][service]"
)
{
    // The service's rate tolerates a coarse clock; this one does not.
    const auto options = plain_options().request_rate(RateLimit(10, 1));
    ManualService sessions(options);
    const auto id = sessions.add(CreateOptions().request_rate(RateLimit(1'000'000, 1)));
    CHECK(sessions.run(sessions.service.acquire(id)).has_value());
    sessions.clock->advance(999ns);
    CHECK(sessions.run(sessions.service.acquire(id)).error().retry_after() == 1ns);
    sessions.clock->advance(1ns);
    CHECK(sessions.run(sessions.service.acquire(id)).has_value());
}

TEST_CASE("session_service: a rate out of bounds is refused", "[async][service]")
{
    ManualService sessions;
    for (const auto rate :
         {RateLimit(0, 1), RateLimit(1, 0), RateLimit(1'000'000'001, 1), RateLimit(1, 1'000'001)}) {
        const auto wish = CreateOptions().request_rate(rate);
        CHECK(sessions.run(sessions.service.create(wish)).error() == errc::invalid_options);
    }
    CHECK(sessions.metrics().created == 0);
}

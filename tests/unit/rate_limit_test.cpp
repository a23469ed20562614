#include "sojourn/core/rate_limit.hpp"
#include "unit/rate_window.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <random>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using sojourn::Duration;
using sojourn::RateLimit;
using sojourn::RateLimiter;
using sojourn::TimePoint;
using sojourn::unit::ceil_of_window;
using sojourn::unit::first_request;

static_assert(!std::is_aggregate_v<RateLimit>);

namespace {

/// One client's view of a limiter.
class Client {
public:
    explicit Client(RateLimit limit, TimePoint born = first_request)
        : limiter_(limit), arrival_(born)
    {
    }

    /// Zero if admitted, else how long to wait.
    Duration ask(TimePoint now) { return limiter_.admit(arrival_, now); }

    bool is_admitted(TimePoint now) { return ask(now) == Duration::zero(); }

    [[nodiscard]] TimePoint arrival() const { return arrival_; }

private:
    RateLimiter limiter_;
    TimePoint arrival_;
};

} // namespace

TEST_CASE("rate_limit: a burst is admitted at once, and then one an interval", "[unit][core]")
{
    Client client(RateLimit(100, 5));
    for (int i = 0; i < 5; ++i) {
        CHECK(client.is_admitted(first_request));
    }
    CHECK(client.ask(first_request) == 10ms);
    CHECK(client.ask(first_request + 9'999'999ns) == 1ns);
    CHECK(client.is_admitted(first_request + 10ms));
    CHECK(client.ask(first_request + 10ms) == 10ms);
    // After a second of rest, the whole burst again and not more.
    for (int i = 0; i < 5; ++i) {
        CHECK(client.is_admitted(first_request + 2s));
    }
    CHECK_FALSE(client.is_admitted(first_request + 2s));
}

TEST_CASE("rate_limit: with a burst of one, requests keep their distance", "[unit][core]")
{
    Client client(RateLimit(1, 1));
    CHECK(client.is_admitted(first_request));
    CHECK(client.ask(first_request) == 1s);
    CHECK(client.ask(first_request + 999'999'999ns) == 1ns);
    CHECK(client.is_admitted(first_request + 1s));
    CHECK(client.ask(first_request + 1s) == 1s);
}

TEST_CASE("rate_limit: a refused request does not advance the limiter", "[unit][core]")
{
    Client client(RateLimit(10, 2));
    CHECK(client.is_admitted(first_request));
    CHECK(client.is_admitted(first_request));
    const auto arrival = client.arrival();
    for (int i = 0; i < 1000; ++i) {
        CHECK(client.ask(first_request) == 100ms);
    }
    CHECK(client.arrival() == arrival);
    CHECK(client.is_admitted(first_request + 100ms));
}

TEST_CASE("rate_limit: a client that keeps the interval is never refused", "[unit][core]")
{
    const auto rate = GENERATE(1U, 3U, 7U, 100U, 333U, 1'000'000U, 1'000'000'000U);
    const RateLimit limit(rate, 1);
    Client client(limit);
    auto now = first_request;
    int refused = 0;
    for (int i = 0; i < 2000; ++i) {
        refused += client.is_admitted(now) ? 0 : 1;
        now += limit.interval();
    }
    CAPTURE(rate);
    CHECK(refused == 0);
}

TEST_CASE("rate_limit: waiting for retry_after is exact to a nanosecond", "[unit][core]")
{
    std::mt19937_64 random(5);
    const auto pick = [&](auto least, auto most) {
        return std::uniform_int_distribution<std::int64_t>(least, most)(random);
    };
    int refusals = 0;
    for (int i = 0; i < 200; ++i) {
        const RateLimit limit(
            static_cast<std::uint32_t>(pick(1, 2000)), static_cast<std::uint32_t>(pick(1, 20))
        );
        Client client(limit);
        auto now = first_request;
        for (int request = 0; request < 200; ++request) {
            now += Duration(pick(0, limit.interval().count()));
            const auto wait = client.ask(now);
            if (wait == Duration::zero()) {
                continue;
            }
            ++refusals;
            Client early = client;
            Client on_time = client;
            // A limiter that says "admitted" and takes no note of it has not admitted.
            if (early.is_admitted(now + wait - 1ns) || !on_time.is_admitted(now + wait) ||
                on_time.arrival() == client.arrival()) {
                FAIL(
                    "rate " << limit.requests_per_second() << ", burst " << limit.burst()
                            << ": wait of " << wait.count()
                );
            }
        }
    }
    CHECK(refusals > 1000);
}

TEST_CASE("rate_limit: no window sees more than its burst and its rate", "[unit][core]")
{
    // For any admitted requests i < j: in the closed window from i to j are j - i + 1, and the
    // bound must hold for each pair. Traffic alternates between floods, trickles and rest.
    std::mt19937_64 random(GENERATE(1U, 2U, 3U, 4U));
    const auto pick = [&](std::int64_t least, std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>(least, most)(random);
    };
    for (int round = 0; round < 40; ++round) {
        const RateLimit limit(
            static_cast<std::uint32_t>(pick(1, 5000)), static_cast<std::uint32_t>(pick(1, 12))
        );
        Client client(limit);
        auto now = first_request;
        std::vector<TimePoint> admitted;
        for (int request = 0; request < 400; ++request) {
            switch (pick(0, 9)) {
            case 0:
                now += limit.interval() * pick(1, 20);
                break;
            case 1:
                now += Duration(pick(0, 2 * limit.interval().count()));
                break;
            case 2:
                now += client.ask(now) - 1ns > 0ns ? client.ask(now) - 1ns : 0ns;
                break;
            case 3:
                now += client.ask(now);
                break;
            default:
                break;
            }
            if (client.is_admitted(now)) {
                admitted.push_back(now);
            }
        }
        for (std::size_t i = 0; i < admitted.size(); ++i) {
            for (std::size_t j = i; j < admitted.size(); ++j) {
                const auto seen = static_cast<std::int64_t>(j - i + 1);
                if (seen > limit.burst() + ceil_of_window(admitted[j] - admitted[i], limit)) {
                    FAIL(
                        "rate " << limit.requests_per_second() << ", burst " << limit.burst()
                                << ": " << seen
                    );
                }
            }
        }
    }
    SUCCEED();
}

TEST_CASE("rate_limit: a greedy client gets its rate and not less", "[unit][core]")
{
    const RateLimit limit(100, 10);
    Client client(limit);
    int admitted = 0;
    for (auto now = first_request; now <= first_request + 10s; now += 1ms) {
        admitted += client.is_admitted(now) ? 1 : 0;
    }
    CHECK(admitted == 10 + 1000);
}

TEST_CASE("rate_limit: the interval is rounded up, so the rate is never exceeded", "[unit][core]")
{
    CHECK(RateLimit(1, 1).interval() == 1s);
    CHECK(RateLimit(100, 1).interval() == 10ms);
    CHECK(RateLimit(3, 1).interval() == 333'333'334ns);
    CHECK(RateLimit(1'000'000'000, 1).interval() == 1ns);
    CHECK(RateLimit(999'999'999, 1).interval() == 2ns);
    CHECK(RateLimit::unlimited().interval() == 0ns);
}

TEST_CASE("rate_limit: unlimited refuses nobody", "[unit][core]")
{
    CHECK(RateLimit::unlimited().is_unlimited());
    CHECK_FALSE(RateLimit(1, 1).is_unlimited());
    CHECK_FALSE(RateLimit(0, 1).is_unlimited());
    CHECK_FALSE(RateLimit(1, 0).is_unlimited());
    Client client(RateLimit::unlimited());
    int refused = 0;
    for (int i = 0; i < 100'000; ++i) {
        refused += client.is_admitted(first_request) ? 0 : 1;
    }
    CHECK(refused == 0);
}

TEST_CASE("rate_limit: limits compare by rate and burst", "[unit][core]")
{
    CHECK(RateLimit(5, 6) == RateLimit(5, 6));
    CHECK(RateLimit(5, 6) != RateLimit(5, 7));
    CHECK(RateLimit(5, 6) != RateLimit(4, 6));
    CHECK(RateLimit(5, 6).requests_per_second() == 5);
    CHECK(RateLimit(5, 6).burst() == 6);
}

TEST_CASE("rate_limit: at both ends of the clock nothing overflows", "[unit][core]")
{
    SECTION("the largest burst of the slowest rate")
    {
        Client client(RateLimit(1, 1'000'000));
        for (int i = 0; i < 1'000'000; ++i) {
            if (!client.is_admitted(first_request)) {
                FAIL("refused within the burst");
            }
        }
        CHECK(client.ask(first_request) == 1s);
    }
    SECTION("the last moments of the clock")
    {
        const auto late = TimePoint::max() - 5s;
        Client client(RateLimit(1, 2), late);
        CHECK(client.is_admitted(late));
        CHECK(client.is_admitted(late));
        CHECK(client.ask(late) == 1s);
        CHECK(client.is_admitted(TimePoint::max() - 1ns));
        // Here the arithmetic saturates; it must neither overflow nor lock anybody out for ever.
        CHECK(client.is_admitted(TimePoint::max()));
    }
    SECTION("the first moments of the clock")
    {
        Client client(RateLimit(1, 2), TimePoint::min());
        CHECK(client.is_admitted(TimePoint::min()));
        CHECK(client.is_admitted(TimePoint::min()));
        CHECK(client.ask(TimePoint::min()) == 1s);
        CHECK(client.is_admitted(TimePoint::min() + 1s));
        CHECK(client.is_admitted(TimePoint::max()));
    }
}

TEST_CASE("rate_limit: a lag no longer than the interval is tolerated", "[unit][core]")
{
    CHECK(RateLimiter(RateLimit::unlimited()).tolerates(1h));
    CHECK(RateLimiter(RateLimit(100, 5)).tolerates(10ms));
    CHECK_FALSE(RateLimiter(RateLimit(101, 5)).tolerates(10ms));
    CHECK_FALSE(RateLimiter(RateLimit(1'000'000'000, 1)).tolerates(10ms));
}

TEST_CASE("rate_limit: a clock that lags where it admits does not break the bound", "[unit][core]")
{
    // Requests at random moments, in bursts and at the interval; each is decided by a clock that
    // lags and, if that refuses, by the exact one. In any window, counted between any two admitted
    // requests, no more than burst + ceil(w / interval) were.
    const auto seed = GENERATE(1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U);
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto pick = [&](std::int64_t least, std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>(least, most)(random);
    };
    const RateLimit limit(
        static_cast<std::uint32_t>(pick(1, 100)), static_cast<std::uint32_t>(pick(1, 5))
    );
    const auto interval = limit.interval().count();
    constexpr std::int64_t lag = 10'000'000;
    const RateLimiter limiter(limit);
    REQUIRE(limiter.tolerates(Duration(lag)));
    std::vector<std::int64_t> admitted;
    TimePoint arrival = first_request;
    auto known = first_request;
    std::int64_t now = 0;
    for (int i = 0; i < 1500; ++i) {
        const std::array<std::int64_t, 4> steps = {0, interval, pick(0, interval), pick(0, lag)};
        now += steps[static_cast<std::size_t>(pick(0, 3))];
        // What the lagging clock says never goes back.
        known = std::max(known, first_request + Duration(now - pick(0, lag - 1)));
        if (limiter.admit(arrival, known) > Duration::zero()) {
            known = first_request + Duration(now);
            if (limiter.admit(arrival, known) > Duration::zero()) {
                continue;
            }
        }
        admitted.push_back(now);
    }
    for (std::size_t first = 0; first < admitted.size(); ++first) {
        for (std::size_t last = first; last < admitted.size(); ++last) {
            const auto window = admitted[last] - admitted[first];
            const auto bound = limit.burst() + (window + interval - 1) / interval;
            if (static_cast<std::int64_t>(last - first + 1) > bound) {
                FAIL(last - first + 1 << " in " << window << " ns, and the bound is " << bound);
            }
        }
    }
    CHECK(admitted.size() > 100);
}

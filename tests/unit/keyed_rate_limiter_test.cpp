#include "sojourn/core/keyed_rate_limiter.hpp"
#include "support/allocations.hpp"
#include "support/seed.hpp"
#include "unit/rate_window.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using sojourn::Duration;
using sojourn::HashKey;
using sojourn::KeyedRateLimiter;
using sojourn::RateLimit;
using sojourn::RateLimiter;
using sojourn::TimePoint;
using sojourn::tests::allocations_made;
using sojourn::tests::bytes_allocated;
using sojourn::unit::ceil_of_window;
using sojourn::unit::first_request;

namespace {

constexpr HashKey secret{0x0123456789abcdef, 0xfedcba9876543210};

static_assert(noexcept(std::declval<KeyedRateLimiter&>().admit(std::string_view(), first_request)));

/// As many entries as one bucket has, so that all keys meet.
constexpr std::size_t one_bucket = 4;

bool is_admitted(KeyedRateLimiter& limiter, std::string_view key, TimePoint now)
{
    return limiter.admit(key, now) == Duration::zero();
}

/// Admitted requests of `count` at one moment.
int admitted_of(int count, KeyedRateLimiter& limiter, std::string_view key, TimePoint now)
{
    int admitted = 0;
    for (int i = 0; i < count; ++i) {
        admitted += is_admitted(limiter, key, now) ? 1 : 0;
    }
    return admitted;
}

/// Random numbers from a seed.
class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}

    std::int64_t pick(std::int64_t least, std::int64_t most)
    {
        return std::uniform_int_distribution<std::int64_t>(least, most)(engine_);
    }

    std::string key_of(std::int64_t count) { return std::to_string(pick(0, count - 1)); }

    RateLimit limit(std::int64_t rate_max, std::int64_t burst_max)
    {
        const auto rate = static_cast<std::uint32_t>(pick(1, rate_max));
        return {rate, static_cast<std::uint32_t>(pick(1, burst_max))};
    }

private:
    std::mt19937_64 engine_;
};

/// Every key's limit by itself, and nobody is ever forgotten.
class NaiveLimiter {
public:
    explicit NaiveLimiter(RateLimit limit) : limiter_(limit) {}

    Duration admit(const std::string& key, TimePoint now)
    {
        return limiter_.admit(arrivals_.try_emplace(key, TimePoint::min()).first->second, now);
    }

private:
    RateLimiter limiter_;
    std::map<std::string, TimePoint> arrivals_;
};

} // namespace

TEST_CASE("keyed_rate_limiter: each key has a burst and then one an interval", "[unit][core]")
{
    KeyedRateLimiter limiter(RateLimit(100, 5), 1024, secret);
    for (const auto* const key : {"ada", "bob", "", "192.0.2.1", "2001:db8::1"}) {
        CAPTURE(key);
        CHECK(admitted_of(5, limiter, key, first_request) == 5);
        CHECK(limiter.admit(key, first_request) == 10ms);
    }
    for (const auto* const key : {"ada", "bob"}) {
        CAPTURE(key);
        CHECK(limiter.admit(key, first_request + 9'999'999ns) == 1ns);
    }
    for (const auto* const key : {"ada", "bob"}) {
        CAPTURE(key);
        CHECK(is_admitted(limiter, key, first_request + 10ms));
        CHECK(limiter.admit(key, first_request + 10ms) == 10ms);
    }
    // After a second of rest, the whole burst again and not more.
    CHECK(admitted_of(6, limiter, "ada", first_request + 2s) == 5);
    CHECK(limiter.forgotten() == 0);
}

TEST_CASE("keyed_rate_limiter: a refused request does not advance its key", "[unit][core]")
{
    KeyedRateLimiter limiter(RateLimit(10, 2), 64, secret);
    CHECK(admitted_of(1000, limiter, "ada", first_request) == 2);
    CHECK(limiter.admit("ada", first_request) == 100ms);
    CHECK(is_admitted(limiter, "ada", first_request + 100ms));
}

TEST_CASE("keyed_rate_limiter: waiting for the answer is exact to a nanosecond", "[unit][core]")
{
    const auto seed = sojourn::tests::announced_seed();
    CAPTURE(seed);
    Random random(seed);
    int refusals = 0;
    for (int round = 0; round < 50; ++round) {
        const auto limit = random.limit(2000, 20);
        KeyedRateLimiter limiter(limit, one_bucket, secret);
        auto now = first_request;
        for (int request = 0; request < 400; ++request) {
            // Twice as much as the four may have.
            now += Duration(random.pick(0, limit.interval().count() / 4));
            const auto key = random.key_of(4);
            const auto wait = limiter.admit(key, now);
            if (wait == Duration::zero()) {
                continue;
            }
            ++refusals;
            auto early = limiter;
            auto on_time = limiter;
            if (is_admitted(early, key, now + wait - 1ns) ||
                !is_admitted(on_time, key, now + wait)) {
                FAIL(
                    "rate " << limit.requests_per_second() << ", burst " << limit.burst()
                            << ": wait of " << wait.count()
                );
            }
        }
        CHECK(limiter.forgotten() == 0);
    }
    CHECK(refusals > 1000);
}

TEST_CASE("keyed_rate_limiter: no window sees more of a key than its limit", "[unit][core]")
{
    // As for RateLimiter: in the closed window between any two admitted requests of a key. Traffic
    // alternates between floods, trickles, waits that fall short, exact ones and rest.
    const auto seed = sojourn::tests::announced_seed();
    CAPTURE(seed);
    Random random(seed);
    for (int round = 0; round < 30; ++round) {
        const auto limit = random.limit(5000, 12);
        KeyedRateLimiter limiter(limit, 4096, secret);
        std::map<std::string, std::vector<TimePoint>> admitted;
        auto now = first_request;
        auto wait = Duration::zero();
        for (int request = 0; request < 2000; ++request) {
            switch (random.pick(0, 19)) {
            case 0:
                now += limit.interval() * random.pick(1, 20);
                break;
            case 1:
            case 2:
                now += Duration(random.pick(0, limit.interval().count()));
                break;
            case 3:
                now += std::max(wait - 1ns, Duration::zero());
                break;
            case 4:
                now += wait;
                break;
            default:
                break;
            }
            const auto key = random.key_of(6);
            wait = limiter.admit(key, now);
            if (wait == Duration::zero()) {
                admitted[key].push_back(now);
            }
        }
        REQUIRE(limiter.forgotten() == 0);
        for (const auto& [key, times] : admitted) {
            for (std::size_t i = 0; i < times.size(); ++i) {
                for (std::size_t j = i; j < times.size(); ++j) {
                    const auto seen = static_cast<std::int64_t>(j - i + 1);
                    if (seen > limit.burst() + ceil_of_window(times[j] - times[i], limit)) {
                        FAIL(
                            "rate " << limit.requests_per_second() << ", burst " << limit.burst()
                                    << ": " << seen
                        );
                    }
                }
            }
        }
    }
    SUCCEED();
}

TEST_CASE("keyed_rate_limiter: it is as one limit a key, while none is forgotten", "[unit][core]")
{
    const auto seed = sojourn::tests::announced_seed();
    CAPTURE(seed);
    Random random(seed);
    int compared = 0;
    for (int round = 0; round < 20; ++round) {
        const auto limit = random.limit(1000, 10);
        // Every second table has room for all; in the others they meet, sooner or later.
        const auto entries =
            round % 2 == 0 ? 16'384 : static_cast<std::size_t>(random.pick(1, 2000));
        KeyedRateLimiter limiter(limit, entries, secret);
        NaiveLimiter naive(limit);
        auto now = first_request;
        for (int request = 0; request < 5000; ++request) {
            now += random.pick(0, 3) == 0 ? Duration(random.pick(0, 5'000'000)) : Duration::zero();
            const auto key = random.key_of(200);
            const auto wait = limiter.admit(key, now);
            if (limiter.forgotten() > 0) {
                break;
            }
            ++compared;
            if (const auto expected = naive.admit(key, now); wait != expected) {
                FAIL(
                    "request " << request << " of " << key << ": " << wait.count() << ", not "
                               << expected.count()
                );
            }
        }
    }
    CHECK(compared >= 10 * 5000);
}

TEST_CASE("keyed_rate_limiter: in a full bucket it is as a list of the four", "[unit][core]")
{
    // The model throws out who is free, and then, if there are still four, the earliest arrival.
    // The seeds are ones where no two of the four arrive at the same nanosecond: either could go.
    const auto seed = GENERATE(1U, 2U, 3U, 4U, 5U, 6U);
    CAPTURE(seed);
    Random random(seed);
    const auto limit = random.limit(1000, 10);
    KeyedRateLimiter limiter(limit, one_bucket, secret);
    const RateLimiter rule(limit);
    std::map<std::string, TimePoint> model;
    std::uint64_t forgotten = 0;
    auto now = first_request;
    for (int request = 0; request < 20'000; ++request) {
        now += Duration(random.pick(1, 2 * limit.interval().count() / 7));
        const auto key = random.key_of(9);
        if (!model.contains(key)) {
            std::erase_if(model, [&](const auto& entry) { return entry.second <= now; });
            if (model.size() == one_bucket) {
                ++forgotten;
                model.erase(std::ranges::min_element(model, {}, [](const auto& entry) {
                    return entry.second;
                }));
            }
        }
        const auto expected =
            rule.admit(model.try_emplace(key, TimePoint::min()).first->second, now);
        if (limiter.admit(key, now) != expected || limiter.forgotten() != forgotten) {
            FAIL("request " << request << " of " << key);
        }
    }
    CHECK(forgotten > 100);
}

TEST_CASE("keyed_rate_limiter: who keeps the interval is never refused", "[unit][core]")
{
    // Beside a crowd of others in a small table, and with the burst of one that leaves no slack.
    const RateLimit limit(GENERATE(1U, 7U, 333U, 1'000'000U), 1);
    KeyedRateLimiter limiter(limit, 64, secret);
    Random random(9);
    auto now = first_request;
    int refused = 0;
    int crowd = 0;
    for (int i = 0; i < 2000; ++i) {
        refused += is_admitted(limiter, "honest", now) ? 0 : 1;
        for (int other = 0; other < 20; ++other) {
            const auto moment = now + Duration(other * limit.interval().count() / 20);
            crowd += is_admitted(limiter, random.key_of(10'000), moment) ? 1 : 0;
        }
        now += limit.interval();
    }
    CHECK(refused == 0);
    CHECK(crowd > 1000);
    CHECK(limiter.forgotten() > 0);
}

TEST_CASE("keyed_rate_limiter: a key that has its burst again gives up its place", "[unit][core]")
{
    // One request used up 10 ms; the place is free from then on and not before.
    KeyedRateLimiter limiter(RateLimit(100, 3), one_bucket, secret);
    for (const auto* const key : {"a", "b", "c", "d"}) {
        CHECK(is_admitted(limiter, key, first_request));
    }
    auto early = limiter;
    CHECK(is_admitted(early, "e", first_request + 10ms - 1ns));
    CHECK(early.forgotten() == 1);
    for (const auto* const key : {"e", "f", "g", "h"}) {
        CHECK(is_admitted(limiter, key, first_request + 10ms));
    }
    CHECK(limiter.forgotten() == 0);
    CHECK(is_admitted(limiter, "a", first_request + 10ms));
    CHECK(limiter.forgotten() == 1);
}

TEST_CASE("keyed_rate_limiter: who would be free first is forgotten, and only that", "[unit][core]")
{
    KeyedRateLimiter limiter(RateLimit(100, 4), one_bucket, secret);
    CHECK(admitted_of(4, limiter, "a", first_request) == 4);
    CHECK(admitted_of(3, limiter, "b", first_request) == 3);
    CHECK(admitted_of(2, limiter, "c", first_request) == 2);
    CHECK(admitted_of(4, limiter, "d", first_request) == 4);
    CHECK(admitted_of(4, limiter, "new", first_request) == 4);
    CHECK(limiter.forgotten() == 1);
    // These still know what they used up.
    CHECK(limiter.admit("a", first_request) == 10ms);
    CHECK(limiter.admit("d", first_request) == 10ms);
    CHECK(admitted_of(4, limiter, "b", first_request) == 1);
    CHECK(limiter.forgotten() == 1);
    // The forgotten one has a burst again, and takes the place of another.
    CHECK(admitted_of(5, limiter, "c", first_request) == 4);
    CHECK(limiter.forgotten() == 2);
}

TEST_CASE("keyed_rate_limiter: newcomers do not wash out who has spent a burst", "[unit][core]")
{
    KeyedRateLimiter limiter(RateLimit(10, 20), one_bucket, secret);
    CHECK(admitted_of(20, limiter, "greedy", first_request) == 20);
    int admitted = 0;
    for (int i = 0; i < 10'000; ++i) {
        admitted += is_admitted(limiter, std::to_string(i), first_request + 50ms) ? 1 : 0;
    }
    CHECK(admitted == 10'000);
    CHECK(limiter.forgotten() == 10'000 - 3);
    CHECK(limiter.admit("greedy", first_request + 50ms) == 50ms);
}

TEST_CASE("keyed_rate_limiter: each time that a key is forgotten costs a burst", "[unit][core]")
{
    // More keys than places, all of them greedy. Together they get the limits of their number, and
    // a burst for each time that somebody was forgotten.
    const auto seed = sojourn::tests::announced_seed();
    CAPTURE(seed);
    Random random(seed);
    for (int round = 0; round < 20; ++round) {
        const auto limit = random.limit(1000, 10);
        const std::int64_t keys = random.pick(5, 100);
        KeyedRateLimiter limiter(limit, 32, secret);
        auto now = first_request;
        std::int64_t admitted = 0;
        for (int request = 0; request < 20'000; ++request) {
            now += Duration(random.pick(0, limit.interval().count() / 200));
            admitted += is_admitted(limiter, random.key_of(keys), now) ? 1 : 0;
        }
        const auto each = limit.burst() + ceil_of_window(now - first_request, limit);
        const auto forgotten = static_cast<std::int64_t>(limiter.forgotten());
        if (admitted > keys * each + forgotten * limit.burst()) {
            FAIL(keys << " keys: " << admitted << ", and " << forgotten << " times forgotten");
        }
        // The bound is not an empty one.
        CHECK(admitted >= keys);
    }
}

TEST_CASE("keyed_rate_limiter: a million keys take no memory but the first", "[unit][core][large]")
{
    const auto bytes_before = bytes_allocated();
    KeyedRateLimiter limiter(RateLimit(1, 5), 1000, secret);
    const auto bytes = bytes_allocated();
    CHECK(bytes - bytes_before >= 16'000);
    CHECK(bytes - bytes_before < 16'200);

    // Texts that lie in place.
    std::string key = "key 0000000";
    const auto allocations = allocations_made();
    int refused = 0;
    for (int i = 0; i < 1'000'000; ++i) {
        for (auto digit = key.rbegin(); ++*digit > '9'; ++digit) {
            *digit = '0';
        }
        refused += is_admitted(limiter, key, first_request) ? 0 : 1;
    }
    CHECK(allocations_made() == allocations);
    CHECK(bytes_allocated() == bytes);
    CHECK(refused == 0);
    // All have come at once, so whoever did not fit made another one go.
    CHECK(limiter.forgotten() == 1'000'000 - 1000);
}

TEST_CASE(
    "keyed_rate_limiter: there are as many places as asked for, or a few more", "[unit][core]"
)
{
    // A bucket of four is the least, and what is made.
    for (const auto& [entries, places] :
         {std::pair(0, 4), {1, 4}, {4, 4}, {5, 8}, {1000, 1000}, {1001, 1004}}) {
        CAPTURE(entries);
        KeyedRateLimiter limiter(RateLimit(1, 1), static_cast<std::size_t>(entries), secret);
        int admitted = 0;
        for (int i = 0; i < 20'000; ++i) {
            admitted += is_admitted(limiter, std::to_string(i), first_request) ? 1 : 0;
        }
        CHECK(admitted == 20'000);
        CHECK(limiter.forgotten() == static_cast<std::uint64_t>(20'000 - places));
    }
}

TEST_CASE("keyed_rate_limiter: keys spread over the table", "[unit][core]")
{
    // By Poisson's distribution of what falls in a bucket of four: 71 of 16384 keys find no room
    // where there are four places for each, and 1231 of 32768 where there are two.
    const auto forgotten_of = [](int keys) {
        KeyedRateLimiter limiter(RateLimit(1, 1), 65'536, secret);
        for (int i = 0; i < keys; ++i) {
            static_cast<void>(limiter.admit("198.51.100." + std::to_string(i), first_request));
        }
        return limiter.forgotten();
    };
    CHECK(forgotten_of(16'384) > 40);
    CHECK(forgotten_of(16'384) < 110);
    CHECK(forgotten_of(32'768) > 1050);
    CHECK(forgotten_of(32'768) < 1400);
}

TEST_CASE("keyed_rate_limiter: any text is a key, and every byte of it counts", "[unit][core]")
{
    using namespace std::string_view_literals;
    const std::string large(1'000'000, 'x');
    const auto other_end = large.substr(1) + "y";
    const auto longer = large + "x";
    KeyedRateLimiter limiter(RateLimit(1, 1), 4096, secret);
    for (const auto key :
         {""sv,
          "a"sv,
          "A"sv,
          "a "sv,
          "\0"sv,
          "\0\0"sv,
          "a\0b"sv,
          "a\0c"sv,
          "\xFF"sv,
          std::string_view(large),
          std::string_view(other_end),
          std::string_view(longer)}) {
        CAPTURE(key.size());
        CHECK(is_admitted(limiter, key, first_request));
        CHECK(limiter.admit(key, first_request) == 1s);
    }
    // A text without an address is the empty one.
    CHECK(limiter.admit(std::string_view(), first_request) == 1s);
    CHECK(limiter.forgotten() == 0);
}

TEST_CASE("keyed_rate_limiter: a text may change once it was asked for", "[unit][core]")
{
    KeyedRateLimiter limiter(RateLimit(1, 1), 64, secret);
    std::string text = "ada";
    CHECK(is_admitted(limiter, text, first_request));
    text = "bob";
    CHECK(is_admitted(limiter, text, first_request));
    CHECK_FALSE(is_admitted(limiter, "ada", first_request));
}

TEST_CASE("keyed_rate_limiter: who meets whom depends on the secret", "[unit][core]")
{
    const HashKey other_secret{secret.k0, secret.k1 + 1};
    // With room for all, the two decide alike.
    KeyedRateLimiter roomy(RateLimit(10, 3), 4096, secret);
    KeyedRateLimiter other_roomy(RateLimit(10, 3), 4096, other_secret);
    Random random(4);
    auto now = first_request;
    for (int i = 0; i < 5000; ++i) {
        now += Duration(random.pick(0, 1'000'000));
        const auto key = random.key_of(40);
        if (roomy.admit(key, now) != other_roomy.admit(key, now)) {
            FAIL("request " << i << " of " << key);
        }
    }
    CHECK(roomy.forgotten() == 0);
    CHECK(other_roomy.forgotten() == 0);

    // Without, each forgets other keys; the same secret forgets the same.
    const auto remembered = [](HashKey key) {
        KeyedRateLimiter limiter(RateLimit(1, 1), 64, key);
        for (int i = 0; i < 100; ++i) {
            CHECK(is_admitted(limiter, std::to_string(i), first_request));
        }
        std::vector<int> keys;
        for (int i = 0; i < 100; ++i) {
            // Each asks a copy: a newcomer would push out others.
            auto copy = limiter;
            if (!is_admitted(copy, std::to_string(i), first_request)) {
                keys.push_back(i);
            }
        }
        return keys;
    };
    CHECK(remembered(secret) == remembered(secret));
    CHECK(remembered(secret) != remembered(other_secret));
    CHECK(remembered(secret) != remembered({secret.k0 + 1, secret.k1}));
}

TEST_CASE("keyed_rate_limiter: time does not go backwards", "[unit][core]")
{
    KeyedRateLimiter limiter(RateLimit(1, 1), one_bucket, secret);
    CHECK(is_admitted(limiter, "ada", first_request));
    CHECK(is_admitted(limiter, "ada", first_request + 1s));
    // What comes earlier counts as of now, for those who are known and those who are not.
    CHECK(limiter.admit("ada", first_request) == 1s);
    CHECK(limiter.admit("ada", TimePoint::min()) == 1s);
    CHECK(is_admitted(limiter, "bob", first_request));
    CHECK(limiter.admit("bob", first_request + 1s) == 1s);
    CHECK(limiter.admit("bob", first_request + 2s - 1ns) == 1ns);
    CHECK(is_admitted(limiter, "bob", first_request + 2s));
    // A place that is free is free for those who come with an earlier time as well.
    for (const auto* const key : {"a", "b", "c"}) {
        CHECK(is_admitted(limiter, key, first_request));
    }
    CHECK(limiter.forgotten() == 0);
}

TEST_CASE("keyed_rate_limiter: unlimited refuses nobody and remembers nobody", "[unit][core]")
{
    const auto allocations = allocations_made();
    KeyedRateLimiter limiter(RateLimit::unlimited(), 1'000'000, secret);
    int refused = 0;
    for (int i = 0; i < 100'000; ++i) {
        refused += is_admitted(limiter, "ada", first_request) ? 0 : 1;
        refused += is_admitted(limiter, "", TimePoint::max()) ? 0 : 1;
    }
    CHECK(refused == 0);
    CHECK(limiter.forgotten() == 0);
    CHECK(allocations_made() == allocations);
}

TEST_CASE("keyed_rate_limiter: at both ends of the clock nothing overflows", "[unit][core][large]")
{
    SECTION("the largest burst of the slowest rate")
    {
        KeyedRateLimiter limiter(RateLimit(1, 1'000'000), one_bucket, secret);
        CHECK(admitted_of(1'000'000, limiter, "ada", first_request) == 1'000'000);
        CHECK(limiter.admit("ada", first_request) == 1s);
    }
    SECTION("the last moments of the clock")
    {
        const auto late = TimePoint::max() - 5s;
        KeyedRateLimiter limiter(RateLimit(1, 2), one_bucket, secret);
        CHECK(admitted_of(2, limiter, "ada", late) == 2);
        CHECK(limiter.admit("ada", late) == 1s);
        CHECK(is_admitted(limiter, "ada", TimePoint::max() - 1ns));
        // Here the arithmetic saturates; it must neither overflow nor lock anybody out for ever.
        for (const auto* const key : {"ada", "b", "c", "d", "e", "ada"}) {
            CHECK(is_admitted(limiter, key, TimePoint::max()));
        }
        CHECK(limiter.forgotten() == 0);
    }
    SECTION("the first moments of the clock")
    {
        KeyedRateLimiter limiter(RateLimit(1, 2), one_bucket, secret);
        CHECK(admitted_of(3, limiter, "ada", TimePoint::min()) == 2);
        CHECK(limiter.admit("ada", TimePoint::min()) == 1s);
        // The places that were never taken are free here too.
        for (const auto* const key : {"b", "c", "d"}) {
            CHECK(is_admitted(limiter, key, TimePoint::min()));
        }
        CHECK(limiter.forgotten() == 0);
        CHECK(is_admitted(limiter, "ada", TimePoint::min() + 1s));
        CHECK(is_admitted(limiter, "ada", TimePoint::max()));
    }
    SECTION("before the epoch of the clock")
    {
        KeyedRateLimiter limiter(RateLimit(1, 1), one_bucket, secret);
        CHECK(is_admitted(limiter, "ada", TimePoint(-1h)));
        CHECK(limiter.admit("ada", TimePoint(-1h)) == 1s);
        CHECK(is_admitted(limiter, "ada", TimePoint(-1h + 1s)));
    }
}

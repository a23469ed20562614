#include "sojourn/core/service_options.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

using namespace std::chrono_literals;
using sojourn::Duration;
using sojourn::RateLimit;
using sojourn::ServiceOptions;
using sojourn::WhenFull;

static_assert(
    !std::is_aggregate_v<ServiceOptions>, "g++ 12 miscompiles aggregates in a co_await expression"
);

namespace {

/// The field that `validate` names, or "".
std::string bad_field(const ServiceOptions& options)
{
    const auto bad = options.validate();
    return bad ? std::string(bad->field) : std::string();
}

ServiceOptions defaults()
{
    return {};
}

} // namespace

TEST_CASE("service_options: the defaults are valid and as documented", "[unit][core]")
{
    const ServiceOptions options;
    CHECK_FALSE(options.validate().has_value());
    CHECK(options.max_sessions() == 100'000);
    CHECK(options.shards() == 1);
    CHECK(options.idle_timeout() == 30min);
    CHECK(options.absolute_lifetime() == 8h);
    CHECK(options.half_open_timeout() == 60s);
    CHECK(options.max_half_open() == 25'000);
    CHECK(options.max_sessions_per_principal() == 100);
    CHECK(options.creation_rate() == RateLimit(10, 100));
    CHECK(options.creation_keys() == 16'384);
    CHECK(options.request_rate() == RateLimit(100, 100));
    CHECK_FALSE(options.max_in_flight().has_value());
    CHECK(options.max_waiting_requests() == 1024);
    CHECK(options.max_request_wait() == 1s);
    CHECK(options.max_in_flight_per_session() == 100);
    CHECK(options.when_full() == WhenFull::evict_idle);
    CHECK(options.max_waiting_creations() == 1024);
    CHECK(options.max_creation_wait() == 1s);
    CHECK(options.eviction_grace() == 10s);
    CHECK(options.max_attribute_bytes() == 128 * 1024);
    CHECK(options.max_total_attribute_bytes() == 1UL << 30U);
    CHECK(options.max_frames_per_session() == 0);
    CHECK(options.max_frame_bytes_per_session() == 256 * 1024);
    CHECK(options.max_frame_bytes() == 256UL << 20U);
    CHECK(options.max_pending_events() == 1024);
    CHECK(options.listener_timeout() == 30s);
    CHECK(options.cleanup_batch() == 128);
}

TEST_CASE("service_options: max_sessions is from 1 to 100,000,000", "[unit][core]")
{
    CHECK(bad_field(defaults().max_sessions(1)).empty());
    CHECK(bad_field(defaults().max_sessions(100'000'000)).empty());
    CHECK(bad_field(defaults().max_sessions(0)) == "max_sessions");
    CHECK(bad_field(defaults().max_sessions(100'000'001)) == "max_sessions");
    CHECK(
        bad_field(defaults().max_sessions(std::numeric_limits<std::size_t>::max())) ==
        "max_sessions"
    );
}

TEST_CASE("service_options: shards are from 1 to 256 and not more than sessions", "[unit][core]")
{
    CHECK(bad_field(defaults().shards(1)).empty());
    CHECK(bad_field(defaults().shards(256)).empty());
    CHECK(bad_field(defaults().shards(0)) == "shards");
    CHECK(bad_field(defaults().shards(257)) == "shards");
    CHECK(bad_field(defaults().shards(4).max_sessions(4)).empty());
    CHECK(bad_field(defaults().shards(4).max_sessions(3)) == "shards");
}

TEST_CASE("service_options: each timeout is from a millisecond to 365 days", "[unit][core]")
{
    using Setter = ServiceOptions& (ServiceOptions::*)(Duration) noexcept;

    struct Field {
        Setter set;
        std::string name;
    };

    const Field fields[] = {
        {&ServiceOptions::idle_timeout, "idle_timeout"},
        {&ServiceOptions::absolute_lifetime, "absolute_lifetime"},
        {&ServiceOptions::half_open_timeout, "half_open_timeout"},
        {&ServiceOptions::max_request_wait, "max_request_wait"},
        {&ServiceOptions::max_creation_wait, "max_creation_wait"},
        {&ServiceOptions::listener_timeout, "listener_timeout"},
    };
    for (const auto& field : fields) {
        CAPTURE(field.name);
        const auto try_length = [&](Duration length) {
            ServiceOptions options;
            (options.*field.set)(length);
            return bad_field(options);
        };
        CHECK(try_length(1ms).empty());
        CHECK(try_length(sojourn::max_duration).empty());
        CHECK(try_length(1ms - 1ns) == field.name);
        CHECK(try_length(0ns) == field.name);
        CHECK(try_length(-1ms) == field.name);
        CHECK(try_length(sojourn::max_duration + 1ns) == field.name);
        CHECK(try_length(Duration::max()) == field.name);
        CHECK(try_length(Duration::min()) == field.name);
    }
}

TEST_CASE("service_options: a rate is unlimited, or within bounds with a burst", "[unit][core]")
{
    using Setter = ServiceOptions& (ServiceOptions::*)(RateLimit) noexcept;

    struct Field {
        Setter set;
        std::string name;
    };

    const Field fields[] = {
        {&ServiceOptions::creation_rate, "creation_rate"},
        {&ServiceOptions::request_rate, "request_rate"},
    };
    for (const auto& field : fields) {
        CAPTURE(field.name);
        const auto try_rate = [&](RateLimit limit) {
            ServiceOptions options;
            (options.*field.set)(limit);
            return bad_field(options);
        };
        CHECK(try_rate(RateLimit::unlimited()).empty());
        CHECK(try_rate(RateLimit(1, 1)).empty());
        CHECK(try_rate(RateLimit(1'000'000'000, 1'000'000)).empty());
        CHECK(try_rate(RateLimit(1'000'000'001, 1)) == field.name);
        CHECK(try_rate(RateLimit(1, 0)) == field.name);
        CHECK(try_rate(RateLimit(0, 1)) == field.name);
        CHECK(try_rate(RateLimit(1, 1'000'001)) == field.name);
        CHECK(try_rate(RateLimit(~0U, ~0U)) == field.name);
    }
}

TEST_CASE("service_options: the grace is from nothing to 365 days", "[unit][core]")
{
    CHECK(bad_field(defaults().eviction_grace(0ns)).empty());
    CHECK(bad_field(defaults().eviction_grace(sojourn::max_duration)).empty());
    CHECK(bad_field(defaults().eviction_grace(-1ns)) == "eviction_grace");
    CHECK(bad_field(defaults().eviction_grace(sojourn::max_duration + 1ns)) == "eviction_grace");
}

TEST_CASE("service_options: when_full is one of its enumerators", "[unit][core]")
{
    CHECK(bad_field(defaults().when_full(WhenFull::evict_idle)).empty());
    CHECK(bad_field(defaults().when_full(WhenFull::reject)).empty());
    CHECK(bad_field(defaults().when_full(WhenFull::wait)).empty());
    CHECK(bad_field(defaults().when_full(static_cast<WhenFull>(3))) == "when_full");
}

TEST_CASE("service_options: the sizes and counts have bounds", "[unit][core]")
{
    struct Field {
        std::string name;
        ServiceOptions (*with)(std::size_t count);
        std::size_t least;
        std::size_t most;
    };

    const Field fields[] = {
        {"max_half_open", [](std::size_t n) { return defaults().max_half_open(n); }, 1, 100'000'000
        },
        {"max_sessions_per_principal",
         [](std::size_t n) { return defaults().max_sessions_per_principal(n); },
         1,
         1'000},
        {"creation_keys", [](std::size_t n) { return defaults().creation_keys(n); }, 4, 100'000'000
        },
        {"max_in_flight",
         [](std::size_t n) { return defaults().max_in_flight(n); },
         1,
         1'000'000'000},
        {"max_waiting_requests",
         [](std::size_t n) { return defaults().max_waiting_requests(n); },
         0,
         1'000'000'000},
        {"max_in_flight_per_session",
         [](std::size_t n) { return defaults().max_in_flight_per_session(n); },
         1,
         65'535},
        {"max_waiting_creations",
         [](std::size_t n) { return defaults().max_waiting_creations(n); },
         0,
         1'000'000'000},
        {"max_attribute_bytes",
         [](std::size_t n) { return defaults().max_attribute_bytes(n); },
         0,
         64UL << 20U},
        {"max_total_attribute_bytes",
         [](std::size_t n) { return defaults().max_total_attribute_bytes(n); },
         0,
         1UL << 50U},
        {"max_frames_per_session",
         [](std::size_t n) { return defaults().max_frames_per_session(n); },
         0,
         10'000},
        {"max_frame_bytes_per_session",
         [](std::size_t n) { return defaults().max_frame_bytes_per_session(n); },
         0,
         64UL << 20U},
        {"max_frame_bytes",
         [](std::size_t n) { return defaults().max_frame_bytes(n); },
         0,
         1UL << 50U},
        {"max_pending_events",
         [](std::size_t n) { return defaults().max_pending_events(n); },
         1,
         100'000'000},
        {"cleanup_batch", [](std::size_t n) { return defaults().cleanup_batch(n); }, 1, 10'000},
    };
    for (const auto& field : fields) {
        CAPTURE(field.name);
        CHECK(bad_field(field.with(field.least)).empty());
        CHECK(bad_field(field.with(field.most)).empty());
        CHECK(bad_field(field.with(field.most + 1)) == field.name);
        if (field.least > 0) {
            CHECK(bad_field(field.with(field.least - 1)) == field.name);
        }
    }
}

TEST_CASE("service_options: a bound that may be none is valid without", "[unit][core]")
{
    CHECK(bad_field(defaults().max_sessions_per_principal(std::nullopt)).empty());
    CHECK(bad_field(defaults().max_in_flight(std::nullopt)).empty());
    CHECK(bad_field(defaults().max_total_attribute_bytes(std::nullopt)).empty());
}

TEST_CASE(
    "service_options: of several bad options the first is named, with what is accepted",
    "[unit][core]"
)
{
    const auto bad =
        defaults().cleanup_batch(0).idle_timeout(0ns).request_rate(RateLimit(1, 0)).validate();
    REQUIRE(bad.has_value());
    CHECK(bad->message() == "idle_timeout must be from 1ms to 365d");
}

#include "sojourn/core/duration.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <random>
#include <string>
#include <string_view>
#include <utility>

using namespace std::chrono_literals;
using sojourn::Duration;
using sojourn::errc;
using sojourn::parse_duration;
using sojourn::to_string;

TEST_CASE("duration: each unit is read", "[unit][core]")
{
    CHECK(parse_duration("7d").value() == 7 * 24h);
    CHECK(parse_duration("3h").value() == 3h);
    CHECK(parse_duration("15m").value() == 15min);
    CHECK(parse_duration("90s").value() == 90s);
    CHECK(parse_duration("250ms").value() == 250ms);
    CHECK(parse_duration("1ms").value() == 1ms);
}

TEST_CASE("duration: units combine from larger to smaller", "[unit][core]")
{
    CHECK(parse_duration("1h30m").value() == 90min);
    CHECK(parse_duration("1d2h3m4s5ms").value() == 26h + 3min + 4s + 5ms);
    CHECK(parse_duration("1d5ms").value() == 24h + 5ms);
    CHECK(parse_duration("1m1ms").value() == 1min + 1ms);
    CHECK(parse_duration("0h5s").value() == 5s);
    CHECK(parse_duration("90m90s").value() == 91min + 30s);
    CHECK(parse_duration("007d").value() == 7 * 24h);
}

TEST_CASE("duration: what is not a duration is refused with its own error", "[unit][core]")
{
    const auto [text, expected] = GENERATE(table<std::string_view, errc>({
        {"", errc::duration_empty},
        // A number without a unit, however long.
        {"90", errc::duration_unit_missing},
        {"1h30", errc::duration_unit_missing},
        {"00", errc::duration_unit_missing},
        {"999999999999999999999999999999", errc::duration_unit_missing},
        // A unit that is none; they are lower case.
        {"5y", errc::duration_unit_unknown},
        {"5w", errc::duration_unit_unknown},
        {"5us", errc::duration_unit_unknown},
        {"5S", errc::duration_unit_unknown},
        {"5MS", errc::duration_unit_unknown},
        {"5mss", errc::duration_unit_unknown},
        {"5sec", errc::duration_unit_unknown},
        {"0x5s", errc::duration_unit_unknown},
        {"1e3s", errc::duration_unit_unknown},
        // Garbage.
        {"abc", errc::duration_malformed},
        {"s", errc::duration_malformed},
        {"1.5h", errc::duration_malformed},
        {"1,5h", errc::duration_malformed},
        {" 1s", errc::duration_malformed},
        {"1s ", errc::duration_malformed},
        {"1 s", errc::duration_malformed},
        {" ", errc::duration_malformed},
        {"+5s", errc::duration_malformed},
        {"5s\n", errc::duration_malformed},
        {"-", errc::duration_malformed},
        {"--5s", errc::duration_malformed},
        {"-s", errc::duration_malformed},
        {"5s-3ms", errc::duration_malformed},
        // What stands next to the letters is none.
        {"5@", errc::duration_malformed},
        {"5[", errc::duration_malformed},
        {"5`", errc::duration_malformed},
        {"5{", errc::duration_malformed},
        {"\xC2\xB5s", errc::duration_malformed},
        {"5\xC2\xB5s", errc::duration_malformed},
        // Units out of order, or twice.
        {"1s1h", errc::duration_malformed},
        {"1ms1s", errc::duration_malformed},
        {"1s1s", errc::duration_malformed},
        {"1h1m1h", errc::duration_malformed},
        // Zero.
        {"0", errc::duration_zero},
        {"0s", errc::duration_zero},
        {"0d0h0m0s0ms", errc::duration_zero},
        {"000ms", errc::duration_zero},
        // Negative.
        {"-5s", errc::duration_negative},
        {"-0s", errc::duration_negative},
        {"-5", errc::duration_negative},
        // Too long, whatever the number of digits.
        {"366d", errc::duration_too_long},
        {"365d1ms", errc::duration_too_long},
        {"364d24h1ms", errc::duration_too_long},
        {"8761h", errc::duration_too_long},
        {"525601m", errc::duration_too_long},
        {"31536001s", errc::duration_too_long},
        {"31536000001ms", errc::duration_too_long},
        {"99999999999d", errc::duration_too_long},
        {"9223372036854775807ms", errc::duration_too_long},
        {"9223372036854775808ms", errc::duration_too_long},
        {"18446744073709551616s", errc::duration_too_long},
        {"999999999999999999999999999999d", errc::duration_too_long},
        {"999999999999999999999999999999ms", errc::duration_too_long},
        {"1d999999999999999999999999999999ms", errc::duration_too_long},
    }));
    CAPTURE(text);
    const auto result = parse_duration(text);
    REQUIRE(result.has_error());
    CHECK(result.error().code() == expected);
}

TEST_CASE("duration: a text with a NUL inside is malformed", "[unit][core]")
{
    using namespace std::string_view_literals;
    CHECK(parse_duration("5s\0"sv).error() == errc::duration_malformed);
    CHECK(parse_duration("5\0s"sv).error() == errc::duration_malformed);
}

TEST_CASE("duration: 365 days are the longest", "[unit][core]")
{
    CHECK(parse_duration("365d").value() == sojourn::max_duration);
    CHECK(parse_duration("8760h").value() == sojourn::max_duration);
    CHECK(parse_duration("31536000000ms").value() == sojourn::max_duration);
    CHECK(parse_duration("364d23h59m59s1000ms").value() == sojourn::max_duration);
    CHECK(parse_duration("0000000000000000000000000000000365d").value() == sojourn::max_duration);
}

TEST_CASE("duration: a text of a megabyte is answered at once", "[unit][core]")
{
    constexpr std::size_t length = 1U << 20U;
    CHECK(parse_duration(std::string(length, '9') + "d").error() == errc::duration_too_long);
    CHECK(parse_duration(std::string(length, '0') + "1d").value() == 24h);
    CHECK(parse_duration(std::string(length, 'd')).error() == errc::duration_malformed);
    CHECK(parse_duration("1" + std::string(length, 'd')).error() == errc::duration_unit_unknown);
}

TEST_CASE("duration: to_string writes the largest units first", "[unit][core]")
{
    CHECK(to_string(Duration(90s)) == "1m30s");
    CHECK(to_string(Duration(26h + 3min + 4s + 5ms)) == "1d2h3m4s5ms");
    CHECK(to_string(sojourn::max_duration) == "365d");
    CHECK(to_string(Duration(0)) == "0s");
    CHECK(to_string(Duration(1ms + 999us)) == "1ms");
    CHECK(to_string(Duration(999us)) == "0s");
}

TEST_CASE("duration: what to_string writes is read back", "[unit][core]")
{
    // Multiples of a millisecond of every magnitude.
    std::mt19937_64 random(7);
    for (int i = 0; i < 10'000; ++i) {
        const auto magnitude = std::uniform_int_distribution(0, 34)(random);
        const auto most =
            std::min<std::int64_t>(std::int64_t{1} << magnitude, sojourn::max_duration / 1ms);
        const Duration length = 1ms * std::uniform_int_distribution<std::int64_t>(1, most)(random);
        const auto text = to_string(length);
        const auto read = parse_duration(text);
        if (!read || *read != length) {
            FAIL("not read back: " << text);
        }
    }
    SUCCEED();
}

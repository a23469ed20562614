#include <sojourn/http/decimal.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace sojourn::tests {

using http::parse_decimal;

TEST_CASE("decimal: a number is read up to the largest of its type", "[http]")
{
    CHECK(parse_decimal<std::uint16_t>("0") == 0);
    CHECK(parse_decimal<std::uint16_t>("8080") == 8080);
    CHECK(parse_decimal<std::uint16_t>("65535") == 65535);
    CHECK_FALSE(parse_decimal<std::uint16_t>("65536"));
    const auto largest = std::numeric_limits<std::uint64_t>::max();
    CHECK(parse_decimal<std::uint64_t>(std::to_string(largest)) == largest);
    CHECK_FALSE(parse_decimal<std::uint64_t>("18446744073709551616"));
    CHECK_FALSE(parse_decimal<std::uint64_t>(std::string(1000, '9')));
}

TEST_CASE("decimal: nothing else is a number", "[http]")
{
    for (const std::string_view text :
         {"", "00", "01", "-1", "+1", " 1", "1 ", "1.", "1e3", "0x1", "a", "1a", "\xC2\xB2"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_decimal<std::uint64_t>(text));
    }
    CHECK_FALSE(parse_decimal<std::uint64_t>(std::string_view("1\0", 2)));
    CHECK_FALSE(parse_decimal<std::uint64_t>({}));
}

} // namespace sojourn::tests

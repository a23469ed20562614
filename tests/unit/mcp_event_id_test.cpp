#include <sojourn/http/mcp_event_id.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <string_view>

namespace sojourn::tests {

using http::McpEventId;

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

TEST_CASE("mcp_event_id: it is written as stream and sequence, and read back", "[http]")
{
    CHECK(McpEventId{3, 17}.text() == "3-17");
    CHECK(McpEventId::parse("3-17") == McpEventId{3, 17});
    for (const McpEventId id : {McpEventId{0, 0}, {1, 0}, {0, 1}, {largest, largest}}) {
        CHECK(McpEventId::parse(id.text()) == id);
    }
}

TEST_CASE("mcp_event_id: what was not written here is not read", "[http]")
{
    for (const std::string_view text :
         {"",
          "-",
          "3",
          "3-",
          "-17",
          "3-17-1",
          "3--17",
          "-3-17",
          "+3-17",
          "03-17",
          "3-017",
          "3 -17",
          " 3-17",
          "3-17 ",
          "3_17",
          "a-17",
          "3-1a",
          "3-17\n",
          "18446744073709551616-0",
          "0-18446744073709551616",
          "340282366920938463463374607431768211456-0"}) {
        CAPTURE(text);
        CHECK_FALSE(McpEventId::parse(text));
    }
}

TEST_CASE("mcp_event_id: only later events of the same stream follow one", "[http]")
{
    const McpEventId last{3, 17};
    CHECK(McpEventId{3, 18}.follows(last));
    CHECK(McpEventId{3, largest}.follows(last));
    CHECK_FALSE(McpEventId{3, 17}.follows(last));
    CHECK_FALSE(McpEventId{3, 16}.follows(last));
    CHECK_FALSE(McpEventId{4, 18}.follows(last));
    CHECK_FALSE(McpEventId{2, 18}.follows(last));
}

} // namespace sojourn::tests

#include <sojourn/http/letter_case.hpp>

#include <catch2/catch_test_macros.hpp>

namespace sojourn::tests {

using http::is_same_text;
using http::to_lower;

TEST_CASE("letter_case: only the capital letters of ASCII have a small one", "[http]")
{
    CHECK(to_lower('A') == 'a');
    CHECK(to_lower('Z') == 'z');
    for (const char other : {'a', 'z', '@', '[', '`', '0', '-', '\0', '\xC3', '\xFF'}) {
        CAPTURE(other);
        CHECK(to_lower(other) == other);
    }
}

TEST_CASE("letter_case: texts are the same whatever the case of their letters", "[http]")
{
    CHECK(is_same_text("", ""));
    CHECK(is_same_text("Mcp-Session-Id", "mcp-session-ID"));
    CHECK_FALSE(is_same_text("Mcp-Session-Id", "Mcp-Session-I"));
    CHECK_FALSE(is_same_text("Mcp-Session-Id", "Mcp_Session_Id"));
    CHECK_FALSE(is_same_text("[", "{"));
}

} // namespace sojourn::tests

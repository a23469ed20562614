#include "sojourn/core/session_reference.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <type_traits>
#include <unordered_set>

using sojourn::SessionReference;

static_assert(std::is_trivially_copyable_v<SessionReference>);
static_assert(
    !std::is_convertible_v<std::uint64_t, SessionReference>, "no number is a reference by accident"
);

TEST_CASE("session_reference: it is written as sixteen hexadecimal digits", "[unit][core]")
{
    CHECK(to_string(SessionReference()) == "0000000000000000");
    CHECK(to_string(SessionReference(0xf)) == "000000000000000f");
    CHECK(to_string(SessionReference(0x0123456789abcdef)) == "0123456789abcdef");
    CHECK(to_string(SessionReference(0xfedcba9876543210)) == "fedcba9876543210");
    CHECK(to_string(SessionReference(~0ULL)) == "ffffffffffffffff");
}

TEST_CASE(
    "session_reference: it is read from what it is written as, and from nothing else",
    "[unit][core]"
)
{
    for (const std::uint64_t value : {0ULL, 0xfULL, 0x0123456789abcdefULL, ~0ULL}) {
        const SessionReference reference(value);
        CHECK(SessionReference::parse(to_string(reference)) == reference);
    }
    for (const char* const text :
         {"",
          "0",
          "000000000000000",
          "00000000000000000",
          "0123456789abcdeF",
          "0123456789abcde ",
          "0x23456789abcdef",
          "-123456789abcdef"}) {
        INFO(text);
        CHECK_FALSE(SessionReference::parse(text).has_value());
    }
}

TEST_CASE("session_reference: it compares and hashes by its value", "[unit][core]")
{
    CHECK(SessionReference(1) == SessionReference(1));
    CHECK(SessionReference(1) != SessionReference(2));
    CHECK(SessionReference(1) < SessionReference(2));
    CHECK(SessionReference(7).value() == 7);
    const std::unordered_set<SessionReference> references = {
        SessionReference(1), SessionReference(2), SessionReference(1)
    };
    CHECK(references.size() == 2);
}

#include "sojourn/core/removal_cause.hpp"

#include <catch2/catch_test_macros.hpp>

#include <set>
#include <string_view>

using sojourn::RemovalCause;

TEST_CASE("removal_cause: every cause has the enumerator's name", "[unit][core]")
{
    CHECK(to_string(RemovalCause::expired_idle) == "expired_idle");
    CHECK(to_string(RemovalCause::expired_lifetime) == "expired_lifetime");
    CHECK(to_string(RemovalCause::evicted) == "evicted");
    CHECK(to_string(RemovalCause::deleted) == "deleted");
    CHECK(to_string(RemovalCause::drained) == "drained");
    CHECK(to_string(static_cast<RemovalCause>(250)) == "unknown");
}

TEST_CASE("removal_cause: all causes are listed once, in order", "[unit][core]")
{
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < sojourn::removal_cause_count; ++i) {
        CHECK(static_cast<std::size_t>(sojourn::removal_causes[i]) == i);
        CHECK(to_string(sojourn::removal_causes[i]) != "unknown");
        names.insert(to_string(sojourn::removal_causes[i]));
    }
    CHECK(names.size() == sojourn::removal_cause_count);
    CHECK(to_string(static_cast<RemovalCause>(sojourn::removal_cause_count)) == "unknown");
}

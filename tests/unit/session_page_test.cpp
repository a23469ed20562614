#include "sojourn/core/session_page.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <memory>
#include <string>
#include <type_traits>

using sojourn::ListOptions;

static_assert(
    !std::is_aggregate_v<ListOptions>, "g++ 12 miscompiles aggregates in a co_await expression"
);

TEST_CASE("session_page: a limit outside its bounds becomes the nearest bound", "[unit][core]")
{
    CHECK(ListOptions().limit() == 100);
    CHECK(ListOptions().limit(1).limit() == 1);
    CHECK(ListOptions().limit(1000).limit() == 1000);
    CHECK(ListOptions().limit(0).limit() == 1);
    CHECK(ListOptions().limit(1001).limit() == 1000);
    CHECK(ListOptions().limit(std::numeric_limits<std::size_t>::max()).limit() == 1000);
}

TEST_CASE("session_page: a listing begins at the beginning, and is of all", "[unit][core]")
{
    const sojourn::SessionFilter all = ListOptions().filter();
    CHECK_FALSE(all.reference().has_value());
    CHECK_FALSE(all.principal().has_value());
    CHECK_FALSE(all.use().has_value());
    CHECK_FALSE(all.idle_for().has_value());
    CHECK(ListOptions().after({.shard = 2, .slot = 9}).cursor() == sojourn::SessionCursor{2, 9});
    CHECK(ListOptions().cursor() == sojourn::SessionCursor{});
}

TEST_CASE("session_page: an anonymous session has an empty principal's text", "[unit][core]")
{
    sojourn::SessionInfo info;
    CHECK(info.principal_text().empty());
    info.principal = std::make_shared<const std::string>("ada");
    CHECK(info.principal_text() == "ada");
}

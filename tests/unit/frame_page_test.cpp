#include "sojourn/core/frame_page.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <type_traits>

using sojourn::FramePage;
using sojourn::FrameQuery;

static_assert(
    !std::is_aggregate_v<FrameQuery>, "g++ 12 miscompiles aggregates in a co_await expression"
);

TEST_CASE("frame_page: a limit outside its bounds becomes the nearest bound", "[unit][core]")
{
    CHECK(FrameQuery().limit() == 100);
    CHECK(FrameQuery().limit(1000).limit() == 1000);
    CHECK(FrameQuery().limit(0).limit() == 1);
    CHECK(FrameQuery().limit(1001).limit() == 1000);
    CHECK(FrameQuery().limit(std::numeric_limits<std::size_t>::max()).limit() == 1000);
}

TEST_CASE("frame_page: one reads from the beginning, and all streams", "[unit][core]")
{
    CHECK(FrameQuery().after() == 0);
    CHECK_FALSE(FrameQuery().stream().has_value());
    CHECK(FrameQuery().stream(0).stream() == 0);
}

TEST_CASE("frame_page: that of a session without frames shows no gap", "[unit][core]")
{
    const FramePage page;
    CHECK(page.first_kept == FrameQuery().after() + 1);
    CHECK(page.next == page.newest);
}

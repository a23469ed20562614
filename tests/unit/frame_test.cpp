#include "sojourn/core/frame.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <type_traits>

using namespace sojourn;

static_assert(
    !std::is_aggregate_v<Frame>, "g++ 12 miscompiles aggregates that are passed to coroutines"
);

TEST_CASE("frame: a direction has a name", "[unit][core]")
{
    CHECK(to_string(FrameDirection::from_client) == "from_client");
    CHECK(to_string(FrameDirection::to_client) == "to_client");
    CHECK(to_string(static_cast<FrameDirection>(7)) == "unknown");
}

TEST_CASE("frame: it counts its payload and what it costs besides", "[unit][core]")
{
    const WallTime moment(std::chrono::seconds(5));
    const Frame frame(FrameDirection::to_client, std::string(1000, 'x'), 3, moment);
    CHECK(frame.bytes() == 1000 + Frame::overhead);
    CHECK(frame.stream == 3);
    CHECK(frame.recorded == moment);
    CHECK(Frame(FrameDirection::to_client, "", 0, moment).bytes() == Frame::overhead);
}

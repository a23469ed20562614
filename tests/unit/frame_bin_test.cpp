#include "sojourn/core/frame_bin.hpp"
#include "support/allocations.hpp"

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>
#include <utility>

using namespace sojourn;
using sojourn::tests::allocations_made;
using sojourn::tests::bytes_allocated;

namespace {

std::shared_ptr<KeptFrame> some_frame()
{
    return std::make_shared<KeptFrame>(
        Frame(FrameDirection::to_client, std::string(100, 'x'), 0, WallTime())
    );
}

} // namespace

TEST_CASE("frame_bin: it keeps what was put in and frees it with itself", "[unit][core]")
{
    const auto before = bytes_allocated();
    {
        FrameBin bin;
        CHECK(bin.empty());
        for (int i = 0; i < 100; ++i) {
            bin.add(some_frame());
        }
        CHECK_FALSE(bin.empty());
        CHECK(bytes_allocated() > before + 10'000);
    }
    CHECK(bytes_allocated() == before);
}

TEST_CASE("frame_bin: it allocates nothing", "[unit][core]")
{
    auto first = some_frame();
    auto second = some_frame();
    const auto before = allocations_made();
    FrameBin bin;
    bin.add(std::move(first));
    bin.add(std::move(second));
    CHECK(allocations_made() == before);
}

TEST_CASE("frame_bin: whoever still reads a frame keeps that one alone", "[unit][core]")
{
    const auto before = bytes_allocated();
    const auto read = some_frame();
    const auto one = bytes_allocated();
    {
        FrameBin bin;
        bin.add(some_frame());
        bin.add(read);
        bin.add(some_frame());
    }
    CHECK(bytes_allocated() == one);
    CHECK(one > before);
    CHECK(read->frame.payload == std::string(100, 'x'));
}

TEST_CASE("frame_bin: a chain of any length is let go of without recursion", "[unit][core][large]")
{
    FrameBin bin;
    for (int i = 0; i < 500'000; ++i) {
        bin.add(some_frame());
    }
    bin.clear();
    CHECK(bin.empty());
}

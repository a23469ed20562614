#include "sojourn/core/capacity.hpp"
#include "sojourn/core/frame_bin.hpp"
#include "support/allocations.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
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

std::unique_ptr<FrameRing> some_ring(std::size_t frames)
{
    auto ring = std::make_unique<FrameRing>(frames);
    Capacity capacity(Capacity::Bounds{});
    FrameBin bin;
    for (std::size_t i = 0; i < frames; ++i) {
        auto frame = some_frame();
        (void)ring->record(frame, {.frames = frames, .bytes = 1'000'000}, capacity, bin);
    }
    return ring;
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
            bin.add(some_ring(3));
        }
        CHECK_FALSE(bin.empty());
        CHECK(bytes_allocated() > before + 40'000);
        const auto taken = std::move(bin);
        // NOLINTNEXTLINE(bugprone-use-after-move): it is empty then
        CHECK(bin.empty());
        CHECK_FALSE(taken.empty());
    }
    CHECK(bytes_allocated() == before);
}

TEST_CASE("frame_bin: another takes the place of what it had", "[unit][core]")
{
    const auto before = bytes_allocated();
    {
        FrameBin bin;
        bin.add(some_frame());
        FrameBin other;
        other.add(some_ring(2));
        bin = std::move(other);
        // NOLINTNEXTLINE(bugprone-use-after-move): it is empty then
        CHECK(other.empty());
        bin = FrameBin();
        CHECK(bin.empty());
        CHECK(bytes_allocated() == before);
    }
    CHECK(bytes_allocated() == before);
}

TEST_CASE("frame_bin: it allocates nothing", "[unit][core]")
{
    auto frame = some_frame();
    auto ring = some_ring(5);
    const auto before = allocations_made();
    FrameBin bin;
    bin.add(std::move(frame));
    bin.add(std::move(ring));
    const auto taken = std::move(bin);
    CHECK_FALSE(taken.empty());
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
    bin = FrameBin();
    CHECK(bin.empty());
}

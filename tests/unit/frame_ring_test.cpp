#include "sojourn/core/capacity.hpp"
#include "sojourn/core/frame_bin.hpp"
#include "sojourn/core/frame_ring.hpp"
#include "support/allocations.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace sojourn;
using sojourn::tests::allocations_made;
using sojourn::tests::bytes_allocated;

namespace {

constexpr std::size_t plenty = 1'000'000;
/// Of a frame of ten bytes.
constexpr std::size_t each = 10 + Frame::overhead;

using Numbers = std::vector<std::uint64_t>;

/// A ring with what a session and a service have around it.
struct RingFixture {
    explicit RingFixture(
        std::size_t frames, std::size_t bytes = plenty, std::size_t in_all = plenty
    )
        : bounds{frames, bytes},
          capacity(bounds_of(in_all)),
          ring(std::make_unique<FrameRing>(frames))
    {
    }

    static Capacity::Bounds bounds_of(std::size_t in_all)
    {
        Capacity::Bounds made;
        made.frame_bytes = in_all;
        return made;
    }

    std::uint64_t record(std::size_t bytes = 10, std::uint32_t stream = 0)
    {
        auto frame = std::make_shared<KeptFrame>(
            Frame(FrameDirection::from_client, std::string(bytes, 'x'), stream, WallTime())
        );
        FrameBin bin;
        return ring->record(frame, bounds, capacity, bin);
    }

    [[nodiscard]] FramePage read(const FrameQuery& query = FrameQuery().limit(1000)) const
    {
        FramePage page;
        ring->read(query, page);
        return page;
    }

    [[nodiscard]] Numbers numbers(const FrameQuery& query = FrameQuery().limit(1000)) const
    {
        Numbers found;
        for (const auto& frame : read(query).frames) {
            found.push_back(frame->sequence);
        }
        return found;
    }

    [[nodiscard]] std::size_t taken() const { return free_before - capacity.free_frame_bytes(); }

    FrameBounds bounds;
    Capacity capacity;
    std::size_t free_before = capacity.free_frame_bytes();
    std::unique_ptr<FrameRing> ring;
};

} // namespace

TEST_CASE("frame_ring: frames are numbered from 1 and read in order", "[unit][core]")
{
    RingFixture f(5);
    CHECK(f.numbers().empty());
    CHECK(f.record() == 1);
    CHECK(f.record() == 2);
    CHECK(f.record() == 3);
    CHECK(f.numbers() == Numbers{1, 2, 3});
    const auto page = f.read();
    CHECK(page.newest == 3);
    CHECK(page.next == 3);
    CHECK(page.first_kept == 1);
    CHECK(page.dropped == 0);
}

TEST_CASE("frame_ring: at the bound on frames the oldest goes", "[unit][core]")
{
    RingFixture f(3);
    for (std::uint64_t number = 1; number <= 10; ++number) {
        CHECK(f.record() == number);
    }
    CHECK(f.numbers() == Numbers{8, 9, 10});
    CHECK(f.read().dropped == 7);
    CHECK(f.read().first_kept == 8);
    CHECK(f.ring->bytes() == 3 * each);
    CHECK(f.taken() == 3 * each);
}

TEST_CASE("frame_ring: at the bound on bytes as many of the oldest go as must", "[unit][core]")
{
    RingFixture f(100, 4 * each);
    for (int i = 0; i < 4; ++i) {
        (void)f.record();
    }
    CHECK(f.numbers() == Numbers{1, 2, 3, 4});
    // As large as two and a byte.
    (void)f.record(10 + each + 1);
    CHECK(f.numbers() == Numbers{4, 5});
    CHECK(f.ring->bytes() == 3 * each + 1);
    CHECK(f.taken() == f.ring->bytes());
    // As large as all.
    (void)f.record(4 * each - Frame::overhead);
    CHECK(f.numbers() == Numbers{6});
    CHECK(f.ring->bytes() == 4 * each);
}

TEST_CASE(
    "frame_ring: a frame that is larger than may be drops itself and no other", "[unit][core]"
)
{
    RingFixture f(100, 2 * each);
    (void)f.record();
    CHECK(f.record(2 * each - Frame::overhead + 1) == 2);
    CHECK(f.record() == 3);
    CHECK(f.numbers() == Numbers{1, 3});
    CHECK(f.read().dropped == 1);
    CHECK(f.taken() == 2 * each);
}

TEST_CASE("frame_ring: at the bound in all a ring drops its own frames only", "[unit][core]")
{
    RingFixture f(100, plenty, 4 * each);
    // What another session has.
    REQUIRE(f.capacity.take_frame_bytes(2 * each));
    for (int i = 0; i < 3; ++i) {
        (void)f.record();
    }
    CHECK(f.numbers() == Numbers{2, 3});
    CHECK(f.capacity.free_frame_bytes() == 0);
    // Not even all of its own would do.
    CHECK(f.record(10 + each + 1) == 4);
    CHECK(f.numbers() == Numbers{2, 3});
    CHECK(f.read().dropped == 2);
    // And all of its own would.
    CHECK(f.record(10 + each) == 5);
    CHECK(f.numbers() == Numbers{5});
    CHECK(f.capacity.free_frame_bytes() == 0);
    CHECK(f.ring->bytes() == 2 * each);
}

TEST_CASE("frame_ring: with a smaller frame in their place, the rest is free", "[unit][core]")
{
    RingFixture f(1);
    (void)f.record(1000);
    (void)f.record(10);
    CHECK(f.taken() == each);
}

TEST_CASE("frame_ring: where nothing may be kept all are counted", "[unit][core]")
{
    RingFixture f(3, 0);
    CHECK(f.record() == 1);
    CHECK(f.record() == 2);
    const auto page = f.read();
    CHECK(page.frames.empty());
    CHECK(page.newest == 2);
    CHECK(page.next == 2);
    CHECK(page.first_kept == 3);
    CHECK(page.dropped == 2);
    CHECK(f.taken() == 0);
}

TEST_CASE("frame_ring: a page begins after any number and ends at its limit", "[unit][core]")
{
    RingFixture f(5);
    for (int i = 0; i < 8; ++i) {
        (void)f.record();
    }
    CHECK(f.numbers(FrameQuery().after(0).limit(2)) == Numbers{4, 5});
    CHECK(f.read(FrameQuery().after(0).limit(2)).next == 5);
    CHECK(f.numbers(FrameQuery().after(5).limit(2)) == Numbers{6, 7});
    CHECK(f.numbers(FrameQuery().after(7).limit(2)) == Numbers{8});
    CHECK(f.read(FrameQuery().after(7).limit(2)).next == 8);
    CHECK(f.numbers(FrameQuery().after(8)).empty());
    CHECK(f.read(FrameQuery().after(8)).next == 8);
    // Of a number that was never given.
    CHECK(f.numbers(FrameQuery().after(99)).empty());
    CHECK(f.read(FrameQuery().after(99)).next == 99);
    CHECK(f.read(FrameQuery().after(99)).newest == 8);
}

TEST_CASE("frame_ring: a page of one stream has no others", "[unit][core]")
{
    RingFixture f(10);
    for (std::uint32_t i = 0; i < 8; ++i) {
        (void)f.record(10, i % 3);
    }
    CHECK(f.numbers(FrameQuery().stream(0)) == Numbers{1, 4, 7});
    CHECK(f.numbers(FrameQuery().stream(1).after(2)) == Numbers{5, 8});
    CHECK(f.numbers(FrameQuery().stream(1).limit(1)) == Numbers{2});
    CHECK(f.read(FrameQuery().stream(1).limit(1)).next == 2);
    CHECK(f.numbers(FrameQuery().stream(7)).empty());
    CHECK(f.read(FrameQuery().stream(7)).next == 8);
}

TEST_CASE("frame_ring: a page looks at 1,000 frames and says where to go on", "[unit][core]")
{
    RingFixture f(2500);
    for (int i = 0; i < 2500; ++i) {
        (void)f.record(10, i == 2400 ? 1 : 0);
    }
    std::vector<std::uint64_t> nexts;
    Numbers found;
    FrameQuery query;
    query.stream(1);
    for (bool is_last = false; !is_last;) {
        const auto page = f.read(query);
        for (const auto& frame : page.frames) {
            found.push_back(frame->sequence);
        }
        nexts.push_back(page.next);
        query.after(page.next);
        is_last = page.next == page.newest;
    }
    CHECK(nexts == Numbers{1000, 2000, 2500});
    CHECK(found == Numbers{2401});
}

TEST_CASE("frame_ring: a larger ring goes on where the other was", "[unit][core]")
{
    RingFixture f(3);
    for (int i = 0; i < 5; ++i) {
        (void)f.record();
    }
    auto larger = std::make_unique<FrameRing>(6);
    larger->take_over(*f.ring);
    CHECK(f.ring->size() == 0);
    f.bounds.frames = 6;
    std::swap(f.ring, larger);
    CHECK(f.numbers() == Numbers{3, 4, 5});
    CHECK(f.record() == 6);
    CHECK(f.numbers() == Numbers{3, 4, 5, 6});
    CHECK(f.read().dropped == 2);
    CHECK(f.taken() == 4 * each);
}

TEST_CASE("frame_ring: to record and to read needs no memory", "[unit][core]")
{
    RingFixture f(3);
    auto frame = std::make_shared<KeptFrame>(
        Frame(FrameDirection::from_client, std::string(100, 'x'), 0, WallTime())
    );
    FrameBin bin;
    FramePage page;
    page.frames.reserve(3);
    const auto before = allocations_made();
    (void)f.ring->record(frame, f.bounds, f.capacity, bin);
    f.ring->read(FrameQuery(), page);
    CHECK(allocations_made() == before);
    CHECK(page.frames.size() == 1);
}

TEST_CASE("frame_ring: a frame that was read outlives the ring", "[unit][core]")
{
    std::shared_ptr<const Frame> kept;
    {
        RingFixture f(3);
        (void)f.record(500, 9);
        kept = f.read().frames.at(0);
    }
    CHECK(kept->payload == std::string(500, 'x'));
    CHECK(kept->stream == 9);
}

TEST_CASE("frame_ring: a frame takes no more memory than it counts", "[unit][core]")
{
    constexpr std::size_t count = 256;
    RingFixture f(count);
    f.ring.reset();
    const auto before = bytes_allocated();
    f.ring = std::make_unique<FrameRing>(count);
    for (std::size_t i = 0; i < count; ++i) {
        (void)f.record(200);
    }
    CHECK(bytes_allocated() - before <= f.ring->bytes());
}

#include "sojourn/core/weak_release_list.hpp"
#include "support/allocations.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using sojourn::SessionReference;
using sojourn::TimePoint;
using sojourn::WeakHold;
using sojourn::WeakReleaseList;

namespace {

std::unique_ptr<WeakHold> make_hold(std::uint32_t slot)
{
    auto hold = std::make_unique<WeakHold>();
    hold->slot = slot;
    hold->reference = SessionReference(slot + 100);
    hold->released = TimePoint(slot * 1ns);
    return hold;
}

std::vector<std::uint32_t> settle(WeakReleaseList& releases)
{
    std::vector<std::uint32_t> slots;
    releases.settle([&](const WeakHold& hold) { slots.push_back(hold.slot); });
    return slots;
}

} // namespace

static_assert(noexcept(std::declval<WeakReleaseList&>().give_back(nullptr)));

TEST_CASE("weak_release_list: an empty list settles nobody", "[unit][core]")
{
    WeakReleaseList releases;
    CHECK(settle(releases).empty());
}

TEST_CASE("weak_release_list: each hold is settled once, with all it says", "[unit][core]")
{
    WeakReleaseList releases;
    // Two of the same session are two.
    for (const std::uint32_t slot : {7U, 8U, 7U}) {
        releases.give_back(make_hold(slot));
    }
    std::vector<std::uint32_t> slots;
    releases.settle([&](const WeakHold& hold) {
        slots.push_back(hold.slot);
        CHECK(hold.reference == SessionReference(hold.slot + 100));
        CHECK(hold.released == TimePoint(hold.slot * 1ns));
    });
    std::ranges::sort(slots);
    CHECK(slots == std::vector<std::uint32_t>{7, 7, 8});
    CHECK(settle(releases).empty());
}

TEST_CASE("weak_release_list: a hold given back while it is settled is not lost", "[unit][core]")
{
    WeakReleaseList releases;
    releases.give_back(make_hold(1));
    std::size_t count = 0;
    releases.settle([&](const WeakHold&) {
        ++count;
        releases.give_back(make_hold(2));
    });
    CHECK(count == 1);
    CHECK(settle(releases) == std::vector<std::uint32_t>{2});
}

TEST_CASE("weak_release_list: giving back allocates nothing", "[unit][core]")
{
    WeakReleaseList releases;
    auto hold = make_hold(1);
    const auto before = sojourn::tests::allocations_made();
    releases.give_back(std::move(hold));
    CHECK(sojourn::tests::allocations_made() == before);
}

TEST_CASE("weak_release_list: what is not settled goes with the list", "[unit][core]")
{
    const auto before = sojourn::tests::bytes_allocated();
    {
        WeakReleaseList releases;
        releases.give_back(make_hold(1));
        releases.give_back(make_hold(2));
        CHECK(sojourn::tests::bytes_allocated() > before);
    }
    CHECK(sojourn::tests::bytes_allocated() == before);
}

TEST_CASE("weak_release_list: no hold of many threads is lost", "[unit][core]")
{
    constexpr std::uint32_t each = 2'000;
    constexpr std::uint32_t threads = 3;
    WeakReleaseList releases;
    std::vector<std::uint32_t> slots;
    {
        std::vector<std::jthread> givers;
        for (std::uint32_t thread = 0; thread < threads; ++thread) {
            givers.emplace_back([&releases, thread] {
                for (std::uint32_t i = 0; i < each; ++i) {
                    releases.give_back(make_hold(thread * each + i));
                }
            });
        }
        // Meanwhile.
        for (int i = 0; i < 1'000; ++i) {
            std::ranges::copy(settle(releases), std::back_inserter(slots));
        }
    }
    std::ranges::copy(settle(releases), std::back_inserter(slots));
    std::ranges::sort(slots);
    REQUIRE(slots.size() == each * threads);
    CHECK(std::ranges::adjacent_find(slots) == slots.end());
}

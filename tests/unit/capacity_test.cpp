#include "sojourn/core/capacity.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

using sojourn::Capacity;
using sojourn::Demand;

namespace {

constexpr Demand established;
constexpr Demand half_open{.is_half_open = true, .bytes = 0};

} // namespace

TEST_CASE("capacity: there are as many places as sessions, and no more", "[unit][core]")
{
    Capacity capacity({.sessions = 2, .pending = 5});
    CHECK_FALSE(capacity.is_full());
    auto first = capacity.take(established);
    auto second = capacity.take(established);
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(capacity.is_full());
    CHECK_FALSE(capacity.take(established).has_value());
    first.reset();
    CHECK_FALSE(capacity.is_full());
    CHECK(capacity.take(established).has_value());
}

TEST_CASE("capacity: a place that is occupied is given back by its session alone", "[unit][core]")
{
    Capacity capacity({.sessions = 1, .pending = 1});
    capacity.take(established).value().occupy(established);
    CHECK(capacity.is_full());
    capacity.leave_session(nullptr);
    CHECK_FALSE(capacity.is_full());
    capacity.vacate(1);
    CHECK(capacity.take(established).has_value());
}

TEST_CASE("capacity: ended sessions that are not forgotten take up room", "[unit][core]")
{
    Capacity capacity({.sessions = 1, .pending = 1});
    for (int i = 0; i < 2; ++i) {
        capacity.take(established).value().occupy(established);
        capacity.leave_session(nullptr);
    }
    CHECK_FALSE(capacity.is_full());
    CHECK_FALSE(Capacity::Place(capacity).take_slot());
    CHECK_FALSE(capacity.take(established).has_value());
    capacity.vacate(1);
    CHECK(capacity.take(established).has_value());
}

TEST_CASE("capacity: who makes room passes the place on, and nobody comes between", "[unit][core]")
{
    Capacity capacity({.sessions = 1, .pending = 1});
    capacity.take(established).value().occupy(established);
    {
        // One that waits for its listener keeps its slot, and the heir brings its own.
        Capacity::Place heir(capacity);
        REQUIRE(heir.take_slot());
        CHECK_FALSE(heir.take_session());
        capacity.leave_session(&heir);
        CHECK(capacity.is_full());
        CHECK(heir.take_session());
    }
    CHECK_FALSE(capacity.is_full());
    CHECK(capacity.take(established).has_value());
    capacity.vacate(1);
    // One that is forgotten leaves both.
    capacity.take(established).value().occupy(established);
    {
        Capacity::Place heir(capacity);
        capacity.leave_session(&heir);
        capacity.leave_slot(&heir);
        CHECK(heir.take(established));
        heir.occupy(established);
    }
    CHECK(capacity.is_full());
    Capacity::Place rest(capacity);
    CHECK(rest.take_slot());
    Capacity::Place nothing(capacity);
    CHECK_FALSE(nothing.take_slot());
}

TEST_CASE("capacity: an heir that has it already gives it back", "[unit][core]")
{
    Capacity capacity({.sessions = 3, .pending = 0, .half_open = 3, .bytes = 30});
    const Demand demand{.is_half_open = true, .bytes = 10};
    for (int i = 0; i < 2; ++i) {
        capacity.take(demand).value().occupy(demand);
    }
    auto heir = capacity.take(demand).value();
    capacity.leave_session(&heir);
    capacity.leave_slot(&heir);
    capacity.leave_half_open(&heir);
    CHECK_FALSE(capacity.is_full());
    // Of bytes it may need them all.
    capacity.leave_bytes(10, &heir);
    CHECK_FALSE(capacity.take(demand).has_value());
    CHECK(heir.take_bytes(20));
    CHECK_FALSE(heir.take_bytes(21));
    heir.occupy({.is_half_open = true, .bytes = 15});
    CHECK_FALSE(capacity.take({.is_half_open = true, .bytes = 1}).has_value());
    {
        const auto gone = std::move(heir);
    }
    CHECK(capacity.take({.is_half_open = true, .bytes = 5}).has_value());
    CHECK_FALSE(capacity.take({.is_half_open = true, .bytes = 6}).has_value());
}

TEST_CASE("capacity: the half-open have a bound of their own", "[unit][core]")
{
    Capacity capacity({.sessions = 5, .pending = 0, .half_open = 1});
    capacity.take(half_open).value().occupy(half_open);
    CHECK_FALSE(capacity.take(half_open).has_value());
    CHECK(capacity.take(established).has_value());
    capacity.leave_half_open(nullptr);
    CHECK(capacity.take(half_open).has_value());
}

TEST_CASE("capacity: what the session has no need of goes back", "[unit][core]")
{
    // It was to be half-open, and has got a principal meanwhile.
    Capacity capacity({.sessions = 5, .pending = 0, .half_open = 1});
    capacity.take(half_open).value().occupy(established);
    CHECK(capacity.take(half_open).has_value());
}

TEST_CASE("capacity: bytes are counted exactly, whatever a refusal needed", "[unit][core]")
{
    constexpr auto huge = Capacity::unbounded;
    Capacity capacity({.sessions = 5, .pending = 0, .half_open = 5, .bytes = 100});
    CHECK_FALSE(capacity.take({.is_half_open = false, .bytes = 101}).has_value());
    CHECK_FALSE(capacity.take({.is_half_open = false, .bytes = huge}).has_value());
    auto place = capacity.take({.is_half_open = false, .bytes = 60}).value();
    CHECK_FALSE(place.take_bytes(huge));
    CHECK(place.take_bytes(100));
    place.spend_bytes(70);
    place = Capacity::Place(capacity);
    CHECK(capacity.take({.is_half_open = false, .bytes = 30}).has_value());
    CHECK_FALSE(capacity.take({.is_half_open = false, .bytes = 31}).has_value());
}

TEST_CASE("capacity: a place that was moved is given back once", "[unit][core]")
{
    Capacity capacity({.sessions = 2, .pending = 0});
    auto first = capacity.take(established).value();
    auto second = std::move(first);
    CHECK(capacity.take(established).has_value());
    second = capacity.take(established).value();
    // The place it had before lives until the temporary ends, and no longer.
    CHECK(capacity.take(established).has_value());
    CHECK_FALSE(capacity.is_full());
}

// Whoever begins a creation may still have one when the creation is over, and the service too: a
// sanitizer sees whether it looks at what it was a place of.
TEST_CASE(
    "capacity: a place that was moved from may outlive what it was a place of", "[unit][core]"
)
{
    auto capacity = std::make_unique<Capacity>(Capacity::Bounds{.sessions = 1, .pending = 1});
    auto left = capacity->take(half_open).value();
    {
        const auto taken = std::move(left);
        CHECK(capacity->is_full());
    }
    CHECK_FALSE(capacity->is_full());
    capacity.reset();
}

TEST_CASE("capacity: threads together never take more than there are", "[unit][core]")
{
    constexpr std::size_t most = 10;
    Capacity capacity({.sessions = most, .pending = 0});
    std::atomic<std::size_t> held{0};
    std::atomic<std::size_t> too_many{0};
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&] {
                for (int i = 0; i < 20'000; ++i) {
                    if (const auto place = capacity.take(established)) {
                        too_many += ++held > most ? 1U : 0U;
                        --held;
                    }
                }
            });
        }
    }
    CHECK(too_many == 0);
    for (std::size_t i = 0; i < most; ++i) {
        capacity.take(established).value().occupy(established);
    }
    CHECK(capacity.is_full());
}

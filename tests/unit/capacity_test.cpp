#include "sojourn/core/capacity.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstddef>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

using sojourn::Capacity;

TEST_CASE("capacity: there are as many places as sessions, and no more", "[unit][core]")
{
    Capacity capacity(2, 5);
    CHECK_FALSE(capacity.is_full());
    auto first = capacity.take();
    auto second = capacity.take();
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(capacity.is_full());
    CHECK_FALSE(capacity.take().has_value());
    first.reset();
    CHECK_FALSE(capacity.is_full());
    CHECK(capacity.take().has_value());
}

TEST_CASE("capacity: a place that is occupied is given back by its session alone", "[unit][core]")
{
    Capacity capacity(1, 1);
    capacity.take().value().occupy();
    CHECK(capacity.is_full());
    capacity.leave();
    CHECK_FALSE(capacity.is_full());
    capacity.vacate(1);
    CHECK(capacity.take().has_value());
}

TEST_CASE("capacity: ended sessions that are not forgotten take up room", "[unit][core]")
{
    Capacity capacity(1, 1);
    for (int i = 0; i < 2; ++i) {
        capacity.take().value().occupy();
        capacity.leave();
    }
    CHECK_FALSE(capacity.is_full());
    CHECK_FALSE(capacity.take_slot());
    CHECK_FALSE(capacity.take().has_value());
    capacity.vacate(1);
    CHECK(capacity.take().has_value());
}

TEST_CASE("capacity: who makes room passes the place on, and nobody comes between", "[unit][core]")
{
    Capacity capacity(1, 1);
    capacity.take().value().occupy();
    // One that waits for its listener keeps its slot, and the heir brings its own.
    REQUIRE(capacity.take_slot());
    {
        const auto heir = capacity.inherit();
        CHECK(capacity.is_full());
    }
    CHECK_FALSE(capacity.is_full());
    CHECK(capacity.take().has_value());
    capacity.vacate(1);
    // One that is forgotten leaves both.
    capacity.take().value().occupy();
    capacity.inherit().occupy();
    CHECK(capacity.is_full());
    CHECK(capacity.take_slot());
    CHECK_FALSE(capacity.take_slot());
}

TEST_CASE("capacity: a place that was moved is given back once", "[unit][core]")
{
    Capacity capacity(2, 0);
    auto first = capacity.take().value();
    auto second = std::move(first);
    CHECK(capacity.take().has_value());
    second = capacity.take().value();
    // The place it had before lives until the temporary ends, and no longer.
    CHECK(capacity.take().has_value());
    CHECK_FALSE(capacity.is_full());
}

TEST_CASE("capacity: threads together never take more than there are", "[unit][core]")
{
    constexpr std::size_t most = 10;
    Capacity capacity(most, 0);
    std::atomic<std::size_t> held{0};
    std::atomic<std::size_t> too_many{0};
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&] {
                for (int i = 0; i < 20'000; ++i) {
                    if (const auto place = capacity.take()) {
                        too_many += ++held > most ? 1U : 0U;
                        --held;
                    }
                }
            });
        }
    }
    CHECK(too_many == 0);
    for (std::size_t i = 0; i < most; ++i) {
        capacity.take().value().occupy();
    }
    CHECK(capacity.is_full());
}

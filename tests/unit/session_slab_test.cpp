#include "sojourn/core/session_slab.hpp"
#include "support/allocations.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <random>
#include <set>
#include <utility>
#include <vector>

using sojourn::no_slot;
using sojourn::Session;
using sojourn::SessionSlab;
using sojourn::tests::bytes_allocated;

TEST_CASE("session_slab: an empty slab has no slots", "[unit][core]")
{
    const SessionSlab slab(10);
    CHECK(slab.size() == 0);
    CHECK(slab.count_free() == 0);
}

TEST_CASE("session_slab: slots are numbered from 0 and found by their number", "[unit][core]")
{
    SessionSlab slab(1000);
    std::set<Session*> sessions;
    for (std::uint32_t slot = 0; slot < 1000; ++slot) {
        auto& session = slab.take();
        CHECK(session.slot == slot);
        CHECK(&slab[slot] == &session);
        CHECK(session.next == no_slot);
        CHECK(slab.size() == slot + 1);
        sessions.insert(&session);
    }
    CHECK(sessions.size() == 1000);
}

TEST_CASE(
    "session_slab: a slot that was given back is used again, the last one first", "[unit][core]"
)
{
    SessionSlab slab(3);
    auto& first = slab.take();
    auto& second = slab.take();
    slab.give_back(first);
    slab.give_back(second);
    CHECK(slab.count_free() == 2);
    CHECK(slab.has_room());
    CHECK(&slab.take() == &second);
    CHECK(second.slot == 1);
    CHECK(second.next == no_slot);
    CHECK(&slab.take() == &first);
    CHECK(slab.count_free() == 0);
    CHECK(slab.size() == 2);
}

TEST_CASE(
    "session_slab: as many as its capacity are enough for any coming and going", "[unit][core]"
)
{
    constexpr std::size_t capacity = 100;
    SessionSlab slab(capacity);
    std::mt19937_64 random(1);
    std::vector<Session*> taken;
    for (int i = 0; i < 100'000; ++i) {
        if (taken.size() < capacity && random() % 2 == 0) {
            taken.push_back(&slab.take());
        } else if (!taken.empty()) {
            std::swap(taken[random() % taken.size()], taken.back());
            slab.give_back(*taken.back());
            taken.pop_back();
        }
    }
    CHECK(slab.size() <= capacity);
    CHECK(slab.count_free() + taken.size() == slab.size());
}

TEST_CASE("session_slab: there is room until all slots are taken", "[unit][core]")
{
    SessionSlab slab(2);
    CHECK(slab.has_room());
    auto& first = slab.take();
    CHECK(slab.has_room());
    static_cast<void>(slab.take());
    CHECK_FALSE(slab.has_room());
    slab.give_back(first);
    CHECK(slab.has_room());
    static_cast<void>(slab.take());
    CHECK_FALSE(slab.has_room());
}

TEST_CASE("session_slab: what its sessions hold goes with it", "[unit][core]")
{
    const auto before = bytes_allocated();
    {
        SessionSlab slab(10);
        slab.take().attributes.set("k", "v");
        auto& given_back = slab.take();
        given_back.attributes.set("k", "v");
        slab.give_back(given_back);
    }
    CHECK(bytes_allocated() == before);
}

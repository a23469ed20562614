#include "sojourn/core/session_slab.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <random>
#include <set>
#include <vector>

using sojourn::Session;
using sojourn::SessionSlab;

namespace {

Session& take(SessionSlab& slab)
{
    slab.reserve_one();
    return slab.take();
}

} // namespace

TEST_CASE("session_slab: an empty slab has no slots", "[unit][core]")
{
    const SessionSlab slab;
    CHECK(slab.size() == 0);
}

TEST_CASE("session_slab: slots are numbered from 0 and found by their number", "[unit][core]")
{
    SessionSlab slab;
    for (std::uint32_t slot = 0; slot < 1000; ++slot) {
        auto& session = take(slab);
        CHECK(session.slot == slot);
        CHECK(&slab[slot] == &session);
        CHECK(session.next == nullptr);
        CHECK(slab.size() > slot);
    }
}

TEST_CASE("session_slab: sessions never move", "[unit][core]")
{
    SessionSlab slab;
    std::vector<Session*> sessions;
    for (int i = 0; i < 5000; ++i) {
        sessions.push_back(&take(slab));
    }
    for (std::uint32_t slot = 0; slot < sessions.size(); ++slot) {
        if (&slab[slot] != sessions[slot]) {
            FAIL("slot " << slot << " moved");
        }
    }
    CHECK(std::set<Session*>(sessions.begin(), sessions.end()).size() == sessions.size());
}

TEST_CASE(
    "session_slab: a slot that was given back is used again, under a new generation", "[unit][core]"
)
{
    SessionSlab slab;
    auto& first = take(slab);
    auto& second = take(slab);
    const auto generation = first.generation;
    slab.give_back(first);
    CHECK(first.generation == generation + 1);
    CHECK(&take(slab) == &first);
    CHECK(first.generation == generation + 1);
    CHECK(first.slot == 0);
    CHECK(second.generation == generation);
    slab.give_back(second);
    CHECK(&take(slab) == &second);
}

TEST_CASE("session_slab: it grows only when no slot is free", "[unit][core]")
{
    SessionSlab slab;
    slab.reserve_one();
    const auto chunk = slab.size();
    CHECK(chunk > 0);
    slab.reserve_one();
    CHECK(slab.size() == chunk);

    std::mt19937_64 random(1);
    std::vector<Session*> taken;
    for (int i = 0; i < 100'000; ++i) {
        if (taken.size() < chunk && random() % 2 == 0) {
            taken.push_back(&take(slab));
        } else if (!taken.empty()) {
            std::swap(taken[random() % taken.size()], taken.back());
            slab.give_back(*taken.back());
            taken.pop_back();
        }
    }
    CHECK(slab.size() == chunk);
}

#include "sojourn/core/session_index.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <vector>

using sojourn::SessionIndex;

namespace {

constexpr auto any = [](std::uint32_t) { return true; };

} // namespace

TEST_CASE("session_index: an empty index finds nobody", "[unit][core]")
{
    const SessionIndex index(1);
    CHECK_FALSE(index.find(0, any).has_value());
    CHECK_FALSE(index.find(~std::uint64_t{0}, any).has_value());
    CHECK(index.size() == 0);
}

TEST_CASE("session_index: a slot is found by its hash until it is taken out", "[unit][core]")
{
    SessionIndex index(2);
    index.insert(7, 0);
    index.insert(~std::uint64_t{0}, 1);
    CHECK(index.find(7, any) == 0U);
    CHECK(index.find(~std::uint64_t{0}, any) == 1U);
    CHECK_FALSE(index.find(8, any).has_value());
    CHECK(index.size() == 2);
    index.erase(7, 0);
    CHECK_FALSE(index.find(7, any).has_value());
    CHECK(index.find(~std::uint64_t{0}, any) == 1U);
    CHECK(index.size() == 1);
}

TEST_CASE("session_index: the session itself decides, not its hash", "[unit][core]")
{
    SessionIndex index(3);
    index.insert(5, 10);
    index.insert(5, 11);
    index.insert(5, 12);
    for (const std::uint32_t slot : {10U, 11U, 12U}) {
        CHECK(index.find(5, [=](std::uint32_t place) { return place == slot; }) == slot);
    }
    CHECK_FALSE(index.find(5, [](std::uint32_t) { return false; }).has_value());
    index.erase(5, 11);
    CHECK_FALSE(index.find(5, [](std::uint32_t place) { return place == 11; }).has_value());
    CHECK(index.find(5, [](std::uint32_t place) { return place == 12; }) == 12U);
}

TEST_CASE("session_index: it is right at any load, whatever the hashes, at random", "[unit][core]")
{
    // Few hashes, so that runs are long, meet, and go round the end; the model is a map.
    const auto seed = GENERATE(1U, 2U, 3U, 4U, 5U, 6U);
    const auto capacity = GENERATE(1U, 2U, 7U, 64U, 300U);
    CAPTURE(seed, capacity);
    std::mt19937_64 random(seed);
    std::vector<std::uint64_t> hashes(std::max(1U, capacity / (seed % 3 + 1)));
    for (auto& hash : hashes) {
        // Half of them near the end, where places run out.
        hash = random() | (random() % 2 == 0 ? 0xFFF0'0000U : 0U);
    }
    SessionIndex index(capacity);
    std::map<std::uint32_t, std::uint64_t> model;
    for (int step = 0; step < 20'000; ++step) {
        const auto slot = static_cast<std::uint32_t>(random() % capacity);
        if (const auto known = model.find(slot); known != model.end()) {
            index.erase(known->second, slot);
            model.erase(known);
        } else {
            const auto hash = hashes[random() % hashes.size()];
            index.insert(hash, slot);
            model[slot] = hash;
        }
        if (index.size() != model.size()) {
            FAIL("at step " << step << ": " << index.size() << " of " << model.size());
        }
        const auto wanted = static_cast<std::uint32_t>(random() % capacity);
        const auto is_wanted = [=](std::uint32_t place) { return place == wanted; };
        const auto known = model.find(wanted);
        const auto hash = known == model.end() ? hashes[0] : known->second;
        if (index.find(hash, is_wanted).has_value() != (known != model.end())) {
            FAIL("at step " << step << " slot " << wanted);
        }
    }
}

#include "sojourn/testing/seeded_id_source.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

using sojourn::testing::SeededIdSource;

namespace {

std::string draw_text(sojourn::IdSource& source)
{
    return std::string(draw_id(source).value().text());
}

} // namespace

TEST_CASE("seeded_id_source: a seed gives the same ids in every run", "[unit][testing]")
{
    SeededIdSource source(42);
    SeededIdSource again(42);
    for (int i = 0; i < 100; ++i) {
        CHECK(draw_text(source) == draw_text(again));
    }

    // Pinned: users pin what follows from it.
    SeededIdSource pinned(1);
    CHECK(draw_text(pinned) == "HmE5dAirQV7u8Ww96WyN8XiNfjJt9pULqSsykxsbBsc");
}

TEST_CASE(
    "seeded_id_source: seeds differ, and do not give each other's ids later", "[unit][testing]"
)
{
    std::unordered_set<std::string> ids;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        SeededIdSource source(seed);
        for (int i = 0; i < 100; ++i) {
            ids.insert(draw_text(source));
        }
    }
    CHECK(ids.size() == 10'000);
}

TEST_CASE("seeded_id_source: a span of any size is filled", "[unit][testing]")
{
    for (std::size_t size = 0; size <= 17; ++size) {
        SeededIdSource source;
        std::vector<std::byte> bytes(size);
        CHECK_FALSE(source.fill(bytes).failed());
        // A longer span of the same seed begins with the same bytes.
        SeededIdSource longer;
        std::vector<std::byte> more(size + 1);
        CHECK_FALSE(longer.fill(more).failed());
        more.pop_back();
        CHECK(bytes == more);
    }
}

TEST_CASE("seeded_id_source: threads never draw the same id", "[unit][testing]")
{
    constexpr std::size_t draws = 2000;
    SeededIdSource source(3);
    std::array<std::vector<std::string>, 4> drawn;
    {
        std::vector<std::jthread> threads;
        threads.reserve(drawn.size());
        for (auto& mine : drawn) {
            threads.emplace_back([&source, &mine] {
                for (std::size_t i = 0; i < draws; ++i) {
                    mine.push_back(draw_text(source));
                }
            });
        }
    }
    std::unordered_set<std::string> together;
    for (const auto& mine : drawn) {
        together.insert(mine.begin(), mine.end());
    }
    CHECK(together.size() == draws * drawn.size());

    // The same set as one thread draws.
    SeededIdSource alone(3);
    for (std::size_t i = 0; i < draws * drawn.size(); ++i) {
        if (!together.contains(draw_text(alone))) {
            FAIL("an id that one thread would not have drawn");
        }
    }
}

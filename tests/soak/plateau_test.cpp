#include "soak/plateau.hpp"
#include "soak/verdict.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cstdint>
#include <random>
#include <vector>

using namespace sojourn::tests::soak;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::uint64_t mib = 1U << 20U;

/// A run of five minutes of a process that needs 20 MiB, give or take a little, and that grows by
/// so many bytes a second.
std::vector<Sample> five_minutes(std::uint64_t growth)
{
    std::mt19937_64 random(1);
    std::vector<Sample> samples;
    for (std::uint64_t second = 1; second <= 300; ++second) {
        Sample sample;
        sample.seconds = static_cast<double>(second);
        sample.heap_bytes = 20 * mib + random() % (64 * 1024) + second * growth;
        sample.resident_bytes = sample.heap_bytes + 8 * mib;
        samples.push_back(sample);
    }
    return samples;
}

} // namespace

TEST_CASE("plateau: what grows at first and then no more is one", "[soak]")
{
    const std::vector<std::uint64_t> samples{1, 50, 100, 98, 100, 99, 97, 100, 100};
    const auto found = judge_plateau(samples, Tolerance());
    CHECK(found.middle_max == 100);
    CHECK(found.last_max == 100);
    CHECK(found.holds());
}

TEST_CASE("plateau: one byte above the tolerance is none", "[soak]")
{
    const Tolerance tolerance{.share = 0.01, .bytes = 5};
    CHECK(judge_plateau(std::vector<std::uint64_t>{0, 100, 106}, tolerance).holds());
    CHECK_FALSE(judge_plateau(std::vector<std::uint64_t>{0, 100, 107}, tolerance).holds());
}

TEST_CASE("plateau: what falls in the last third is one", "[soak]")
{
    CHECK(judge_plateau(std::vector<std::uint64_t>{9, 9, 9, 100, 100, 100, 1, 2, 1}, {}).holds());
}

TEST_CASE("plateau: samples that do not fall into thirds count from the end", "[soak]")
{
    const auto found = judge_plateau(std::vector<std::uint64_t>{900, 800, 3, 4, 5, 6}, {});
    CHECK(found.middle_max == 4);
    CHECK(found.last_max == 6);
    CHECK(judge_plateau(std::vector<std::uint64_t>{900, 800, 3, 4, 5}, {}).middle_max == 4);
}

TEST_CASE("soak: memory that varies and does not grow is accepted", "[soak]")
{
    CHECK(plateau_faults(five_minutes(0)).empty());
}

TEST_CASE("soak: a leak of 8 KiB a second is found within five minutes", "[soak]")
{
    const auto faults = plateau_faults(five_minutes(8 * 1024));
    REQUIRE_FALSE(faults.empty());
    CHECK_THAT(faults.front(), ContainsSubstring("heap"));
}

TEST_CASE("soak: a leak that fills pages is found in what is resident too", "[soak]")
{
    const auto faults = plateau_faults(five_minutes(64 * 1024));
    REQUIRE(faults.size() == 2);
    CHECK_THAT(faults.back(), ContainsSubstring("resident"));
}

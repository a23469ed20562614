#include "soak/plateau.hpp"
#include "soak/verdict.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

using namespace sojourn::tests::soak;
using Catch::Matchers::ContainsSubstring;
using namespace std::chrono_literals;

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
        sample.waiting = random() % 16;
        sample.pending = 1'000 + random() % 200;
        samples.push_back(sample);
    }
    return samples;
}

} // namespace

TEST_CASE("plateau: what grows at first and then no more is one", "[soak]")
{
    const std::vector<std::uint64_t> samples{1, 50, 100, 98, 100, 99, 97, 100, 100};
    const auto found = judge_plateau(samples, Tolerance());
    CHECK(found.middle == 100);
    CHECK(found.last == 100);
    CHECK(found.holds());
}

TEST_CASE("plateau: one byte above the tolerance is none", "[soak]")
{
    const Tolerance tolerance{.share = 0.01, .amount = 5};
    CHECK(judge_plateau(std::vector<std::uint64_t>{0, 100, 106}, tolerance).holds());
    CHECK_FALSE(judge_plateau(std::vector<std::uint64_t>{0, 100, 107}, tolerance).holds());
}

TEST_CASE("plateau: what falls in the last third is one", "[soak]")
{
    CHECK(judge_plateau(std::vector<std::uint64_t>{9, 9, 9, 100, 100, 100, 1, 2, 1}, {}).holds());
}

TEST_CASE("plateau: of a queue the lowest of a third counts, and no peak", "[soak]")
{
    const auto found =
        judge_plateau(std::vector<std::uint64_t>{9, 9, 9, 2, 3, 4, 900, 3, 5}, {}, Level::lowest);
    CHECK(found.middle == 2);
    CHECK(found.last == 3);
    CHECK_FALSE(found.holds());
}

TEST_CASE("plateau: samples that do not fall into thirds count from the end", "[soak]")
{
    const auto found = judge_plateau(std::vector<std::uint64_t>{900, 800, 3, 4, 5, 6}, {});
    CHECK(found.middle == 4);
    CHECK(found.last == 6);
    CHECK(judge_plateau(std::vector<std::uint64_t>{900, 800, 3, 4, 5}, {}).middle == 4);
}

TEST_CASE("soak: what varies and does not grow is accepted", "[soak]")
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

TEST_CASE("soak: clients that wait for ever are found", "[soak]")
{
    auto samples = five_minutes(0);
    for (std::uint64_t i = 0; auto& sample : samples) {
        sample.waiting += ++i / 3;
    }
    const auto faults = plateau_faults(samples);
    REQUIRE(faults.size() == 1);
    CHECK_THAT(faults.front(), ContainsSubstring("waiting still grows"));
}

TEST_CASE("soak: events that no listener is told of are found", "[soak]")
{
    auto samples = five_minutes(0);
    for (std::uint64_t i = 0; auto& sample : samples) {
        sample.pending += 2 * ++i;
    }
    const auto faults = plateau_faults(samples);
    REQUIRE(faults.size() == 1);
    CHECK_THAT(faults.front(), ContainsSubstring("pending still grows"));
}

TEST_CASE("soak: frames that become more and more are found", "[soak]")
{
    auto samples = five_minutes(0);
    for (std::uint64_t i = 0; auto& sample : samples) {
        sample.frame_bytes += 1'000 * ++i;
    }
    const auto faults = plateau_faults(samples);
    REQUIRE(faults.size() == 1);
    CHECK_THAT(faults.front(), ContainsSubstring("frames still grows"));
}

TEST_CASE("soak: too few samples are not judged", "[soak]")
{
    auto samples = five_minutes(mib);
    CHECK(judge(samples).size() == 5);
    samples.resize(plateau_samples_min - 1);
    CHECK(judge(samples).empty());
    CHECK(plateau_faults(samples).empty());
}

TEST_CASE("soak: there is a sample a second, or ten, or as many as there is room for", "[soak]")
{
    CHECK(sample_interval(1200ms) == 120ms);
    CHECK(sample_interval(10s) == 1s);
    CHECK(sample_interval(11s) == 1s);
    CHECK(sample_interval(1h) == 1s);
    CHECK(sample_interval(7 * 24h) == 168s);
}

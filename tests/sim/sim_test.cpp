#include "sim/campaign.hpp"
#include "sim/plan.hpp"
#include "sim/shrink.hpp"
#include "sim/world.hpp"
#include "support/seed.hpp"

#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

using namespace sojourn::tests;
using namespace sojourn::tests::sim;

TEST_CASE("sim: some seeds hold", "[sim]")
{
    CampaignOptions options;
    options.seeds = 100;
    options.steps = 300;
    const auto result = run_campaign(options);
    INFO("./dev sim --seed " << result.failed.value_or(0) << " --steps 300 says more");
    CHECK_FALSE(result.failed.has_value());
    CHECK(result.totals.seeds == 100);
    // It is no simulation if nothing happens in it.
    CHECK(result.totals.operations > 10'000);
    CHECK(result.totals.sessions > 500);
    CHECK(result.totals.cancellations > 100);
    CHECK(result.totals.interruptions > 100);
}

TEST_CASE("sim: seeds that nobody chose hold", "[sim]")
{
    CampaignOptions options;
    options.first_seed = announced_seed();
    options.seeds = 40;
    options.steps = 300;
    const auto result = run_campaign(options);
    INFO("./dev sim --seed " << result.failed.value_or(0) << " --steps 300 says more");
    CHECK_FALSE(result.failed.has_value());
}

TEST_CASE("sim: the same seed takes the same steps", "[sim]")
{
    std::set<std::uint64_t> traces;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        INFO("seed " << seed);
        const auto plan = draw_plan(seed, 200);
        const auto first = run(plan);
        const auto second = run(plan);
        CHECK(first.trace == second.trace);
        CHECK(first.steps == second.steps);
        CHECK(first.operations == second.operations);
        traces.insert(first.trace);
    }
    CHECK(traces.size() == 30);
}

TEST_CASE("sim: another process takes the same steps", "[sim]")
{
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        INFO("seed " << seed);
        const auto plan = draw_plan(seed, 200);
        const auto said = in_a_process([&] { return std::to_string(run(plan).trace); });
        CHECK_FALSE(said.has_failed);
        CHECK(said.text == std::to_string(run(plan).trace));
    }
}

TEST_CASE("sim: what goes wrong is found, made small, and seen again", "[sim]")
{
    // What some of the seeds must not do, and most do.
    const auto is_bad = [](std::uint64_t seed) { return seed % 10 == 7; };
    const auto runner = [is_bad](const Plan& plan, const Kept* kept) {
        const auto outcome = run(plan, kept);
        require(!is_bad(plan.seed) || outcome.sessions < 4, "four sessions were made");
        return outcome;
    };
    CampaignOptions options;
    options.seeds = 100;
    options.steps = 300;
    options.processes = 2;
    options.runner = runner;
    const auto failed = run_campaign(options).failed;
    REQUIRE(failed.has_value());
    CHECK(is_bad(*failed));
    const auto fault = fault_of(*failed, options.steps, nullptr, runner);
    CHECK(fault == "four sessions were made");
    CHECK(fault_of(*failed, options.steps, nullptr).empty());

    const auto small = shrink(all_of(options.steps), [&](const Kept& fewer) {
        return !fault_of(*failed, options.steps, &fewer, runner).empty();
    });
    CHECK_FALSE(small.empty());
    CHECK(small.size() <= 12);
    const auto read = parse_kept(to_text(small));
    REQUIRE(read == small);
    CHECK(fault_of(*failed, options.steps, &*read, runner) == fault);
}

TEST_CASE("sim: a process that dies says so", "[sim]")
{
    CHECK(in_a_process([] { return std::string("well"); }).text == "well");
    const auto dead = in_a_process([] {
        (void)std::raise(SIGKILL);
        return std::string();
    });
    CHECK(dead.has_failed);
    CHECK(dead.text == "it died of signal 9");
    const auto thrown = in_a_process([]() -> std::string { throw Violation("badly"); });
    CHECK(thrown.has_failed);
    CHECK(thrown.text == "badly");
}

TEST_CASE("sim: a plan is the same without some of its steps", "[sim]")
{
    const auto plan = draw_plan(7, 100);
    const Kept some = {3, 4, 20, 21, 22, 50, 90};
    CHECK(run(plan, &some).trace == run(plan, &some).trace);
    const auto all = all_of(100);
    CHECK(run(plan, &all).trace == run(plan).trace);
    CHECK(run(plan, &some).trace != run(plan).trace);
}

TEST_CASE("sim: what fails is made small", "[sim]")
{
    std::size_t trials = 0;
    const auto needs = [&](std::initializer_list<std::size_t> places) {
        trials = 0;
        return shrink(all_of(2'000), [&, places](const Kept& kept) {
            ++trials;
            return std::ranges::all_of(places, [&](std::size_t place) {
                return std::ranges::find(kept, place) != kept.end();
            });
        });
    };
    CHECK(needs({5, 17, 1'999}) == Kept{5, 17, 1'999});
    CHECK(needs({1'000}) == Kept{1'000});
    CHECK(needs({}).size() <= 1);
    CHECK(needs({0, 500, 1'000, 1'500}) == Kept{0, 500, 1'000, 1'500});
    CHECK(trials < 500);
}

TEST_CASE("sim: making small ends in time", "[sim]")
{
    std::size_t trials = 0;
    const auto kept = shrink(
        all_of(1'000),
        [&](const Kept& fewer) {
            ++trials;
            return fewer.size() > 700;
        },
        50
    );
    CHECK(trials == 50);
    CHECK(kept.size() > 700);
}

TEST_CASE("sim: places are written and read", "[sim]")
{
    CHECK(to_text({0, 1, 2, 3, 17}) == "0-3,17");
    CHECK(to_text({}) == "none");
    CHECK(parse_kept("0-3,17") == Kept{0, 1, 2, 3, 17});
    CHECK(parse_kept("none") == Kept{});
    for (const auto* const wrong : {"", "a", "3-1", "1,,2", "1-", "-1", "1 2", "1-2-3"}) {
        INFO(wrong);
        CHECK(parse_kept(wrong) == std::nullopt);
    }
}

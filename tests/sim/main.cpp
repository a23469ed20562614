// sojourn_sim: simulates a service with many seeds, and makes the first failure small.

#include "sim/campaign.hpp"
#include "sim/plan.hpp"
#include "sim/world.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

using namespace sojourn::tests::sim;

namespace {

struct Arguments {
    CampaignOptions campaign;
    std::optional<std::uint64_t> seed;
    std::string kept;
    std::string report;
    double hours = 0;
};

std::string replay_command(std::uint64_t seed, std::size_t steps, const Kept* kept)
{
    return fmt::format(
        "./dev sim --seed {} --steps {}{}",
        seed,
        steps,
        kept != nullptr ? " --keep " + to_text(*kept) : ""
    );
}

void print_fault(const std::string& fault, const Plan& plan, const Kept& kept)
{
    fmt::print("\nSeed {} fails: {}\n", plan.seed, fault);
    fmt::print("  {}\n", plan.swarm.text());
    constexpr std::size_t most = 40;
    for (std::size_t i = 0; i < kept.size() && i < most; ++i) {
        const auto& step = plan.steps[kept[i]];
        fmt::print(
            "  {:5}  {:20} {:10} {:10} {:10}  then {} more\n",
            kept[i],
            to_string(step.action),
            step.numbers[0],
            step.numbers[1],
            step.numbers[2],
            step.gap
        );
    }
    if (kept.size() > most) {
        fmt::print("  and {} more\n", kept.size() - most);
    }
}

int shrink_and_tell(std::uint64_t seed, std::size_t steps)
{
    const auto plan = draw_plan(seed, steps);
    fmt::print("\nSeed {} fails:\n  {}\n", seed, replay_command(seed, steps, nullptr));
    const auto first_fault = fault_of(seed, steps, nullptr);
    if (first_fault.empty()) {
        fmt::print("It does not fail again. It should: a run depends on its seed alone.\n");
        return 1;
    }
    (void)std::fflush(stdout);
    const auto kept = shrink(all_of(steps), [&](const Kept& fewer) {
        return !fault_of(seed, steps, &fewer).empty();
    });
    print_fault(fault_of(seed, steps, &kept), plan, kept);
    fmt::print("To see it again:\n  {}\n", replay_command(seed, steps, &kept));
    return 1;
}

int replay(const Arguments& arguments)
{
    const auto steps = arguments.campaign.steps;
    const auto plan = draw_plan(*arguments.seed, steps);
    auto kept = all_of(steps);
    if (!arguments.kept.empty()) {
        kept = parse_kept(arguments.kept).value();
        if (!kept.empty() && kept.back() >= steps) {
            fmt::print(stderr, "sojourn_sim: --keep names a step that is not among {}\n", steps);
            return 2;
        }
    }
    const auto fault = fault_of(*arguments.seed, steps, &kept);
    if (!fault.empty()) {
        print_fault(fault, plan, kept);
        return 1;
    }
    const auto outcome = run(plan, &kept);
    fmt::print(
        "Seed {} holds.\n  {}\n  {} operations, {} sessions, {} steps, {} interruptions, trace "
        "{:016x}\n",
        plan.seed,
        plan.swarm.text(),
        outcome.operations,
        outcome.sessions,
        outcome.steps,
        outcome.interruptions,
        outcome.trace
    );
    return 0;
}

void write_report(const std::string& path, const CampaignOptions& options, const Totals& totals)
{
    std::ofstream file(path);
    file << fmt::format(
        R"({{"first_seed": {}, "seeds": {}, "steps_per_seed": {}, "operations": {}, "steps": {}, )"
        R"("sessions": {}, "interruptions": {}, "cancellations": {}, "simulated_seconds": {}}})"
        "\n",
        options.first_seed,
        totals.seeds,
        options.steps,
        totals.operations,
        totals.steps,
        totals.sessions,
        totals.interruptions,
        totals.cancellations,
        totals.simulated_seconds
    );
    if (!file.flush()) {
        throw std::runtime_error(path + " cannot be written");
    }
}

int campaign(const Arguments& arguments)
{
    const auto& options = arguments.campaign;
    if (!arguments.report.empty()) {
        // A campaign that fails leaves none.
        std::filesystem::remove(arguments.report);
    }
    const auto begin = std::chrono::steady_clock::now();
    const auto result = run_campaign(options);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const auto& totals = result.totals;
    fmt::print(
        "{} seeds from {}, {} operations on {} sessions, {} steps, {} interruptions, {} "
        "cancellations, {:.1f} simulated days, in {:.1f} s\n",
        totals.seeds,
        options.first_seed,
        totals.operations,
        totals.sessions,
        totals.steps,
        totals.interruptions,
        totals.cancellations,
        static_cast<double>(totals.simulated_seconds) / 86'400,
        took.count()
    );
    if (result.failed) {
        return shrink_and_tell(*result.failed, options.steps);
    }
    if (!arguments.report.empty()) {
        write_report(arguments.report, options, totals);
    }
    return 0;
}

std::string check_kept(const std::string& text)
{
    return parse_kept(text) ? "" : "must be places such as 0-3,17, or none";
}

} // namespace

int main(int argc, char** argv)
try {
    Arguments arguments;
    auto& options = arguments.campaign;
    options.processes = std::max(std::thread::hardware_concurrency(), 1U);
    CLI::App app("Simulates a session service with many seeds.", "sojourn_sim");
    app.add_option("--seeds", options.seeds, "how many seeds")
        ->check(CLI::Range(1U, 4'000'000'000U));
    app.add_option("--first", options.first_seed, "the first of them");
    app.add_option("--steps", options.steps, "steps of each run")->check(CLI::Range(1, 10'000'000));
    app.add_option("--jobs", options.processes, "processes")->check(CLI::Range(1, 256));
    app.add_option("--hours", arguments.hours, "stop after so many hours, whatever --seeds says")
        ->check(CLI::Range(0.0, 10'000.0));
    app.add_option("--seed", arguments.seed, "run this one alone, and tell of it");
    app.add_option("--keep", arguments.kept, "with --seed: only these steps of its plan")
        ->needs("--seed")
        ->check(check_kept);
    app.add_option("--report", arguments.report, "write the sums into this file, as JSON");
    CLI11_PARSE(app, argc, argv);
    if (arguments.hours > 0) {
        options.limit = std::chrono::seconds(static_cast<long>(arguments.hours * 3'600));
        options.seeds = app.count("--seeds") > 0 ? options.seeds : UINT64_MAX - options.first_seed;
    }
    return arguments.seed ? replay(arguments) : campaign(arguments);
} catch (const std::exception& error) {
    fmt::print(stderr, "sojourn_sim: {}\n", error.what());
    return 2;
}

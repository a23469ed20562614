// sojourn_soak: a service under everything at once, for minutes or hours. See soak.hpp.

#include "soak/report.hpp"
#include "soak/soak.hpp"
#include "soak/verdict.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <random>
#include <string>
#include <thread>

using namespace sojourn::tests::soak;

namespace {

struct Arguments {
    SoakOptions options;
    double minutes = 10;
    std::filesystem::path output = "build/soak";
};

int soak(const Arguments& arguments)
{
    const auto& options = arguments.options;
    std::filesystem::create_directories(arguments.output);
    fmt::print(
        "Seed {}, {} clients, {} threads, {} shards, {:.1f} minutes.\n",
        options.seed,
        options.clients,
        options.threads,
        options.shards,
        arguments.minutes
    );
    print_head();
    // Some twenty rows, however long it takes.
    const std::chrono::duration<double> every =
        std::max<std::chrono::milliseconds>(options.duration / 20, std::chrono::seconds(1));
    double next = 0;
    const auto outcome = run_soak(options, [&](const Sample& sample) {
        if (sample.seconds >= next) {
            print_row(sample);
            next = sample.seconds + every.count() * 0.99;
        }
    });
    print_sums(outcome);
    write_samples(arguments.output / "soak.csv", outcome.samples);
    write_summary(arguments.output / "summary.json", options, outcome);
    (void)std::fflush(stdout);
    for (const auto& fault : outcome.faults) {
        fmt::print(stderr, "sojourn_soak: {}\n", fault);
    }
    if (!outcome.faults.empty()) {
        fmt::print(stderr, "sojourn_soak: failed, with seed {}\n", options.seed);
        return 1;
    }
    fmt::print(
        "{}\n",
        judge(outcome.samples).empty() ? "All of it holds, but nothing could be judged for growth."
                                       : "All of it holds."
    );
    return 0;
}

} // namespace

int main(int argc, char** argv)
try {
    constexpr double longest = 7 * 24 * 60;
    Arguments arguments;
    auto& options = arguments.options;
    options.seed = std::random_device()();
    options.threads = std::max(std::thread::hardware_concurrency(), 1U);
    options.clients = 96;
    options.shards = 2;
    CLI::App app("Runs a session service under everything at once.", "sojourn_soak");
    app.add_option("--minutes", arguments.minutes, "how long")->check(CLI::Range(0.02, longest));
    app.add_option("--seed", options.seed, "of what clients, listeners and ids do")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--threads", options.threads, "that run the context; else one a core")
        ->check(CLI::Range(1, 256));
    app.add_option("--clients", options.clients, "at once")->check(CLI::Range(1, 10'000));
    app.add_option("--shards", options.shards, "of the service")->check(CLI::Range(1, 256));
    app.add_option("--output", arguments.output, "the folder of soak.csv and summary.json");
    CLI11_PARSE(app, argc, argv);
    options.duration =
        std::chrono::milliseconds(static_cast<std::int64_t>(arguments.minutes * 60'000));
    try {
        return soak(arguments);
    } catch (const std::exception& failure) {
        // Threads may be stuck, and nobody waits for those.
        (void)std::fflush(stdout);
        fmt::print(stderr, "sojourn_soak: {}, with seed {}\n", failure.what(), options.seed);
        std::_Exit(1);
    }
} catch (const std::exception& failure) {
    fmt::print(stderr, "sojourn_soak: {}\n", failure.what());
    return 2;
}

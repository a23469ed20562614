// The benchmarks' main: refuses to measure a build whose numbers would mean nothing, or a peer that
// does not do its work.

#include "peers/self_check.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <exception>
#include <future>
#include <iostream>
#include <thread>

namespace {

#ifdef NDEBUG
constexpr auto* build = "release";
#else
constexpr auto* build = "debug";
#endif

bool is_worth_measuring()
{
#ifndef NDEBUG
    if (std::getenv("SOJOURN_BENCH_ANYWAY") == nullptr) {
        std::cerr << "This is a debug build: its numbers are void. Use the release preset, "
                     "or set SOJOURN_BENCH_ANYWAY.\n";
        return false;
    }
#endif
    try {
        sojourn::bench::peers::self_check();
        return true;
    } catch (const std::exception& failure) {
        std::cerr << failure.what() << '\n';
        return false;
    }
}

/// A thread that does nothing. A server has threads; in a process that never had one, glibc's mutex
/// and the counts of a shared_ptr are not atomic, and what is measured is no server's.
class ParkedThread {
public:
    ParkedThread() : thread_([over = over_.get_future()] { over.wait(); }) {}

    ParkedThread(const ParkedThread&) = delete;
    ParkedThread& operator=(const ParkedThread&) = delete;
    ParkedThread(ParkedThread&&) = delete;
    ParkedThread& operator=(ParkedThread&&) = delete;

    ~ParkedThread()
    {
        over_.set_value();
        thread_.join();
    }

private:
    std::promise<void> over_;
    std::thread thread_;
};

} // namespace

int main(int argc, char** argv)
{
    if (!is_worth_measuring()) {
        return EXIT_FAILURE;
    }
    const ParkedThread parked;
    // Google Benchmark tells only how it was itself built.
    benchmark::AddCustomContext("sojourn_build", build);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return EXIT_FAILURE;
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return EXIT_SUCCESS;
}

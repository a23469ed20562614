// The benchmarks' main: refuses to measure a build whose numbers would mean nothing.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>

int main(int argc, char** argv)
{
#ifndef NDEBUG
    if (std::getenv("SOJOURN_BENCH_ANYWAY") == nullptr) {
        std::cerr << "This is a debug build: its numbers are void. Use the release preset, "
                     "or set SOJOURN_BENCH_ANYWAY.\n";
        return 1;
    }
#endif
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}

/// @file
/// The arguments that every benchmark has, by name: how many sessions, how many threads.

#ifndef SOJOURN_BENCH_SUPPORT_ARGUMENTS_HPP
#define SOJOURN_BENCH_SUPPORT_ARGUMENTS_HPP

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace sojourn::bench {

[[nodiscard]] inline std::size_t sessions_of(const benchmark::State& state)
{
    return static_cast<std::size_t>(state.range(0));
}

[[nodiscard]] inline std::size_t threads_of(const benchmark::State& state)
{
    return static_cast<std::size_t>(state.range(1));
}

/// 1, 2 and 4, which may be more than there are processors; then as far as these reach, up to 64.
[[nodiscard]] inline std::vector<std::int64_t> thread_counts()
{
    std::vector<std::int64_t> counts{1, 2, 4};
    for (std::int64_t count = 8; count <= 64 && count <= std::thread::hardware_concurrency();
         count *= 2) {
        counts.push_back(count);
    }
    return counts;
}

/// `.../sessions:N/threads:1`. All time is what a wall clock tells, for the work alone.
template <std::int64_t... sessions>
void on_one_thread(benchmark::internal::Benchmark* each)
{
    each->ArgNames({"sessions", "threads"})->ArgsProduct({{sessions...}, {1}})->UseManualTime();
}

/// The same, measured once a repetition: to set it up takes longer than all else.
template <std::int64_t... sessions>
void once_a_repetition(benchmark::internal::Benchmark* each)
{
    on_one_thread<sessions...>(each);
    each->Iterations(1);
}

/// `.../sessions:N/threads:M`.
template <std::int64_t... sessions>
void on_many_threads(benchmark::internal::Benchmark* each)
{
    each->ArgNames({"sessions", "threads"})
        ->ArgsProduct({{sessions...}, thread_counts()})
        ->UseManualTime();
}

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_SUPPORT_ARGUMENTS_HPP

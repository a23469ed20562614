// What does the decision cost whether a request is within its session's rate?

#include "sojourn/core/rate_limit.hpp"
#include "support/arguments.hpp"
#include "support/drive.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using namespace sojourn::bench;
using sojourn::TimePoint;

constexpr std::size_t rounds = 100;
constexpr sojourn::RateLimit limit(100, 1);

/// Requests of each session in turn, of which one in `too_fast` is within the rate.
template <std::size_t too_fast>
void admit(benchmark::State& state)
{
    const sojourn::RateLimiter limiter(limit);
    std::vector<TimePoint> arrivals(sessions_of(state));
    TimePoint now(std::chrono::hours(1));
    std::size_t admitted = 0;
    for (auto _ : state) {
        state.SetIterationTime(seconds_of([&] {
            for (std::size_t round = 0; round < rounds; ++round) {
                for (auto& arrival : arrivals) {
                    const auto wait = limiter.admit(arrival, now);
                    benchmark::DoNotOptimize(wait);
                    admitted += wait == sojourn::Duration::zero() ? 1U : 0U;
                }
                now += limit.interval() / too_fast;
            }
        }));
    }
    const auto requests = static_cast<std::size_t>(state.iterations()) * rounds * arrivals.size();
    if (admitted * too_fast != requests) {
        state.SkipWithError("others were admitted than those within the rate");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(requests));
}

} // namespace

BENCHMARK(admit<1>)->Name("rate_limiter/sojourn/admitted")->Apply(on_one_thread<1'000>);
BENCHMARK(admit<10>)->Name("rate_limiter/sojourn/refused")->Apply(on_one_thread<1'000>);

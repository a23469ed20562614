/// @file
/// How long single operations took, and what is told of that: percentiles, not a mean.

#ifndef SOJOURN_BENCH_SUPPORT_LATENCIES_HPP
#define SOJOURN_BENCH_SUPPORT_LATENCIES_HPP

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sojourn::bench {

class Latencies {
public:
    /// Room for that many, so that none is measured while memory is moved.
    explicit Latencies(std::size_t expected) { nanoseconds_.reserve(expected); }

    void add(std::chrono::nanoseconds latency) { nanoseconds_.push_back(latency.count()); }

    [[nodiscard]] std::size_t count() const noexcept { return nanoseconds_.size(); }

    /// The latency that this share of the operations did not exceed.
    [[nodiscard]] double percentile(double share)
    {
        if (nanoseconds_.empty()) {
            return 0;
        }
        const auto rank =
            static_cast<std::ptrdiff_t>(share * static_cast<double>(nanoseconds_.size() - 1));
        const auto place = nanoseconds_.begin() + rank;
        std::ranges::nth_element(nanoseconds_, place);
        return static_cast<double>(*place);
    }

    void report(benchmark::State& state)
    {
        state.counters["p50_ns"] = percentile(0.5);
        state.counters["p99_ns"] = percentile(0.99);
        state.counters["p999_ns"] = percentile(0.999);
    }

private:
    std::vector<std::int64_t> nanoseconds_;
};

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_SUPPORT_LATENCIES_HPP

/// @file
/// Latencies in memory that does not grow with their number, so that what the load costs in memory
/// can be seen beside it.

#ifndef SOJOURN_BENCH_LOAD_LATENCY_HISTOGRAM_HPP
#define SOJOURN_BENCH_LOAD_LATENCY_HISTOGRAM_HPP

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sojourn::bench {

/// Counts latencies in buckets, 64 for each power of two: a percentile is told no more than 1.6 %
/// too long, and the longest latency exactly.
class LatencyHistogram {
public:
    void add(std::chrono::nanoseconds latency)
    {
        const auto length = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
        ++counts_[bucket_of(length)];
        ++count_;
        longest_ = std::max(longest_, length);
    }

    LatencyHistogram& operator+=(const LatencyHistogram& other)
    {
        for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
            counts_[bucket] += other.counts_[bucket];
        }
        count_ += other.count_;
        longest_ = std::max(longest_, other.longest_);
        return *this;
    }

    /// What this share of the latencies did not exceed.
    [[nodiscard]] std::chrono::nanoseconds percentile(double share) const
    {
        const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(count_));
        std::uint64_t passed = 0;
        for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
            passed += counts_[bucket];
            if (passed > rank) {
                return nanoseconds(std::min(longest_in(bucket), longest_));
            }
        }
        return longest();
    }

    [[nodiscard]] std::chrono::nanoseconds longest() const { return nanoseconds(longest_); }

private:
    static constexpr std::size_t bits = 6;
    static constexpr std::size_t bucket_count = (64 - bits + 1) << bits;

    static std::chrono::nanoseconds nanoseconds(std::uint64_t length)
    {
        return std::chrono::nanoseconds(static_cast<std::int64_t>(length));
    }

    /// By the `bits` that follow the first one that is set, and by where that is.
    static std::size_t bucket_of(std::uint64_t length)
    {
        const auto width = static_cast<std::size_t>(std::bit_width(length));
        const auto dropped = std::max(width, bits + 1) - (bits + 1);
        return (dropped << bits) + static_cast<std::size_t>(length >> dropped);
    }

    static std::uint64_t longest_in(std::size_t bucket)
    {
        const auto dropped = std::max<std::size_t>(bucket >> bits, 1) - 1;
        const std::uint64_t kept = bucket - (dropped << bits);
        return ((kept + 1) << dropped) - 1;
    }

    std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(bucket_count);
    std::uint64_t count_ = 0;
    std::uint64_t longest_ = 0;
};

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_LOAD_LATENCY_HISTOGRAM_HPP

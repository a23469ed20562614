/// @file
/// How long something was waited for, counted in buckets whose bounds are powers of two. It has a
/// fixed size and takes no memory, so it can be counted in and copied inside a turn; it tells
/// orders of magnitude, which is what a wait is judged by.

#ifndef SOJOURN_CORE_WAIT_HISTOGRAM_HPP
#define SOJOURN_CORE_WAIT_HISTOGRAM_HPP

#include "sojourn/core/time.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace sojourn {

/// Waits, by length. The first bucket holds those of no length; bucket `i` after it those of at
/// least `2^(i-1)` and less than `2^i` nanoseconds; the last one, which begins at 2^40 ns or 18
/// minutes, all that are longer.
///
/// A value. *Thread safety*: none. *Complexity*: O(1) to add, O(buckets) to ask.
class WaitHistogram {
public:
    static constexpr std::size_t bucket_count = 42;

    /// Counts one wait. One of negative length, which a clock that was set back makes, has none.
    constexpr void add(Duration wait) noexcept
    {
        const auto length = static_cast<std::uint64_t>(std::max<Duration::rep>(wait.count(), 0));
        const auto width = static_cast<std::size_t>(std::bit_width(length));
        ++buckets_[std::min(width, bucket_count - 1)];
        // Saturates: a sum of waits that has no meaning any more must not wrap into one that seems
        // to have.
        sum_ns_ = length > UINT64_MAX - sum_ns_ ? UINT64_MAX : sum_ns_ + length;
    }

    [[nodiscard]] constexpr const std::array<std::uint64_t, bucket_count>& buckets() const noexcept
    {
        return buckets_;
    }

    /// What every wait of a bucket is shorter than; `Duration::max()` for the last.
    [[nodiscard]] static constexpr Duration upper_bound(std::size_t bucket) noexcept
    {
        return bucket + 1 < bucket_count ? Duration(std::int64_t{1} << bucket) : Duration::max();
    }

    [[nodiscard]] constexpr std::uint64_t count() const noexcept
    {
        return std::accumulate(buckets_.begin(), buckets_.end(), std::uint64_t{0});
    }

    /// The length of all waits together, in nanoseconds.
    [[nodiscard]] constexpr std::uint64_t sum_ns() const noexcept { return sum_ns_; }

    /// The average of those that had a length; zero if none had.
    [[nodiscard]] constexpr Duration mean_wait() const noexcept
    {
        const auto waits = count() - buckets_.front();
        return waits == 0 ? Duration::zero()
                          : Duration(static_cast<Duration::rep>(
                                std::min<std::uint64_t>(sum_ns_ / waits, INT64_MAX)
                            ));
    }

    friend constexpr bool operator==(const WaitHistogram&, const WaitHistogram&) = default;

private:
    std::array<std::uint64_t, bucket_count> buckets_{};
    std::uint64_t sum_ns_ = 0;
};

} // namespace sojourn

#endif // SOJOURN_CORE_WAIT_HISTOGRAM_HPP

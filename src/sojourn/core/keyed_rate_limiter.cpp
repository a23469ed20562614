// The table of one limiter: its buckets, and who gives way to whom.

#include "sojourn/core/keyed_rate_limiter.hpp"

#include <algorithm>
#include <limits>

namespace sojourn {

KeyedRateLimiter::KeyedRateLimiter(RateLimit limit, std::size_t entries, HashKey key)
    : limiter_(limit), key_(key), buckets_(buckets_for(limit, entries))
{
}

std::size_t KeyedRateLimiter::buckets_for(RateLimit limit, std::size_t entries) noexcept
{
    // A limit that refuses nobody has nobody to remember.
    if (limit.interval() == Duration::zero()) {
        return 0;
    }
    const std::size_t rest = entries % entries_of_bucket == 0 ? 0 : 1;
    return std::max<std::size_t>(entries / entries_of_bucket + rest, 1);
}

Duration KeyedRateLimiter::admit(std::string_view key, TimePoint now) noexcept
{
    now_ = std::max(now_, now);
    if (buckets_.empty()) {
        return Duration::zero();
    }
    return limiter_.admit(entry_of(keyed_hash(key_, key)).theoretical_arrival, now_);
}

KeyedRateLimiter::Entry& KeyedRateLimiter::entry_of(std::uint64_t hash) noexcept
{
    // The lower half of the hash: whoever has several limiters may pick one by the highest bits.
    const auto low = hash & std::numeric_limits<std::uint32_t>::max();
    auto& entries = buckets_[static_cast<std::size_t>((low * buckets_.size()) >> 32U)].entries;
    // The earliest arrival is that of a free place, if there is one.
    auto* earliest = &entries.front();
    for (auto& entry : entries) {
        if (entry.hash == hash) {
            return entry;
        }
        if (entry.theoretical_arrival < earliest->theoretical_arrival) {
            earliest = &entry;
        }
    }
    if (earliest->theoretical_arrival > now_) {
        ++forgotten_;
    }
    *earliest = {.hash = hash, .theoretical_arrival = TimePoint::min()};
    return *earliest;
}

} // namespace sojourn

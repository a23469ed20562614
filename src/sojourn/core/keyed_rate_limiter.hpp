/// @file
/// Private header. Whether somebody may do a thing once more, such as create a session: a rate for
/// each key, which is a principal or a peer's address. Keys come from outside, as many as somebody
/// cares to send; the memory is what it was at the start.

#ifndef SOJOURN_CORE_KEYED_RATE_LIMITER_HPP
#define SOJOURN_CORE_KEYED_RATE_LIMITER_HPP

#include "sojourn/core/rate_limit.hpp"
#include "sojourn/core/siphash.hpp"
#include "sojourn/core/time.hpp"
#include "sojourn/detail/large_array.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sojourn {

/// GCRA for each key, in a table of which the hash of a key picks a bucket, one cache line with
/// four places. A key has a place while some of its burst is used up, unless it is forgotten.
///
/// *Bound*: a key that keeps the interval is never refused, whatever others do. In any window `w`,
/// at most `burst + ceil(w * rate)` requests of a key are admitted, and `burst` more for each time
/// that the key was forgotten in it.
///
/// *Forgetting*: a key that has its whole burst again is as good as new, so its place is free and
/// nothing is lost. If a key is new to a bucket of which no place is free, the one that would be
/// free first is forgotten, and that one has a new burst. The more a key has used up, the longer it
/// is remembered: a new one takes its place only where three others have used up as much. Who has
/// more keys than the table has places can have them forget each other, and no rate holds for him;
/// with a burst for each of so many keys, little did before. Others are never refused for it. At
/// worst they are forgotten too.
///
/// *Hashes*: a key is kept as its keyed hash, never as text. Two keys whose 64 bits agree share a
/// limit. That happens by chance, among a million keys at a time with one of 3 in 100 million, and
/// nobody can choose such keys who does not know the secret.
///
/// *Time* never goes backwards here, whatever the caller's clock does. *Thread safety*: none, as
/// for all of the core. *Complexity*: to hash the key, then O(1) always. *Exceptions*: only the
/// constructor's, `bad_alloc`.
class KeyedRateLimiter {
public:
    /// Takes 16 bytes for each of `entries` places, rounded up to a whole bucket; none if the limit
    /// is unlimited. With a quarter of its places taken, a table has no room for one key of 230;
    /// with half, for one of 27.
    KeyedRateLimiter(RateLimit limit, std::size_t entries, HashKey key);

    /// Admits a request of this key at `now` and returns zero. Or refuses it, changes nothing, and
    /// returns exactly how long to wait, as `RateLimiter::admit` does. Any text is a key.
    [[nodiscard]] Duration admit(std::string_view key, TimePoint now) noexcept;

    /// How often a key was forgotten that had not its whole burst again.
    [[nodiscard]] std::uint64_t forgotten() const noexcept { return forgotten_; }

private:
    struct Entry {
        std::uint64_t hash = 0;
        /// Not after the time: the place is free.
        TimePoint theoretical_arrival = TimePoint::min();
    };

    static constexpr std::size_t entries_of_bucket = 4;

    struct alignas(64) Bucket {
        std::array<Entry, entries_of_bucket> entries;
    };

    static_assert(sizeof(Bucket) == 64, "whoever is looked up costs one cache line");

    static std::size_t buckets_for(RateLimit limit, std::size_t entries) noexcept;

    /// This hash's entry, or one that was made for it.
    Entry& entry_of(std::uint64_t hash) noexcept;

    RateLimiter limiter_;
    HashKey key_;
    detail::LargeArray<Bucket> buckets_;
    TimePoint now_ = TimePoint::min();
    std::uint64_t forgotten_ = 0;
};

} // namespace sojourn

#endif // SOJOURN_CORE_KEYED_RATE_LIMITER_HPP

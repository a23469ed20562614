/// @file
/// oneTBB's `concurrent_lru_cache`, a preview feature: an ordered map and a list of what is not in
/// use, behind an aggregator that lets one thread run the operations of the others. What is in use
/// is never evicted, as our leased sessions are not; the capacity bounds only what is unused.

#ifndef SOJOURN_BENCH_PEERS_TBB_CONCURRENT_LRU_HPP
#define SOJOURN_BENCH_PEERS_TBB_CONCURRENT_LRU_HPP

#include "sojourn/core/time.hpp"
#include "support/payload.hpp"

#define TBB_PREVIEW_CONCURRENT_LRU_CACHE 1
#include <oneapi/tbb/concurrent_lru_cache.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>

namespace sojourn::bench::peers {

/// What it does not do: look without creating, remove, expire, tell its size. It asks for a key
/// that it copies several times an operation, so an id is put into an array, which needs no memory.
class TbbConcurrentLru {
public:
    using Id = std::string;

    TbbConcurrentLru(std::size_t capacity, Duration /*idle_timeout*/)
        : cache_(&TbbConcurrentLru::make, capacity)
    {
    }

    /// False if there is such a session already, which then counts as used.
    bool create(std::string_view id, const Payload& payload, TimePoint now)
    {
        auto lease = cache_[key_of(id)];
        auto& session = lease.value();
        const bool is_new = is_unused(session);
        if (is_new) {
            session.payload = payload;
        }
        use(session, now);
        return is_new;
    }

    /// Finds a session and makes it, as the lease ends, the most recently used one. One that is not
    /// there is made, which is all the cache can do; the answer is false then.
    bool touch(std::string_view id, TimePoint now)
    {
        auto lease = cache_[key_of(id)];
        const bool is_known = !is_unused(lease.value());
        use(lease.value(), now);
        return is_known;
    }

private:
    using Key = std::array<char, 48>;

    struct Session {
        Payload payload{};
        TimePoint::rep last_used = 0;
    };

    using Cache = tbb::concurrent_lru_cache<Key, Session>;

    static Session make(Key /*key*/) { return {}; }

    static Key key_of(std::string_view id)
    {
        Key key{};
        std::ranges::copy(id.substr(0, key.size()), key.begin());
        return key;
    }

    // Two requests may hold the same session.

    static bool is_unused(Session& session)
    {
        return std::atomic_ref(session.last_used).load(std::memory_order_relaxed) == 0;
    }

    static void use(Session& session, TimePoint now)
    {
        std::atomic_ref(session.last_used)
            .store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }

    Cache cache_;

public:
    /// What each session's nodes take: a map's with key, value, count, place and flag, and a
    /// list's.
    static constexpr std::size_t node_bytes = sizeof(Key) + sizeof(Session) + 6 * sizeof(void*);
};

} // namespace sojourn::bench::peers

#endif // SOJOURN_BENCH_PEERS_TBB_CONCURRENT_LRU_HPP

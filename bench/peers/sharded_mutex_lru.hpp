/// @file
/// The usual way out of contention: sixteen of `MutexLru`, and the id's hash picks one. Each holds
/// its part of the capacity, and the order of eviction is one shard's, not the whole's.

#ifndef SOJOURN_BENCH_PEERS_SHARDED_MUTEX_LRU_HPP
#define SOJOURN_BENCH_PEERS_SHARDED_MUTEX_LRU_HPP

#include "peers/mutex_lru.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sojourn::bench::peers {

/// Sixteen LRU tables, each with a mutex and cache lines of its own.
class ShardedMutexLru {
public:
    using Id = std::string;

    static constexpr std::size_t node_bytes = MutexLru::node_bytes;
    static constexpr std::size_t shard_count = 16;

    ShardedMutexLru(std::size_t capacity, Duration idle_timeout)
    {
        for (std::size_t i = 0; i < shard_count; ++i) {
            shards_.push_back(std::make_unique<Shard>(capacity / shard_count, idle_timeout));
        }
    }

    bool create(std::string id, const Payload& payload, TimePoint now)
    {
        auto& shard = shard_for(HashedText(id));
        return shard.create(std::move(id), payload, now);
    }

    bool touch(std::string_view id, TimePoint now)
    {
        const HashedText hashed(id);
        return shard_for(hashed).touch(hashed, now);
    }

    bool remove(std::string_view id, TimePoint /*now*/)
    {
        const HashedText hashed(id);
        return shard_for(hashed).remove(hashed);
    }

    /// Ends up to `batch` sessions of each shard; true if there may be more.
    bool expire(std::size_t batch, TimePoint now)
    {
        bool has_more = false;
        for (const auto& shard : shards_) {
            has_more |= shard->expire(batch, now);
        }
        return has_more;
    }

    [[nodiscard]] std::size_t size() const
    {
        std::size_t total = 0;
        for (const auto& shard : shards_) {
            total += shard->size();
        }
        return total;
    }

    [[nodiscard]] static std::size_t shard_of(const HashedText& id) noexcept
    {
        // The highest bits: the map inside uses the lowest.
        return id.hash >> 60U;
    }

private:
    struct alignas(64) Shard : MutexLru {
        using MutexLru::MutexLru;
    };

    [[nodiscard]] Shard& shard_for(const HashedText& id) { return *shards_[shard_of(id)]; }

    std::vector<std::unique_ptr<Shard>> shards_;
};

} // namespace sojourn::bench::peers

#endif // SOJOURN_BENCH_PEERS_SHARDED_MUTEX_LRU_HPP

/// @file
/// The usual way: one `std::mutex` around a map and a list. What it does and does not do is said at
/// `LruBody`; it is told the time, as our table is.

#ifndef SOJOURN_BENCH_PEERS_MUTEX_LRU_HPP
#define SOJOURN_BENCH_PEERS_MUTEX_LRU_HPP

#include "peers/lru_body.hpp"

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace sojourn::bench::peers {

/// An `LruBody` under a mutex, which is held for as short as can be: the id is hashed before.
class MutexLru {
public:
    using Id = std::string;

    static constexpr std::size_t node_bytes = LruBody::node_bytes;

    MutexLru(std::size_t capacity, Duration idle_timeout) : body_(capacity, idle_timeout) {}

    bool create(std::string id, const Payload& payload, TimePoint now)
    {
        const std::scoped_lock lock(mutex_);
        return body_.create(std::move(id), payload, now);
    }

    bool touch(std::string_view id, TimePoint now) { return touch(HashedText(id), now); }

    bool touch(const HashedText& id, TimePoint now)
    {
        const std::scoped_lock lock(mutex_);
        return body_.touch(id, now);
    }

    bool remove(std::string_view id, TimePoint /*now*/) { return remove(HashedText(id)); }

    bool remove(const HashedText& id)
    {
        const std::scoped_lock lock(mutex_);
        return body_.remove(id);
    }

    /// Ends up to `batch` sessions that lay idle for too long; true if there may be more.
    bool expire(std::size_t batch, TimePoint now)
    {
        const std::scoped_lock lock(mutex_);
        return body_.cleanup(batch, now);
    }

    [[nodiscard]] std::size_t size() const
    {
        const std::scoped_lock lock(mutex_);
        return body_.size();
    }

private:
    mutable std::mutex mutex_;
    LruBody body_;
};

} // namespace sojourn::bench::peers

#endif // SOJOURN_BENCH_PEERS_MUTEX_LRU_HPP

/// @file
/// Readers that do not exclude each other. An exact LRU list cannot have them: to touch a session
/// is to move it. So this is what caches do instead, the CLOCK or second-chance algorithm (Corbató,
/// 1968): a touch only marks the session, under a shared lock, and eviction goes round and ends the
/// first one that was not marked since it came by.

#ifndef SOJOURN_BENCH_PEERS_SHARED_MUTEX_LRU_HPP
#define SOJOURN_BENCH_PEERS_SHARED_MUTEX_LRU_HPP

#include "peers/lru_body.hpp"

#include <atomic>
#include <cstddef>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sojourn::bench::peers {

/// Sessions under a `std::shared_mutex`: found and touched under a shared lock, changed under an
/// exclusive one.
///
/// What it does not do beside what `LruBody` does not: evict in the order of use, and know without
/// looking at all of them which sessions lie idle, so that it has no cleanup.
class SharedMutexLru {
public:
    using Id = std::string;

    SharedMutexLru(std::size_t capacity, Duration idle_timeout)
        : capacity_(capacity), idle_timeout_(idle_timeout)
    {
        sessions_.reserve(capacity + 1);
        circle_.reserve(capacity);
    }

    /// False if there is such a session already.
    bool create(std::string id, const Payload& payload, TimePoint now)
    {
        const std::scoped_lock lock(mutex_);
        const auto [place, is_new] = sessions_.try_emplace(std::move(id), payload, now);
        if (!is_new) {
            return false;
        }
        if (circle_.size() < capacity_) {
            place->second.position = circle_.size();
            circle_.push_back(&*place);
        } else {
            const auto position = evict();
            place->second.position = position;
            circle_[position] = &*place;
        }
        return true;
    }

    /// Finds a session and marks it as used.
    bool touch(std::string_view id, TimePoint now)
    {
        const HashedText hashed(id);
        const std::shared_lock lock(mutex_);
        const auto place = sessions_.find(hashed);
        if (place == sessions_.end()) {
            return false;
        }
        auto& session = place->second;
        const TimePoint last_used(Duration(session.last_used.load(std::memory_order_relaxed)));
        if (now - last_used >= idle_timeout_) {
            // Left for an eviction: to end it here would take the exclusive lock.
            return false;
        }
        session.last_used.store(now.time_since_epoch().count(), std::memory_order_relaxed);
        session.is_marked.store(true, std::memory_order_relaxed);
        return true;
    }

    bool remove(std::string_view id, TimePoint /*now*/)
    {
        const HashedText hashed(id);
        const std::scoped_lock lock(mutex_);
        const auto place = sessions_.find(hashed);
        if (place == sessions_.end()) {
            return false;
        }
        const auto position = place->second.position;
        circle_[position] = circle_.back();
        circle_[position]->second.position = position;
        circle_.pop_back();
        sessions_.erase(place);
        return true;
    }

    [[nodiscard]] std::size_t size() const
    {
        const std::shared_lock lock(mutex_);
        return sessions_.size();
    }

private:
    struct Session {
        Session(const Payload& bytes, TimePoint now)
            : payload(bytes), last_used(now.time_since_epoch().count())
        {
        }

        Payload payload;
        std::atomic<TimePoint::rep> last_used;
        std::atomic<bool> is_marked{false};
        std::size_t position = 0;
    };

    using Node = std::pair<const std::string, Session>;

    /// Ends a session and returns its place in the circle.
    std::size_t evict()
    {
        while (circle_[hand()]->second.is_marked.exchange(false, std::memory_order_relaxed)) {
            ++hand_;
        }
        const auto position = hand();
        sessions_.erase(sessions_.find(circle_[position]->first));
        ++hand_;
        return position;
    }

    [[nodiscard]] std::size_t hand() noexcept { return hand_ %= circle_.size(); }

    const std::size_t capacity_;
    const Duration idle_timeout_;
    mutable std::shared_mutex mutex_;
    std::unordered_map<std::string, Session, TextHash, SameText> sessions_;
    std::vector<Node*> circle_;
    std::size_t hand_ = 0;

public:
    /// What each session's node takes, without an id that is longer than a string's own room.
    static constexpr std::size_t node_bytes = sizeof(Node) + sizeof(Node*);
};

} // namespace sojourn::bench::peers

#endif // SOJOURN_BENCH_PEERS_SHARED_MUTEX_LRU_HPP

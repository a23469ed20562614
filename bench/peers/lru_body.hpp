/// @file
/// What most peers have inside: a map from id to session and a list from the least to the most
/// recently used, by nobody protected. The peers differ in what they put around it.

#ifndef SOJOURN_BENCH_PEERS_LRU_BODY_HPP
#define SOJOURN_BENCH_PEERS_LRU_BODY_HPP

#include "sojourn/core/time.hpp"
#include "support/payload.hpp"

#include <cstddef>
#include <functional>
#include <iterator>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace sojourn::bench::peers {

/// An id with its hash, which is computed before the lock is taken, and once where a shard must be
/// found too.
struct HashedText {
    explicit HashedText(std::string_view id) : text(id), hash(std::hash<std::string_view>()(id)) {}

    std::string_view text;
    std::size_t hash;
};

struct TextHash {
    using is_transparent = void;

    // Not noexcept on purpose: libstdc++ then keeps the hash in the node, and compares ids only
    // where hashes are equal.
    std::size_t operator()(const std::string& id) const
    {
        return std::hash<std::string_view>()(id);
    }

    std::size_t operator()(const HashedText& id) const { return id.hash; }
};

struct SameText {
    using is_transparent = void;

    bool operator()(const std::string& left, const std::string& right) const noexcept
    {
        return left == right;
    }

    bool operator()(const HashedText& left, const std::string& right) const noexcept
    {
        return left.text == right;
    }
};

/// Sessions by id, at most `capacity`: a new one more ends the least recently used one.
///
/// A session that lay idle for too long is not found; `cleanup` ends those that nobody asks for,
/// and as all have the same timeout, they are the first in the list. What it does *not* do: leases
/// (a session in use may be evicted), an absolute lifetime, a timeout of a session's own, rates, a
/// key for the hash (who knows it can make ids collide), principals, versions, metrics, removal
/// events.
class LruBody {
public:
    LruBody(std::size_t capacity, Duration idle_timeout)
        : capacity_(capacity), idle_timeout_(idle_timeout)
    {
        sessions_.reserve(capacity + 1);
    }

    /// False if there is such a session already.
    bool create(std::string id, const Payload& payload, TimePoint now)
    {
        const auto [place, is_new] = sessions_.try_emplace(std::move(id), payload, now);
        if (!is_new) {
            return false;
        }
        if (sessions_.size() > capacity_) {
            // Its place in the list goes to the new one.
            erase_node(*recency_.front());
            recency_.front() = &*place;
            recency_.splice(recency_.end(), recency_, recency_.begin());
        } else {
            recency_.push_back(&*place);
        }
        place->second.position = std::prev(recency_.end());
        return true;
    }

    /// Finds a session and makes it the most recently used one.
    bool touch(const HashedText& id, TimePoint now)
    {
        const auto place = sessions_.find(id);
        if (place == sessions_.end()) {
            return false;
        }
        auto& session = place->second;
        if (is_overdue(session, now)) {
            recency_.erase(session.position);
            sessions_.erase(place);
            return false;
        }
        session.last_used = now;
        recency_.splice(recency_.end(), recency_, session.position);
        return true;
    }

    bool remove(const HashedText& id)
    {
        const auto place = sessions_.find(id);
        if (place == sessions_.end()) {
            return false;
        }
        recency_.erase(place->second.position);
        sessions_.erase(place);
        return true;
    }

    /// Ends up to `batch` sessions that lay idle for too long; true if there may be more.
    bool cleanup(std::size_t batch, TimePoint now)
    {
        for (; batch > 0; --batch) {
            if (recency_.empty() || !is_overdue(recency_.front()->second, now)) {
                return false;
            }
            erase_node(*recency_.front());
            recency_.pop_front();
        }
        return true;
    }

    [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }

private:
    struct Session;
    using Node = std::pair<const std::string, Session>;
    /// The least recently used first.
    using RecencyList = std::list<Node*>;

    struct Session {
        Session(const Payload& bytes, TimePoint now) : payload(bytes), last_used(now) {}

        Payload payload;
        TimePoint last_used;
        RecencyList::iterator position;
    };

    [[nodiscard]] bool is_overdue(const Session& session, TimePoint now) const noexcept
    {
        return now - session.last_used >= idle_timeout_;
    }

    void erase_node(const Node& node) { sessions_.erase(sessions_.find(node.first)); }

    const std::size_t capacity_;
    const Duration idle_timeout_;
    std::unordered_map<std::string, Session, TextHash, SameText> sessions_;
    RecencyList recency_;

public:
    /// What each session's nodes take, without an id that is longer than a string's own room.
    static constexpr std::size_t node_bytes = sizeof(Node) + sizeof(Node*);
};

} // namespace sojourn::bench::peers

#endif // SOJOURN_BENCH_PEERS_LRU_BODY_HPP

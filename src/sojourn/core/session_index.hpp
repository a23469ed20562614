/// @file
/// Private header. Finds a session by its id. The buckets are made once, for as many sessions as
/// the table may hold, and chain the sessions themselves: nothing is ever allocated, moved or
/// rehashed, so that no turn is longer than others and nothing can fail. An open-addressing table
/// would do both from time to time, as erased places wear it out.

#ifndef SOJOURN_CORE_SESSION_INDEX_HPP
#define SOJOURN_CORE_SESSION_INDEX_HPP

#include "sojourn/core/session.hpp"
#include "sojourn/core/session_id.hpp"

#include <boost/intrusive/unordered_set.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sojourn {

/// A session id with its hash, which is computed before the turn and not in it.
struct HashedId {
    SessionId id;
    std::uint64_t hash = 0;
};

/// The sessions of one table, by id. *Complexity*: O(1) on average.
class SessionIndex {
public:
    /// For up to `capacity` sessions; more would make it slow, not wrong.
    explicit SessionIndex(std::size_t capacity)
        : buckets_(std::bit_ceil(capacity)),
          sessions_(Sessions::bucket_traits(buckets_.data(), buckets_.size()))
    {
    }

    SessionIndex(const SessionIndex&) = delete;
    SessionIndex& operator=(const SessionIndex&) = delete;
    SessionIndex(SessionIndex&&) = delete;
    SessionIndex& operator=(SessionIndex&&) = delete;

    ~SessionIndex() { sessions_.clear(); }

    /// The session with this id, or null.
    [[nodiscard]] Session* find(const HashedId& id) noexcept
    {
        const auto place = sessions_.find(id, ByHash(), SameId());
        return place == sessions_.end() ? nullptr : &*place;
    }

    [[nodiscard]] const Session* find(const HashedId& id) const noexcept
    {
        const auto place = sessions_.find(id, ByHash(), SameId());
        return place == sessions_.end() ? nullptr : &*place;
    }

    /// Adds a session whose id no other one has.
    void insert(Session& session) noexcept { sessions_.insert(session); }

    void erase(Session& session) noexcept { sessions_.erase(sessions_.iterator_to(session)); }

    [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }

private:
    struct ByHash {
        std::size_t operator()(const Session& session) const noexcept
        {
            return static_cast<std::size_t>(session.hash);
        }

        std::size_t operator()(const HashedId& id) const noexcept
        {
            return static_cast<std::size_t>(id.hash);
        }
    };

    struct SameId {
        bool operator()(const Session& left, const Session& right) const noexcept
        {
            return left.hash == right.hash && left.id == right.id;
        }

        bool operator()(const HashedId& id, const Session& session) const noexcept
        {
            return id.hash == session.hash && id.id == session.id;
        }
    };

    using Sessions = boost::intrusive::unordered_set<
        Session,
        boost::intrusive::member_hook<Session, Session::IndexHook, &Session::index_hook>,
        boost::intrusive::hash<ByHash>,
        boost::intrusive::equal<SameId>,
        boost::intrusive::power_2_buckets<true>>;

    std::vector<Sessions::bucket_type> buckets_;
    Sessions sessions_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_SESSION_INDEX_HPP

/// @file
/// Private header. What each operation on one session does inside its shard, whichever face of the
/// service it was called by.

#ifndef SOJOURN_SERVICE_TURNS_HPP
#define SOJOURN_SERVICE_TURNS_HPP

#include "sojourn/core/session_table.hpp"
#include "sojourn/service/shard.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace sojourn {

inline Result<CreatedSession>
created(const Result<Session*>& session, const NewSession& fresh, ShardState& state, Shard& shard)
{
    if (!session) {
        return session.error();
    }
    return CreatedSession{fresh.id.id, shard.make_lease(**session, state.table())};
}

/// Where there is one shard, which makes room itself.
inline auto create_turn(NewSession fresh)
{
    return [fresh = std::move(fresh)](ShardState& state, Shard& shard) {
        return created(state.table().create(fresh), fresh, state, shard);
    };
}

/// The same, for one who wants to know why he was refused.
inline auto create_turn(NewSession fresh, Shortage& shortage)
{
    return [fresh = std::move(fresh), &shortage](ShardState& state, Shard& shard) {
        auto result = created(state.table().create(fresh), fresh, state, shard);
        shortage = state.table().shortage();
        return result;
    };
}

inline auto create_turn(NewSession fresh, Capacity::Place place)
{
    return [fresh = std::move(fresh),
            place = std::move(place)](ShardState& state, Shard& shard) mutable {
        return created(state.table().create(fresh, std::move(place)), fresh, state, shard);
    };
}

/// Made in place, as it is made for every request.
struct AcquireTurn {
    HashedId id;

    Result<SessionLease> operator()(ShardState& state, Shard& shard) const
    {
        auto& table = state.table();
        const auto found = table.acquire(id, [&] { return state.exact_now(); });
        if (!found) {
            return found.error();
        }
        return shard.make_lease(**found, table);
    }
};

struct AcquireWeakTurn {
    HashedId id;
    std::unique_ptr<WeakHold> hold;

    Result<WeakLease> operator()(ShardState& state, Shard& shard)
    {
        auto& table = state.table();
        const auto found = table.acquire_weak(id);
        if (!found) {
            return found.error();
        }
        const auto& session = **found;
        hold->slot = session.slot;
        hold->reference = session.reference;
        return WeakLease(shard.shared_from_this(), std::move(hold), table.info(session));
    }
};

inline auto acquire_weak_turn(HashedId id)
{
    return AcquireWeakTurn{std::move(id), std::make_unique<WeakHold>()};
}

inline auto peek_turn(HashedId id)
{
    return [id = std::move(id)](ShardState& state) { return state.table().peek(id); };
}

inline auto touch_turn(HashedId id)
{
    return [id = std::move(id)](ShardState& state) { return state.table().touch(id); };
}

inline auto rotate_turn(HashedId id, HashedId fresh, std::optional<std::string> principal)
{
    return [id = std::move(id),
            fresh = std::move(fresh),
            principal = std::move(principal)](ShardState& state) -> Result<SessionId> {
        if (const auto rotated = state.table().rotate(id, fresh, principal); !rotated) {
            return rotated.error();
        }
        return fresh.id;
    };
}

inline auto remove_turn(HashedId id)
{
    return [id = std::move(id)](ShardState& state) { return state.table().remove(id); };
}

inline auto snapshot_turn(HashedId id)
{
    return [id = std::move(id)](ShardState& state) { return state.table().snapshot(id); };
}

inline auto commit_turn(HashedId id, std::uint64_t expected_version, Attributes data)
{
    return [id = std::move(id), expected_version, data = std::move(data)](ShardState& state) {
        return state.table().commit(id, expected_version, data);
    };
}

} // namespace sojourn

#endif // SOJOURN_SERVICE_TURNS_HPP

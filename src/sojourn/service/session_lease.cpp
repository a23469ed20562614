#include "sojourn/service/session_lease.hpp"

#include "sojourn/service/session_frames.hpp"
#include "sojourn/service/shard.hpp"

using boost::asio::awaitable;

namespace sojourn {

awaitable<Result<std::uint64_t>>
SessionLease::record(FrameDirection direction, std::string payload, std::uint32_t stream)
{
    return record_frame(place(), direction, std::move(payload), stream);
}

awaitable<Result<FramePage>> SessionLease::frames(FrameQuery query) const
{
    return read_frames(place(), query);
}

awaitable<Result<FramePage>> SessionLease::next_frames(FrameQuery query) const
{
    return sojourn::next_frames(place(), query);
}

awaitable<Result<void>> SessionLease::closed() const
{
    const auto at = place();
    return Shard::until_end(at.shard, at.slot, at.reference);
}

/// Of the session, which there must be.
awaitable<Result<std::shared_ptr<SessionWatch>>> SessionLease::watch() const
{
    return Shard::watch(shard(), session_->slot, info_.reference);
}

void SessionLease::give_back() noexcept
{
    shard_->give_back(*std::exchange(session_, nullptr));
}

SessionPlace SessionLease::place() const
{
    return {shard(), session_ != nullptr ? session_->slot : no_slot, info_.reference};
}

/// Null if there is no session. The lease keeps it, so it is there to be shared.
std::shared_ptr<Shard> SessionLease::shard() const
{
    return session_ != nullptr ? shard_->shared_from_this() : nullptr;
}

} // namespace sojourn

#include "sojourn/service/session_lease.hpp"

#include "sojourn/service/shard.hpp"

namespace sojourn {

boost::asio::awaitable<Result<void>> SessionLease::closed() const
{
    return Shard::until_end(
        shard(), session_ != nullptr ? session_->slot : no_slot, info_.reference
    );
}

/// Of the session, which there must be.
boost::asio::awaitable<Result<std::shared_ptr<SessionWatch>>> SessionLease::watch() const
{
    return Shard::watch(shard(), session_->slot, info_.reference);
}

void SessionLease::give_back() noexcept
{
    shard_->give_back(*std::exchange(session_, nullptr));
}

/// Null if there is no session. The lease keeps it, so it is there to be shared.
std::shared_ptr<Shard> SessionLease::shard() const
{
    return session_ != nullptr ? shard_->shared_from_this() : nullptr;
}

} // namespace sojourn

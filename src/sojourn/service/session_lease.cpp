#include "sojourn/service/session_lease.hpp"

#include "sojourn/service/shard.hpp"

namespace sojourn {

void SessionLease::release() noexcept
{
    if (auto* const session = std::exchange(session_, nullptr)) {
        shard_->give_back(*session);
    }
    permit_.release();
}

} // namespace sojourn

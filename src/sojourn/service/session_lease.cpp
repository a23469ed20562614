#include "sojourn/service/session_lease.hpp"

#include "sojourn/service/shard.hpp"

namespace sojourn {

void SessionLease::release() noexcept
{
    if (auto* const session = std::exchange(session_, nullptr)) {
        // Held until the end: giving back may run a turn of the shard.
        const auto shard = std::move(shard_);
        shard->give_back(*session);
    }
}

} // namespace sojourn

#include "sojourn/service/weak_lease.hpp"

#include "sojourn/core/weak_release_list.hpp"
#include "sojourn/service/session_frames.hpp"
#include "sojourn/service/shard.hpp"

using boost::asio::awaitable;

namespace sojourn {

namespace {

awaitable<Result<void>> touch_at(std::shared_ptr<Shard> shard, WeakHold hold)
{
    if (!shard) {
        co_return errc::not_found;
    }
    auto turn = [&hold](ShardState& state) -> Result<void> {
        if (!state.table().touch(hold.slot, hold.reference)) {
            return errc::not_found;
        }
        return {};
    };
    co_return co_await shard->call(std::move(turn));
}

} // namespace

WeakLease::WeakLease() noexcept = default;
WeakLease::WeakLease(WeakLease&& other) noexcept = default;

WeakLease::~WeakLease()
{
    release();
}

WeakLease& WeakLease::operator=(WeakLease&& other) noexcept
{
    if (this != &other) {
        release();
        shard_ = std::move(other.shard_);
        hold_ = std::move(other.hold_);
        info_ = std::move(other.info_);
    }
    return *this;
}

WeakLease::WeakLease(
    std::shared_ptr<Shard> shard, std::unique_ptr<WeakHold> hold, SessionInfo info
) noexcept
    : shard_(std::move(shard)), hold_(std::move(hold)), info_(std::move(info))
{
}

awaitable<Result<void>> WeakLease::touch()
{
    return touch_at(shard_, hold_ ? *hold_ : WeakHold());
}

awaitable<Result<std::uint64_t>>
WeakLease::record(FrameDirection direction, std::string payload, std::uint32_t stream)
{
    return record_frame(place(), direction, std::move(payload), stream);
}

awaitable<Result<FramePage>> WeakLease::frames(FrameQuery query) const
{
    return read_frames(place(), query);
}

awaitable<Result<FramePage>> WeakLease::next_frames(FrameQuery query) const
{
    return sojourn::next_frames(place(), query);
}

awaitable<Result<void>> WeakLease::closed() const
{
    const auto at = place();
    return Shard::until_end(at.shard, at.slot, at.reference);
}

/// Nowhere if there is no session.
SessionPlace WeakLease::place() const noexcept
{
    return {shard_, hold_ ? hold_->slot : no_slot, info_.reference};
}

void WeakLease::release() noexcept
{
    if (auto hold = std::move(hold_)) {
        const auto shard = std::move(shard_);
        shard->give_back(std::move(hold));
    }
}

} // namespace sojourn

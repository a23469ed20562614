#include "sojourn/service/shard.hpp"

#include <algorithm>
#include <cmath>

namespace sojourn {

namespace {

/// What one shard must have memory for, so that all together may have `whole`. The ids spread at
/// random: a shard that gets eight standard deviations more than its part is not to be expected in
/// the life of a service, and evicts its own then.
std::size_t limit_of(std::size_t whole, std::size_t shards)
{
    if (shards == 1) {
        return whole;
    }
    const auto part = static_cast<double>(whole) / static_cast<double>(shards);
    return std::min(whole, static_cast<std::size_t>(part + 8 * std::sqrt(part)) + 32);
}

SessionTable::Limits limits_of(const ServiceOptions& options, OnDeparture on_departure)
{
    const auto pending = on_departure == OnDeparture::keep ? options.max_pending_removals() : 0;
    return {
        .sessions = limit_of(options.max_sessions(), options.shards()),
        .slots = limit_of(options.max_sessions() + pending, options.shards()),
    };
}

OnDeparture on_departure(const std::shared_ptr<SupervisedLoop>& events) noexcept
{
    return events ? OnDeparture::keep : OnDeparture::forget;
}

} // namespace

ShardState::ShardState(
    Shard& shard, const ServiceOptions& options, std::shared_ptr<Capacity> capacity, HashKey key
)
    : table_(
          options,
          std::move(capacity),
          limits_of(options, on_departure(shard.events_)),
          key,
          on_departure(shard.events_)
      ),
      shard_(shard)
{
}

TimePoint ShardState::exact_now() const noexcept
{
    return shard_.clock_->steady();
}

void ShardState::begin(TimePoint now) noexcept
{
    table_.advance(now);
    table_.settle(shard_.releases_);
}

void ShardState::finish() noexcept
{
    const bool is_orphaned = shard_.is_orphaned_.load(std::memory_order_acquire);
    const bool is_release_awaited = is_orphaned || table_.awaits_release();
    auto& releases = shard_.releases_;
    if (is_release_awaited != releases.is_awaited()) {
        releases.await_releases(is_release_awaited);
        // A lease that was given back just before did not see that somebody waits for it.
        table_.settle(releases);
    }
    if (is_orphaned) {
        // The background went with the service, so there is nobody to wake.
        keep_shard_while_leased();
        return;
    }
    if (table_.may_be_due_before(armed_until_)) {
        arm_earlier();
    }
    publish();
    if (table_.has_departed()) {
        shard_.events_->wake();
    }
    if (!watchers_.empty() && is_empty()) {
        ring_watchers();
    }
}

void ShardState::ring_watchers() noexcept
{
    for (const auto& watcher : watchers_) {
        watcher->ring();
    }
    watchers_.clear();
}

void ShardState::publish() noexcept
{
    auto* const oldest_use = shard_.oldest_use_.get();
    if (oldest_use == nullptr) {
        return;
    }
    // Written only where it changes, so that it can be in all caches at the same time.
    if (const auto use = table_.oldest_use(); use != oldest_use->load(std::memory_order_relaxed)) {
        oldest_use->store(use, std::memory_order_relaxed);
    }
}

/// Without a service, what keeps the shard is that somebody has a lease. A call that was waiting
/// when the service went may be the first to make one.
void ShardState::keep_shard_while_leased() noexcept
{
    const bool is_leased = table_.metrics().leased > 0;
    if (is_leased && !shard_.self_) {
        shard_.self_ = shard_.weak_from_this().lock();
    } else if (!is_leased && shard_.self_) {
        shard_.state_.drop_after_turn(std::move(shard_.self_));
    }
}

void ShardState::arm_earlier() noexcept
{
    if (const auto next = table_.next_deadline(); next < armed_until_) {
        armed_until_ = next;
        shard_.cleanup_->wake();
    }
}

void ShardState::release(Session& session, TimePoint now) noexcept
{
    // Those that had to wait at the door ended before.
    table_.settle(shard_.releases_);
    table_.release(session, now);
    // Nobody else needs to be woken: cleanup was told when the session was leased by when it might
    // be due. So in the destructor of a frame, at shutdown, nothing of the executor is touched.
    if (shard_.releases_.is_awaited()) {
        finish();
    } else {
        publish();
    }
}

void ShardState::nudged() noexcept
{
    begin(exact_now());
    if (shard_.is_to_ring_.exchange(false, std::memory_order_acq_rel)) {
        ring_watchers();
    }
    finish();
}

Shard::Shard(
    const boost::asio::any_io_executor& executor,
    const ServiceOptions& options,
    std::shared_ptr<Capacity> capacity,
    HashKey key,
    std::shared_ptr<Clock> clock,
    std::shared_ptr<SupervisedLoop> cleanup,
    std::shared_ptr<SupervisedLoop> events
)
    : requests_tolerate_lag_(RateLimiter(options.request_rate()).tolerates(Clock::coarse_lag)),
      clock_(std::move(clock)),
      cleanup_(std::move(cleanup)),
      events_(std::move(events)),
      oldest_use_(options.shards() == 1 ? nullptr : std::make_unique<OldestUse>(TimePoint::max())),
      state_(executor, *this, options, std::move(capacity), key)
{
}

/// The lease keeps this until it is settled, which whoever is inside may do as soon as it is
/// listed.
void Shard::list_release(Session& session, TimePoint now) noexcept
{
    const auto keep = weak_from_this().lock();
    if (releases_.give_back(session, now)) {
        state_.nudge();
    }
}

void Shard::leave_to_leases(const std::shared_ptr<Shard>& self) noexcept
{
    // As soon as the nudge is in the queue, whoever is inside may find no lease and let go of this.
    self->self_ = self;
    self->is_orphaned_.store(true, std::memory_order_release);
    self->state_.nudge();
}

} // namespace sojourn

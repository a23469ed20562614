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
    const ServiceOptions& options,
    std::shared_ptr<Capacity> capacity,
    HashKey key,
    std::shared_ptr<Clock> clock,
    std::shared_ptr<ReleaseList> releases,
    std::shared_ptr<OldestUse> oldest_use,
    std::shared_ptr<SupervisedLoop> cleanup,
    std::shared_ptr<SupervisedLoop> events
)
    : table_(
          options,
          std::move(capacity),
          limits_of(options, on_departure(events)),
          key,
          on_departure(events)
      ),
      clock_(std::move(clock)),
      releases_(std::move(releases)),
      oldest_use_(std::move(oldest_use)),
      cleanup_(std::move(cleanup)),
      events_(std::move(events))
{
}

void ShardState::begin(TimePoint now) noexcept
{
    table_.advance(now);
    table_.settle(*releases_);
}

void ShardState::finish() noexcept
{
    if (table_.awaits_release() != releases_->is_awaited()) {
        releases_->await_releases(table_.awaits_release());
        // A lease that was given back just before did not see that somebody waits for it.
        table_.settle(*releases_);
    }
    if (table_.may_be_due_before(armed_until_)) {
        arm_earlier();
    }
    publish();
    if (table_.has_departed()) {
        events_->wake();
    }
    if (!watchers_.empty() && is_empty()) {
        for (const auto& watcher : watchers_) {
            watcher->ring();
        }
        watchers_.clear();
    }
}

void ShardState::publish() noexcept
{
    if (!oldest_use_) {
        return;
    }
    // Written only where it changes, so that it can be in all caches at the same time.
    if (const auto use = table_.oldest_use(); use != oldest_use_->load(std::memory_order_relaxed)) {
        oldest_use_->store(use, std::memory_order_relaxed);
    }
}

void ShardState::arm_earlier() noexcept
{
    if (const auto next = table_.next_deadline(); next < armed_until_) {
        armed_until_ = next;
        cleanup_->wake();
    }
}

void ShardState::release(Session& session, TimePoint now) noexcept
{
    // Those that had to wait at the door ended before.
    table_.settle(*releases_);
    table_.release(session, now);
    // Nobody else needs to be woken: cleanup was told when the session was leased by when it might
    // be due. So in the destructor of a frame, at shutdown, nothing of the executor is touched.
    if (releases_->is_awaited()) {
        finish();
    } else {
        publish();
    }
}

void ShardState::nudged() noexcept
{
    begin(clock_->steady());
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
      oldest_use_(options.shards() == 1 ? nullptr : std::make_shared<OldestUse>(TimePoint::max())),
      state_(
          executor,
          options,
          std::move(capacity),
          key,
          clock_,
          releases_,
          oldest_use_,
          cleanup_,
          events_
      )
{
}

} // namespace sojourn

#include "sojourn/service/shard.hpp"

namespace sojourn {

ShardState::ShardState(
    const ServiceOptions& options,
    std::size_t capacity,
    std::size_t pending,
    HashKey key,
    std::shared_ptr<Clock> clock,
    std::shared_ptr<ReleaseList> releases,
    std::shared_ptr<SupervisedLoop> cleanup,
    std::shared_ptr<SupervisedLoop> events
)
    : table_(options, capacity, pending, key, events ? OnDeparture::keep : OnDeparture::forget),
      clock_(std::move(clock)),
      releases_(std::move(releases)),
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
    std::size_t capacity,
    std::size_t pending,
    HashKey key,
    std::shared_ptr<Clock> clock,
    std::shared_ptr<SupervisedLoop> cleanup,
    std::shared_ptr<SupervisedLoop> events
)
    : requests_tolerate_lag_(RateLimiter(options.request_rate()).tolerates(Clock::coarse_lag)),
      clock_(std::move(clock)),
      cleanup_(std::move(cleanup)),
      events_(std::move(events)),
      state_(executor, options, capacity, pending, key, clock_, releases_, cleanup_, events_)
{
}

} // namespace sojourn

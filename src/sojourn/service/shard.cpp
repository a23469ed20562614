#include "sojourn/service/shard.hpp"

#include "sojourn/detail/assert.hpp"
#include "sojourn/service/session_frames.hpp"

#include <algorithm>
#include <cmath>

using boost::asio::awaitable;

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
    const auto pending = on_departure == OnDeparture::keep
                             ? std::max<std::size_t>(options.max_pending_events(), 2)
                             : 0;
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
    Shard& shard,
    const ServiceOptions& options,
    std::shared_ptr<Capacity> capacity,
    HashKey key,
    OnArrival on_arrival
)
    : table_(
          options,
          std::move(capacity),
          limits_of(options, on_departure(shard.events_)),
          key,
          on_departure(shard.events_),
          on_arrival
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
    shard_.weak_releases_.settle([this](WeakHold& hold) {
        table_.release_weak(hold.slot, hold.reference, hold.released);
        shard_.state_.drop_after_turn(std::move(hold.keep));
    });
}

void ShardState::finish() noexcept
{
    const bool is_orphaned = shard_.is_orphaned_.load(std::memory_order_acquire);
    const bool is_release_awaited =
        is_orphaned || table_.awaits_release() || !room_watchers_.empty();
    auto& releases = shard_.releases_;
    if (is_release_awaited != releases.is_awaited()) {
        releases.await_releases(is_release_awaited);
        // A lease that was given back just before did not see that somebody waits for it.
        table_.settle(releases);
    }
    if (table_.has_unwatched()) {
        end_watches();
    }
    check_turn();
    if (is_orphaned) {
        // The background went with the service, so there is nobody to wake.
        keep_shard_while_leased();
        return;
    }
    if (table_.may_be_due_before(armed_until_)) {
        arm_earlier();
    }
    publish();
    if (table_.has_departed() || table_.has_arrived()) {
        shard_.events_->wake();
    }
    if (!room_watchers_.empty() && room_given_ != table_.room_given()) {
        tell_of_room();
    }
    if (!watchers_.empty() && is_empty()) {
        ring_watchers();
    }
}

/// The books are looked at after every turn. With `SOJOURN_CHECK_TURNS`, which simulations define,
/// the whole table too, as often as keeps that O(1) a turn.
void ShardState::check_turn() noexcept
{
    SOJOURN_ASSERT(table_.metrics().ledger_holds());
#if defined(SOJOURN_CHECK_TURNS)
    constexpr std::size_t interval = 64;
    if (++unchecked_turns_ > interval + table_.metrics().live) {
        unchecked_turns_ = 0;
        if (const auto fault = table_.check_invariants()) {
            detail::assertion_failed(fault->c_str(), __FILE__, __LINE__);
        }
    }
#endif
}

void ShardState::watch_room(std::shared_ptr<Latch> room)
{
    if (shard_.is_abandoned()) {
        room->open();
        return;
    }
    std::erase_if(room_watchers_, [](const auto& other) { return other->is_open(); });
    room_watchers_.push_back(std::move(room));
    room_given_ = table_.room_given();
}

void ShardState::tell_of_room() noexcept
{
    for (const auto& room : room_watchers_) {
        room->open();
    }
    room_watchers_.clear();
}

/// Of those that are over.
void ShardState::end_watches() noexcept
{
    for (const auto slot : table_.unwatched()) {
        if (const auto watch = watches_.extract(slot)) {
            watch.mapped()->end();
        }
        ring_bell(slot);
    }
    table_.unwatched().clear();
}

/// Of all: there is no service that could end their sessions, or record a frame.
void ShardState::end_all_watches() noexcept
{
    for (const auto& [slot, watch] : watches_) {
        watch->end();
    }
    watches_.clear();
    for (const auto& [slot, bell] : bells_) {
        bell->open();
    }
    bells_.clear();
}

std::optional<ShardState::Watch>
ShardState::watch(std::uint32_t slot, SessionReference reference, const Watch& made)
{
    if (shard_.is_abandoned() || !table_.watch(slot, reference)) {
        return std::nullopt;
    }
    if (const auto known = watches_.find(slot); known != watches_.end()) {
        return known->second;
    }
    // None is kept until there is one: its session may end first.
    if (made) {
        watches_.emplace(slot, made);
    }
    return made;
}

Result<void>
ShardState::record(std::uint32_t slot, SessionReference reference, Recording& recording)
{
    if (shard_.is_abandoned()) {
        return errc::stopping;
    }
    if (const auto recorded = table_.record(slot, reference, recording); !recorded) {
        return recorded;
    }
    if (recording.lacking_room == 0) {
        ring_bell(slot);
    }
    return {};
}

Result<void> ShardState::read_frames(
    std::uint32_t slot, SessionReference reference, const FrameQuery& query, FramePage& page
)
{
    if (shard_.is_abandoned()) {
        return errc::stopping;
    }
    return table_.read_frames(slot, reference, query, page);
}

Result<void> ShardState::next_frames(
    std::uint32_t slot,
    SessionReference reference,
    const FrameQuery& query,
    FramePage& page,
    Bell& bell
)
{
    if (const auto read = read_frames(slot, reference, query, page); !read) {
        return read;
    }
    if (!page.frames.empty() || page.next < page.newest) {
        return {};
    }
    if (const auto known = bells_.find(slot); known != bells_.end()) {
        bell = known->second;
    } else if (bell != nullptr && table_.follow(slot, reference)) {
        bells_.emplace(slot, bell);
    }
    return {};
}

void ShardState::ring_bell(std::uint32_t slot) noexcept
{
    if (const auto bell = bells_.extract(slot)) {
        bell.mapped()->open();
    }
}

void ShardState::ring_watchers() noexcept
{
    for (const auto& watcher : watchers_) {
        watcher->open();
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
    if (shard_.releases_.is_awaited() || table_.has_unwatched()) {
        finish();
    } else {
        publish();
    }
}

void ShardState::release(const WeakHold& hold) noexcept
{
    begin(hold.released);
    table_.release_weak(hold.slot, hold.reference, hold.released);
    finish();
}

void ShardState::nudged() noexcept
{
    begin(exact_now());
    if (shard_.is_to_ring_.exchange(false, std::memory_order_acq_rel)) {
        ring_watchers();
    }
    if (shard_.is_abandoned()) {
        end_all_watches();
        tell_of_room();
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
    std::shared_ptr<SupervisedLoop> events,
    OnArrival on_arrival
)
    : requests_tolerate_lag_(RateLimiter(options.request_rate()).tolerates(Clock::coarse_lag)),
      max_frames_(options.max_frames_per_session()),
      home_(executor),
      clock_(std::move(clock)),
      cleanup_(std::move(cleanup)),
      events_(std::move(events)),
      oldest_use_(options.shards() == 1 ? nullptr : std::make_unique<OldestUse>(TimePoint::max())),
      state_(executor, *this, options, std::move(capacity), key, on_arrival)
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

awaitable<Result<std::shared_ptr<SessionWatch>>>
Shard::watch(std::shared_ptr<Shard> self, std::uint32_t slot, SessionReference reference)
{
    using Found = std::optional<ShardState::Watch>;

    ShardState::Watch made;
    for (;;) {
        auto turn = [slot, reference, made](ShardState& state) -> Result<Found> {
            return state.watch(slot, reference, made);
        };
        const auto looked = co_await self->call(std::move(turn));
        if (!looked) {
            co_return looked.error();
        }
        const auto& found = *looked;
        if (!found) {
            co_return ShardState::Watch();
        }
        if (*found != nullptr) {
            co_return *found;
        }
        // Not inside a turn: it tells the execution context of itself, which takes a lock.
        made = std::make_shared<SessionWatch>(self->home_.get(), self->clock_);
    }
}

awaitable<Result<void>>
Shard::until_end(std::shared_ptr<Shard> self, std::uint32_t slot, SessionReference reference)
{
    if (!self) {
        co_return Result<void>();
    }
    const auto watch = co_await Shard::watch(std::move(self), slot, reference);
    if (!watch) {
        co_return watch.error();
    }
    if (*watch == nullptr) {
        co_return Result<void>();
    }
    co_return co_await (*watch)->until_end();
}

ShardState::Bell Shard::make_bell() const
{
    return std::make_shared<Latch>(home_.get(), clock_, max_followers);
}

void Shard::abandon() noexcept
{
    is_abandoned_.store(true, std::memory_order_release);
    state_.nudge();
}

void Shard::leave_to_leases(const std::shared_ptr<Shard>& self) noexcept
{
    // As soon as the nudge is in the queue, whoever is inside may find no lease and let go of this.
    self->self_ = self;
    self->is_orphaned_.store(true, std::memory_order_release);
    self->state_.nudge();
}

} // namespace sojourn

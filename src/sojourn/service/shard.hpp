/// @file
/// Private header. One table behind one strand, with what happens around every turn: the time is
/// set and the given-back leases are settled before it, and whoever waits for something it brought
/// about is woken after it.

#ifndef SOJOURN_SERVICE_SHARD_HPP
#define SOJOURN_SERVICE_SHARD_HPP

#include "sojourn/async/clock.hpp"
#include "sojourn/async/confined.hpp"
#include "sojourn/async/home_executor.hpp"
#include "sojourn/async/latch.hpp"
#include "sojourn/async/supervised_loop.hpp"
#include "sojourn/core/frame_page.hpp"
#include "sojourn/core/frame_store.hpp"
#include "sojourn/core/release_list.hpp"
#include "sojourn/core/session_table.hpp"
#include "sojourn/core/weak_release_list.hpp"
#include "sojourn/service/session_lease.hpp"
#include "sojourn/service/session_watch.hpp"
#include "sojourn/service/weak_lease.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sojourn {

/// When the session of a shard was used last that it would evict first, as of its last turn: what
/// other shards may know of it without a turn.
using OldestUse = std::atomic<TimePoint>;

class Shard;

/// What one strand confines.
class ShardState {
public:
    ShardState(
        Shard& shard,
        const ServiceOptions& options,
        std::shared_ptr<Capacity> capacity,
        HashKey key,
        OnArrival on_arrival
    );

    [[nodiscard]] SessionTable& table() noexcept { return table_; }

    /// The time to ask for where that of the turn is not exact enough.
    [[nodiscard]] TimePoint exact_now() const noexcept;

    /// Every turn begins with this.
    void begin(TimePoint now) noexcept;
    /// And ends with this.
    void finish() noexcept;
    /// A lease was given back that somebody waits for, watchers shall look at what they wait for,
    /// or the service goes.
    void nudged() noexcept;
    /// The turn in which a lease is given back.
    void release(Session& session, TimePoint now) noexcept;
    /// The same for a weak lease.
    void release(const WeakHold& hold) noexcept;

    /// The session's watch, which is `made` if it has none yet; `made` may be null then. Nothing if
    /// there is no session to wait for. *Exceptions*: `bad_alloc`.
    using Watch = std::shared_ptr<SessionWatch>;
    [[nodiscard]] std::optional<Watch>
    watch(std::uint32_t slot, SessionReference reference, const Watch& made);

    // Frames, of a session that may have ended. *Errors*: `not_found`; `stopping`, when the service
    // is gone. *Exceptions*: `bad_alloc`.

    /// Records a frame, unless that needs a larger ring, and wakes who waits for it.
    [[nodiscard]] Result<void>
    record(std::uint32_t slot, SessionReference reference, Recording& recording);

    [[nodiscard]] Result<void> read_frames(
        std::uint32_t slot, SessionReference reference, const FrameQuery& query, FramePage& page
    );

    /// What opens when the session has another frame, or has ended, or perhaps for nothing.
    using Bell = std::shared_ptr<Latch>;

    /// The same where the caller will wait if it has read everything and found nothing. Then `bell`
    /// is what to wait for: the one that it brings, unless there is one. If it brings none and
    /// there is none, it stays null.
    [[nodiscard]] Result<void> next_frames(
        std::uint32_t slot,
        SessionReference reference,
        const FrameQuery& query,
        FramePage& page,
        Bell& bell
    );

    /// Says when cleanup will look at this table next, and that it need not be woken for less.
    [[nodiscard]] TimePoint arm_cleanup() noexcept { return armed_until_ = table_.next_deadline(); }

    /// Rings once the table is empty and all its removals have been told.
    void watch(std::shared_ptr<Latch> watcher)
    {
        std::erase_if(watchers_, [](const auto& other) { return other->is_open(); });
        watchers_.push_back(std::move(watcher));
    }

    /// Rings at once, if there is anybody who watches.
    void ring_watchers() noexcept;

    /// Opens once there is more room here than there was.
    void watch_room(std::shared_ptr<Latch> room);

    [[nodiscard]] bool is_empty() const noexcept
    {
        const auto& metrics = table_.metrics();
        return metrics.live == 0 && metrics.pending_creations == 0 && metrics.pending_removals == 0;
    }

private:
    void arm_earlier() noexcept;
    void ring_bell(std::uint32_t slot) noexcept;
    void end_watches() noexcept;
    void end_all_watches() noexcept;
    void tell_of_room() noexcept;
    void publish() noexcept;
    void keep_shard_while_leased() noexcept;
    void check_turn() noexcept;

    SessionTable table_;
    Shard& shard_;
    std::vector<std::shared_ptr<Latch>> watchers_;
    std::vector<std::shared_ptr<Latch>> room_watchers_;
    /// When those were told of it.
    std::uint64_t room_given_ = 0;
    /// Of sessions that are watched, by slot.
    std::unordered_map<std::uint32_t, Watch> watches_;
    /// Of sessions whose next frame somebody awaits, by slot.
    std::unordered_map<std::uint32_t, Bell> bells_;
    TimePoint armed_until_ = TimePoint::max();
#if defined(SOJOURN_CHECK_TURNS)
    /// Since the whole table was looked over.
    std::size_t unchecked_turns_ = 0;
#endif
};

namespace detail {

template <class F>
struct TurnResult : std::invoke_result<F&, ShardState&, Shard&> {};

template <std::invocable<ShardState&> F>
struct TurnResult<F> : std::invoke_result<F&, ShardState&> {};

} // namespace detail

/// What a turn of an `F` returns.
template <class F>
using TurnResult = typename detail::TurnResult<F>::type;

/// How exactly a turn must know the time.
enum class TurnTime : std::uint8_t {
    exact,
    /// As a request needs it: it may find its session for a moment longer than it lives, and is
    /// refused for its rate only after the exact time was asked.
    of_request,
};

/// A shard. Made by `make_shared`. It is kept by its service, by calls that wait, and once the
/// service is gone by itself for as long as there are leases: so nobody counts references while
/// requests come and go.
class Shard : public std::enable_shared_from_this<Shard> {
public:
    Shard(
        const boost::asio::any_io_executor& executor,
        const ServiceOptions& options,
        std::shared_ptr<Capacity> capacity,
        HashKey key,
        std::shared_ptr<Clock> clock,
        std::shared_ptr<SupervisedLoop> cleanup,
        std::shared_ptr<SupervisedLoop> events,
        OnArrival on_arrival
    );

    /// Runs `f` in a turn and gives what it returns, a `Result`. `f` takes the state, and the shard
    /// if it wants it. The shard must be kept until the call is awaited.
    template <class F>
    [[nodiscard]] auto call(F f, TurnTime time = TurnTime::exact)
    {
        return state_.call(Turn<F>(*this, std::move(f), time));
    }

    /// The same, completing a handler.
    template <class F, class Handler>
    void start(F f, Handler handler, TurnTime time = TurnTime::exact)
    {
        Turn<F> turn(*this, std::move(f), time);
        turn.prepare();
        turn.keep();
        state_.async_call(std::move(turn), std::move(handler));
    }

    /// A lease on a session that the table has leased in this turn.
    [[nodiscard]] SessionLease make_lease(Session& session, const SessionTable& table) noexcept
    {
        return {*this, session, table};
    }

    /// In a turn if the strand is idle, on the release list otherwise.
    void give_back(Session& session) noexcept
    {
        const auto now = clock_->steady_coarse();
        const auto turn = [&](ShardState& state) noexcept { state.release(session, now); };
        // Once the lease is settled, which may be at once, nothing of it keeps this any more.
        if (!state_.try_turn(turn)) {
            list_release(session, now);
        }
    }

    /// Gives a weak lease back. The caller must keep this.
    void give_back(std::unique_ptr<WeakHold> hold) noexcept
    {
        hold->released = clock_->steady();
        const auto turn = [&hold](ShardState& state) noexcept { state.release(*hold); };
        if (!state_.try_turn(turn)) {
            // It may be the last that keeps this, and whoever is inside may be gone before the
            // strand comes to it.
            hold->keep = shared_from_this();
            weak_releases_.give_back(std::move(hold));
            state_.nudge();
        }
    }

    /// The watch of a session that somebody leases, made on demand; null if it has ended, or nobody
    /// leases it. *Errors*: `not_enough_memory`.
    static boost::asio::awaitable<Result<std::shared_ptr<SessionWatch>>>
    watch(std::shared_ptr<Shard> self, std::uint32_t slot, SessionReference reference);

    /// Waits until that is so. *Errors*: those of `watch`, and `operation_aborted`.
    static boost::asio::awaitable<Result<void>>
    until_end(std::shared_ptr<Shard> self, std::uint32_t slot, SessionReference reference);

    /// How many frames a session may keep; none are recorded if that is 0.
    [[nodiscard]] std::size_t max_frames() const noexcept { return max_frames_; }

    [[nodiscard]] WallTime wall_now() const noexcept { return clock_->wall(); }

    /// See `ShardState::next_frames`.
    [[nodiscard]] ShardState::Bell make_bell() const;

    /// To be called when the service goes, whatever operations of it still wait. From then on
    /// nobody waits for the end of a session, or for a turn with one.
    void abandon() noexcept;

    [[nodiscard]] bool is_abandoned() const noexcept
    {
        return is_abandoned_.load(std::memory_order_acquire);
    }

    /// To be called by what is left of the service when that goes; it keeps the shard until this
    /// returns. From then on the leases do.
    static void leave_to_leases(const std::shared_ptr<Shard>& self) noexcept;

    /// Makes watchers look again, at whatever they wait for.
    void ring_watchers() noexcept
    {
        is_to_ring_.store(true, std::memory_order_release);
        state_.nudge();
    }

    [[nodiscard]] CallCounts counts() const noexcept { return state_.counts(); }

    /// When the session here was used last that would be evicted first, as of a moment ago.
    [[nodiscard]] TimePoint oldest_use() const noexcept
    {
        return oldest_use_ ? oldest_use_->load(std::memory_order_relaxed) : TimePoint::max();
    }

private:
    friend class ShardState;

    /// An operation with what goes before and after it. Running out of memory is an error like
    /// others: the table has done nothing then.
    template <class F>
    class Turn {
    public:
        Turn(Shard& shard, F&& f, TurnTime time) : shard_(shard), f_(std::move(f)), time_(time) {}

        void prepare() noexcept { now_ = shard_.prepare_turn(time_); }

        void keep() noexcept { keep_ = shard_.weak_from_this().lock(); }

        TurnResult<F> operator()(ShardState& state) noexcept
        {
            state.begin(now_);
            auto result = attempt(state);
            state.finish();
            discarded_ = state.table().take_discarded();
            return result;
        }

    private:
        TurnResult<F> attempt(ShardState& state) noexcept
        {
            try {
                if constexpr (std::invocable<F&, ShardState&>) {
                    return f_(state);
                } else {
                    return f_(state, shard_);
                }
            } catch (const std::bad_alloc&) {
                return Error(make_error_code(boost::system::errc::not_enough_memory));
            }
        }

        Shard& shard_;
        std::shared_ptr<Shard> keep_;
        F f_;
        TurnTime time_;
        TimePoint now_;
        /// Freed with this: after the turn, where a coroutine awaits it.
        AttributeBin discarded_;
    };

    /// Reads the clock before the turn, so that the turn is shorter.
    [[nodiscard]] TimePoint prepare_turn(TurnTime time) noexcept
    {
        cleanup_->ensure_running();
        if (events_) {
            events_->ensure_running();
        }
        return time == TurnTime::of_request && requests_tolerate_lag_ ? clock_->steady_coarse()
                                                                      : clock_->steady();
    }

    void list_release(Session& session, TimePoint now) noexcept;

    const bool requests_tolerate_lag_;
    const std::size_t max_frames_;
    const HomeExecutor home_;
    const std::shared_ptr<Clock> clock_;
    const std::shared_ptr<SupervisedLoop> cleanup_;
    /// Null if nobody wants to be told.
    const std::shared_ptr<SupervisedLoop> events_;
    /// Null if there is no other shard that would ask.
    const std::unique_ptr<OldestUse> oldest_use_;
    std::atomic<bool> is_abandoned_{false};
    /// Whether the service is gone, with all its operations.
    std::atomic<bool> is_orphaned_{false};
    /// Whether watchers are to be rung in the next turn that somebody has asked for.
    std::atomic<bool> is_to_ring_{false};
    /// This, while it is kept by its leases alone. Written in turns once `is_orphaned_`.
    std::shared_ptr<Shard> self_;
    /// Apart from what every call reads and nobody writes.
    alignas(64) ReleaseList releases_;
    WeakReleaseList weak_releases_;
    alignas(64) Confined<ShardState> state_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_SHARD_HPP

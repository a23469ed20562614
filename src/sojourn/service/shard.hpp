/// @file
/// Private header. One table behind one strand, with what happens around every turn: the time is
/// set and the given-back leases are settled before it, and whoever waits for something it brought
/// about is woken after it.

#ifndef SOJOURN_SERVICE_SHARD_HPP
#define SOJOURN_SERVICE_SHARD_HPP

#include "sojourn/async/alarm.hpp"
#include "sojourn/async/clock.hpp"
#include "sojourn/async/confined.hpp"
#include "sojourn/async/supervised_loop.hpp"
#include "sojourn/core/release_list.hpp"
#include "sojourn/core/session_table.hpp"
#include "sojourn/service/session_lease.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace sojourn {

/// What one strand confines.
class ShardState {
public:
    ShardState(
        const ServiceOptions& options,
        std::size_t capacity,
        std::size_t pending,
        HashKey key,
        std::shared_ptr<Clock> clock,
        std::shared_ptr<ReleaseList> releases,
        std::shared_ptr<SupervisedLoop> cleanup,
        std::shared_ptr<SupervisedLoop> events
    );

    [[nodiscard]] SessionTable& table() noexcept { return table_; }

    /// Every turn begins with this.
    void begin(TimePoint now) noexcept;
    /// And ends with this.
    void finish() noexcept;
    /// A lease was given back that somebody waits for.
    void nudged() noexcept;

    /// Says when cleanup will look at this table next, and that it need not be woken for less.
    [[nodiscard]] TimePoint arm_cleanup() noexcept { return armed_until_ = table_.next_deadline(); }

    /// Rings once the table is empty and all its removals have been told.
    void watch(std::shared_ptr<Alarm> watcher) { watchers_.push_back(std::move(watcher)); }

    [[nodiscard]] bool is_empty() const noexcept
    {
        return table_.metrics().live == 0 && table_.metrics().pending_removals == 0;
    }

private:
    SessionTable table_;
    std::shared_ptr<Clock> clock_;
    std::shared_ptr<ReleaseList> releases_;
    std::shared_ptr<SupervisedLoop> cleanup_;
    /// Null if nobody wants to be told of removals.
    std::shared_ptr<SupervisedLoop> events_;
    std::vector<std::shared_ptr<Alarm>> watchers_;
    TimePoint armed_until_ = TimePoint::max();
};

/// A shard. Made by `make_shared`; leases and calls in flight keep it alive.
class Shard final : public std::enable_shared_from_this<Shard> {
public:
    Shard(
        const boost::asio::any_io_executor& executor,
        const ServiceOptions& options,
        std::size_t capacity,
        std::size_t pending,
        HashKey key,
        std::shared_ptr<Clock> clock,
        std::shared_ptr<SupervisedLoop> cleanup,
        std::shared_ptr<SupervisedLoop> events
    );

    /// Runs `f(ShardState&)`, which returns a `Result`, in a turn.
    template <class F>
    [[nodiscard]] static boost::asio::awaitable<std::invoke_result_t<F&, ShardState&>>
    call(std::shared_ptr<Shard> self, F f)
    {
        Turn<F> turn(std::move(f), self->prepare_turn());
        if (auto result = self->state_.try_call(turn)) {
            co_return std::move(*result);
        }
        co_return co_await self->state_.call(std::move(turn));
    }

    /// The same, completing a handler.
    template <class F, class Handler>
    void start(F f, Handler handler)
    {
        state_.async_call(Turn<F>(std::move(f), prepare_turn()), std::move(handler));
    }

    /// A lease on a session that the table has leased.
    [[nodiscard]] SessionLease make_lease(Session& session, SessionInfo info) noexcept
    {
        return {shared_from_this(), session, std::move(info)};
    }

    void give_back(Session& session) noexcept
    {
        if (releases_->give_back(session, clock_->steady())) {
            state_.nudge();
        }
    }

    [[nodiscard]] CallCounts counts() const noexcept { return state_.counts(); }

private:
    /// A function with what goes before and after it. Running out of memory is an error like
    /// others: the table has done nothing then.
    template <class F>
    class Turn {
    public:
        Turn(F f, TimePoint now) : f_(std::move(f)), now_(now) {}

        auto operator()(ShardState& state) noexcept -> std::invoke_result_t<F&, ShardState&>
        {
            state.begin(now_);
            auto result = attempt(state);
            state.finish();
            return result;
        }

    private:
        auto attempt(ShardState& state) noexcept -> std::invoke_result_t<F&, ShardState&>
        {
            try {
                return f_(state);
            } catch (const std::bad_alloc&) {
                return Error(make_error_code(boost::system::errc::not_enough_memory));
            }
        }

        F f_;
        TimePoint now_;
    };

    /// Reads the clock before the turn, so that the turn is shorter.
    [[nodiscard]] TimePoint prepare_turn() noexcept
    {
        cleanup_->ensure_running();
        if (events_) {
            events_->ensure_running();
        }
        return clock_->steady();
    }

    std::shared_ptr<Clock> clock_;
    std::shared_ptr<ReleaseList> releases_ = std::make_shared<ReleaseList>();
    std::shared_ptr<SupervisedLoop> cleanup_;
    std::shared_ptr<SupervisedLoop> events_;
    Confined<ShardState> state_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_SHARD_HPP

/// @file
/// Private header. How a service comes to its end: nobody gets in, those who are inside get time to
/// finish, then a moment to be told that there is none left.

#ifndef SOJOURN_SERVICE_DRAIN_HPP
#define SOJOURN_SERVICE_DRAIN_HPP

#include "sojourn/async/async_semaphore.hpp"
#include "sojourn/async/clock.hpp"
#include "sojourn/async/latch.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/service/drain_ledger.hpp"
#include "sojourn/service/drain_options.hpp"
#include "sojourn/service/drain_progress.hpp"
#include "sojourn/service/drain_report.hpp"
#include "sojourn/service/service_state.hpp"
#include "sojourn/service/session_events.hpp"
#include "sojourn/service/shard_set.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace sojourn {

/// The drain of a service. Each call of `run` goes all the way by itself, whatever others have done
/// of it: every step may be done again, and then does nothing. So one that is lost, for want of
/// memory, takes nothing with it, and all that come to the end tell the same.
///
/// *Thread safety*: all members but `add`, any thread. *Lifetime*: a coroutine must be awaited by
/// one who keeps this.
class Drain {
public:
    /// The shards and the events must outlive it.
    Drain(
        std::size_t shard_count,
        std::size_t batch,
        std::shared_ptr<Clock> clock,
        const ShardSet& shards,
        const SessionEvents& events
    );

    /// A line in which requests wait, and which must outlive this. Before anybody else knows of it.
    void add(AsyncSemaphore& line) { lines_.push_back(&line); }

    [[nodiscard]] ServiceState state() const noexcept { return progress_.state(); }

    /// From here on the service is not ready. To be called before `run`.
    void begin(const DrainOptions& options) noexcept { progress_.join(clock_->steady(), options); }

    /// Drains. *Errors*: `operation_aborted`, once it is abandoned; `not_enough_memory`, which may
    /// also be thrown as `bad_alloc`.
    [[nodiscard]] boost::asio::awaitable<Result<DrainReport>> run();

    /// Ends all that run, soon, as the service goes.
    void abandon() noexcept;

private:
    boost::asio::awaitable<Result<void>> close_shards();
    boost::asio::awaitable<void> close_lines();
    boost::asio::awaitable<Result<void>> end_idle();
    boost::asio::awaitable<Result<void>> cancel_leased();
    boost::asio::awaitable<Result<DrainCounts>> watch(std::shared_ptr<Latch> change);
    boost::asio::awaitable<Result<DrainReport>> finish();

    /// In a turn of that shard.
    [[nodiscard]] DrainCounts counts(ShardState& state, std::size_t shard) const noexcept;

    const std::size_t batch_;
    const std::shared_ptr<Clock> clock_;
    const ShardSet& shards_;
    const SessionEvents& events_;
    std::vector<AsyncSemaphore*> lines_;
    DrainProgress progress_;
    /// One for each shard, which only its turns touch.
    std::vector<DrainLedger> ledgers_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_DRAIN_HPP

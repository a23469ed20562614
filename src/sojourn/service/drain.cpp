#include "sojourn/service/drain.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace asio = boost::asio;
using boost::asio::awaitable;

namespace sojourn {

Drain::Drain(
    std::size_t shard_count,
    std::size_t batch,
    std::shared_ptr<Clock> clock,
    const ShardSet& shards,
    const SessionEvents& events
)
    : batch_(batch),
      clock_(std::move(clock)),
      shards_(shards),
      events_(events),
      ledgers_(shard_count)
{
}

void Drain::abandon() noexcept
{
    progress_.abandon();
    for (auto* const line : lines_) {
        line->close();
    }
    // Whoever begins to watch after this turn finds it abandoned.
    for (const auto& shard : shards_) {
        shard->ring_watchers();
    }
}

awaitable<Result<DrainReport>> Drain::run()
{
    const auto executor = co_await asio::this_coro::executor;
    if (const auto closed = co_await close_shards(); !closed) {
        co_return closed.error();
    }
    co_await close_lines();
    if (const auto ended = co_await end_idle(); !ended) {
        co_return ended.error();
    }
    for (;;) {
        const auto change = std::make_shared<Latch>(executor, clock_);
        const auto left = co_await watch(change);
        if (!left) {
            co_return left.error();
        }
        const auto now = clock_->steady();
        const auto step = progress_.next_step(*left, now);
        if (step == DrainStep::close) {
            co_return co_await finish();
        }
        if (progress_.is_abandoned()) {
            co_return make_error_code(asio::error::operation_aborted);
        }
        if (step == DrainStep::wait) {
            const auto moment = progress_.next_moment(now);
            // A moment that is far off is no reason to wait for ever.
            const auto rest = std::min(time_between(now, moment), Duration::max() - Duration(1));
            const auto limit = moment == TimePoint::max() ? Duration::max() : rest;
            // How that ended is seen where one looks again.
            static_cast<void>(co_await change->wait(limit));
        } else if (const auto cancelled = co_await cancel_leased(); !cancelled) {
            co_return cancelled.error();
        }
    }
}

/// From its turn here on, no session is made in a shard and none is leased.
awaitable<Result<void>> Drain::close_shards()
{
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        auto close = [this, i](ShardState& state) -> Result<void> {
            state.table().close();
            ledgers_[i].begin(counts(state, i));
            // Others may have been given less time by this drain than they knew of.
            state.ring_watchers();
            return {};
        };
        if (const auto closed = co_await shards_[i].call(std::move(close)); !closed) {
            co_return closed.error();
        }
    }
    co_return Result<void>();
}

/// After the shards: so whoever is refused in a line came before, and no more come.
awaitable<void> Drain::close_lines()
{
    for (auto* const line : lines_) {
        line->close();
    }
    std::uint64_t refused = 0;
    for (auto* const line : lines_) {
        const auto metrics = co_await line->metrics();
        refused += metrics.refused_stopping;
    }
    progress_.note_refused(refused);
}

awaitable<Result<void>> Drain::end_idle()
{
    for (const auto& shard : shards_) {
        for (auto ended = batch_; ended == batch_;) {
            auto end = [this](ShardState& state) -> Result<std::size_t> {
                return state.table().end_idle(batch_);
            };
            const auto result = co_await shard->call(std::move(end));
            if (!result) {
                co_return result.error();
            }
            ended = *result;
            co_await asio::post(asio::use_awaitable);
        }
    }
    co_return Result<void>();
}

awaitable<Result<void>> Drain::cancel_leased()
{
    progress_.advance(ServiceState::cancelling);
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        for (std::optional<std::uint32_t> slot = 0; slot;) {
            auto cancel = [this, i, from = *slot](ShardState& state
                          ) -> Result<SessionTable::Sweep> {
                ledgers_[i].cancel(counts(state, i));
                return state.table().end_all(from, batch_, RemovalCause::drained);
            };
            const auto sweep = co_await shards_[i].call(std::move(cancel));
            if (!sweep) {
                co_return sweep.error();
            }
            slot = sweep->next_slot;
            co_await asio::post(asio::use_awaitable);
        }
    }
    co_return Result<void>();
}

/// Says how much there is to wait for, and has `change` opened when a shard has nothing left.
awaitable<Result<DrainCounts>> Drain::watch(std::shared_ptr<Latch> change)
{
    DrainCounts sum;
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        auto look = [this, i, &change](ShardState& state) -> Result<DrainCounts> {
            if (!state.is_empty()) {
                state.watch(change);
            }
            return counts(state, i);
        };
        const auto left = co_await shards_[i].call(std::move(look));
        if (!left) {
            co_return left.error();
        }
        sum += *left;
    }
    co_return sum;
}

awaitable<Result<DrainReport>> Drain::finish()
{
    DrainReport sum;
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        auto end = [this, i](ShardState& state) -> Result<DrainReport> {
            ledgers_[i].end(counts(state, i));
            state.ring_watchers();
            return ledgers_[i].report();
        };
        const auto part = co_await shards_[i].call(std::move(end));
        if (!part) {
            co_return part.error();
        }
        sum += *part;
    }
    sum.waiters_refused = progress_.waiters_refused();
    progress_.advance(ServiceState::closed);
    co_return sum;
}

DrainCounts Drain::counts(ShardState& state, std::size_t shard) const noexcept
{
    const auto& metrics = state.table().metrics();
    const auto events = events_.counts(shard, metrics);
    return {
        .live = metrics.live,
        .open = metrics.live - metrics.closing,
        .untold = events.untold,
        .told = events.told,
    };
}

} // namespace sojourn

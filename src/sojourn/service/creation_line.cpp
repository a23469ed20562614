#include "sojourn/service/creation_line.hpp"

#include <algorithm>
#include <utility>

using boost::asio::awaitable;

namespace sojourn {

CreationLine::CreationLine(
    const boost::asio::any_io_executor& executor,
    const ServiceOptions& options,
    const std::shared_ptr<Clock>& clock,
    const ShardSet& shards
)
    : home_(executor),
      limit_(options.max_creation_wait()),
      clock_(clock),
      shards_(shards),
      line_(
          executor,
          SemaphoreOptions()
              .permits(1)
              .max_waiters(options.max_waiting_creations())
              .max_wait(options.max_creation_wait()),
          clock
      )
{
}

awaitable<Result<CreatedSession>> CreationLine::create(Attempt attempt)
{
    const auto deadline = saturating_add(clock_->steady(), limit_);
    const auto head = co_await line_.acquire();
    if (head) {
        co_return co_await create_at_head(std::move(attempt), deadline);
    }
    const auto& error = head.error();
    if (error == errc::stopping && !shards_[0].is_abandoned()) {
        // To be refused, and counted, as all are.
        Shortage shortage{};
        co_return co_await attempt(shortage);
    }
    const bool is_full = error == errc::overloaded || error == errc::timed_out;
    co_return is_full ? refuse() : error;
}

awaitable<Result<CreatedSession>> CreationLine::create_at_head(Attempt attempt, TimePoint deadline)
{
    // The second attempt of each round is made when no room can come unseen any more.
    std::shared_ptr<Latch> room;
    for (;;) {
        Shortage shortage{};
        auto created = co_await attempt(shortage);
        if (created || !(created.error() == errc::overloaded) || shortage == Shortage::own) {
            co_return created;
        }
        if (room == nullptr) {
            auto watched = co_await watch_room();
            if (!watched) {
                co_return watched.error();
            }
            room = std::move(*watched);
            continue;
        }
        // However far off it is: nobody waits for ever.
        const auto rest = time_between(clock_->steady(), deadline);
        const auto limit = std::min(rest, Duration::max() - Duration(1));
        const auto waited = co_await room->wait(limit);
        if (!waited) {
            co_return waited.error() == errc::timed_out ? refuse() : waited.error();
        }
        if (shards_[0].is_abandoned()) {
            co_return errc::stopping;
        }
        room = nullptr;
    }
}

awaitable<Result<std::shared_ptr<Latch>>> CreationLine::watch_room()
{
    auto room = std::make_shared<Latch>(home_.get(), clock_);
    for (const auto& shard : shards_) {
        auto turn = [&room](ShardState& state) -> Result<void> {
            state.watch_room(room);
            return {};
        };
        const auto watched = co_await shard->call(std::move(turn));
        if (!watched) {
            co_return watched.error();
        }
    }
    co_return room;
}

Error CreationLine::refuse() noexcept
{
    refused_.fetch_add(1, std::memory_order_relaxed);
    // Whoever has waited as long as one may should stay away for as long.
    return {errc::overloaded, limit_};
}

} // namespace sojourn

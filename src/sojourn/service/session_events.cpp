#include "sojourn/service/session_events.hpp"

#include <algorithm>
#include <utility>

using boost::asio::awaitable;

namespace sojourn {

namespace {

/// How many events of a kind are taken from a shard at a time.
constexpr std::size_t batch = 64;

/// If telling a batch takes longer, the table learns of it in between.
constexpr Duration slow = std::chrono::milliseconds(1);

} // namespace

SessionEvents::SessionEvents(const ServiceOptions& options, const ServiceEnvironment& environment)
    : environment_(environment),
      creation_barrier_("creation listener", environment.on_failure()),
      removal_barrier_("removal listener", environment.on_failure()),
      caller_(environment.clock(), options.listener_timeout())
{
}

awaitable<void> SessionEvents::round(std::shared_ptr<const void> keep)
{
    // A batch of each shard in turn, so that a busy one does not keep the others waiting.
    for (bool has_more = true; has_more && is_telling();) {
        has_more = false;
        for (auto& outbox : outboxes_) {
            co_await tell_all(outbox, keep);
            const bool has_taken = co_await refill(outbox);
            has_more = has_more || has_taken;
        }
    }
}

awaitable<void> SessionEvents::tell_all(Outbox& outbox, const std::shared_ptr<const void>& keep)
{
    while (!outbox.created.empty() && is_telling()) {
        co_await tell(
            outbox.created, outbox.told_created, environment_.on_created(), creation_barrier_, keep
        );
        co_await settle_if_slow(outbox);
    }
    while (!outbox.removed.empty() && is_telling()) {
        co_await tell(
            outbox.removed, outbox.told_removed, environment_.on_removed(), removal_barrier_, keep
        );
        co_await settle_if_slow(outbox);
    }
}

template <class Event, class Listener>
awaitable<void> SessionEvents::tell(
    std::vector<Event>& untold,
    std::size_t& told,
    const Listener& listener,
    ExceptionBarrier& barrier,
    std::shared_ptr<const void> keep
)
{
    if (!listener) {
        untold.pop_back();
        ++told;
        co_return;
    }
    // Counts as told as soon as it runs, and runs only when all memory for that has been found.
    TimedCaller::Make make = [&untold, &told, &listener, keep = std::move(keep)] {
        auto event = std::move(untold.back());
        untold.pop_back();
        ++told;
        return listener(std::move(event));
    };
    if (auto failure = co_await caller_.call(std::move(make))) {
        barrier.caught(std::move(failure));
    }
}

awaitable<void> SessionEvents::settle_if_slow(Outbox& outbox)
{
    const auto now = environment_.clock()->steady_coarse();
    if (now < saturating_add(outbox.settled, slow)) {
        co_return;
    }
    outbox.settled = now;
    auto note = [&outbox](ShardState& state) -> Result<void> {
        outbox.settle(state.table());
        return {};
    };
    const auto noted = co_await outbox.shard.call(std::move(note));
    noted.value();
}

awaitable<bool> SessionEvents::refill(Outbox& outbox)
{
    if (!outbox.created.empty() || !outbox.removed.empty()) {
        co_return false;
    }
    // All of it in the turn: the coroutine's frame may be lost right after, for want of memory.
    auto take = [&outbox](ShardState& state) -> Result<bool> {
        auto& table = state.table();
        // If that was prevented before.
        outbox.settle(table);
        outbox.created = table.take_arrived(batch);
        std::ranges::reverse(outbox.created);
        if (!table.has_arrived()) {
            outbox.removed = table.take_departed(batch);
            std::ranges::reverse(outbox.removed);
        }
        return !outbox.created.empty() || !outbox.removed.empty();
    };
    const auto has_taken = co_await outbox.shard.call(std::move(take));
    co_return has_taken.value();
}

} // namespace sojourn

#include "sojourn/service/session_events.hpp"

#include <algorithm>
#include <utility>

using boost::asio::awaitable;

namespace sojourn {

namespace {

/// How many events of a kind are taken from a shard at a time.
constexpr std::size_t events_per_turn = 64;

/// If telling a batch takes longer, the table learns of it in between.
constexpr Duration slow = std::chrono::milliseconds(1);

awaitable<void> nothing()
{
    co_return;
}

} // namespace

/// One call of a listener. The coroutine that waits for it may be lost for want of memory, before
/// it has begun or after.
struct SessionEvents::Ticket {
    bool has_begun = false;
    bool is_void = false;
};

/// Of the coroutine that waits: the call is over when this ends, or will never be.
class SessionEvents::Telling {
public:
    Telling(std::shared_ptr<Ticket> ticket, Told& told) noexcept
        : ticket_(std::move(ticket)), told_(told)
    {
    }

    Telling(const Telling&) = delete;
    Telling& operator=(const Telling&) = delete;
    Telling(Telling&&) = delete;
    Telling& operator=(Telling&&) = delete;

    ~Telling()
    {
        if (ticket_->has_begun) {
            told_.add();
        }
        ticket_->is_void = true;
    }

private:
    std::shared_ptr<Ticket> ticket_;
    Told& told_;
};

SessionEvents::SessionEvents(const ServiceOptions& options, const ServiceEnvironment& environment)
    : environment_(environment),
      creation_barrier_("creation listener", environment.on_failure()),
      removal_barrier_("removal listener", environment.on_failure()),
      caller_(environment.clock(), options.listener_timeout())
{
}

SessionEvents::Counts
SessionEvents::counts(std::size_t shard, const Metrics& metrics) const noexcept
{
    const auto& outbox = outboxes_[shard];
    const auto pending = exact(shard, metrics);
    Counts counts;
    counts.untold = pending.pending_creations + pending.pending_removals;
    if (environment_.on_created()) {
        counts.told += outbox.told_created.all();
    }
    if (environment_.on_removed()) {
        counts.told += outbox.told_removed.all();
    }
    return counts;
}

Metrics SessionEvents::exact(std::size_t shard, Metrics metrics) const noexcept
{
    const auto& outbox = outboxes_[shard];
    metrics.pending_creations -=
        environment_.on_created() ? outbox.told_created.unknown() : metrics.pending_creations;
    metrics.pending_removals -=
        environment_.on_removed() ? outbox.told_removed.unknown() : metrics.pending_removals;
    return metrics;
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
    Told& told,
    const Listener& listener,
    ExceptionBarrier& barrier,
    std::shared_ptr<const void> keep
)
{
    if (!listener) {
        untold.pop_back();
        told.add();
        co_return;
    }
    const auto ticket = std::make_shared<Ticket>();
    const Telling telling(ticket, told);
    // What it takes is taken only once it runs: all memory for that has been found then.
    TimedCaller::Make make = [ticket, &untold, &listener, keep = std::move(keep)] {
        if (ticket->is_void) {
            return nothing();
        }
        ticket->has_begun = true;
        auto event = std::move(untold.back());
        untold.pop_back();
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
        outbox.settle(table);
        outbox.created = table.take_arrived(events_per_turn);
        std::ranges::reverse(outbox.created);
        if (!table.has_arrived()) {
            outbox.removed = table.take_departed(events_per_turn);
            std::ranges::reverse(outbox.removed);
        }
        return !outbox.created.empty() || !outbox.removed.empty();
    };
    const auto has_taken = co_await outbox.shard.call(std::move(take));
    co_return has_taken.value();
}

} // namespace sojourn

#include "sojourn/service/session_events.hpp"

#include <algorithm>
#include <utility>

using boost::asio::awaitable;

namespace sojourn {

namespace {

/// How many events are taken from a shard at a time.
constexpr std::size_t batch = 64;

} // namespace

/// One call of a listener. It is over when this ends, as it does also with a frame that is lost.
class SessionEvents::Telling {
public:
    explicit Telling(Outbox& outbox) noexcept : outbox_(outbox) {}

    Telling(const Telling&) = delete;
    Telling& operator=(const Telling&) = delete;
    Telling(Telling&&) = delete;
    Telling& operator=(Telling&&) = delete;

    ~Telling() { outbox_.told.fetch_add(1, std::memory_order_release); }

private:
    Outbox& outbox_;
};

SessionEvents::SessionEvents(const ServiceEnvironment& environment)
    : environment_(environment), barrier_("removal listener", environment.on_failure())
{
}

awaitable<void> SessionEvents::round()
{
    // A batch of each shard in turn, so that a busy one does not keep the others waiting.
    for (bool has_more = true; has_more && is_telling();) {
        has_more = false;
        for (auto& outbox : outboxes_) {
            co_await tell_all(outbox);
            has_more = co_await refill(outbox) || has_more;
        }
    }
}

awaitable<void> SessionEvents::tell_all(Outbox& outbox)
{
    while (!outbox.untold.empty() && is_telling()) {
        const auto removed = outbox.untold.back();
        const auto tell = [this, &removed] { return environment_.on_removed()(removed); };
        // Takes its memory before the session counts as told.
        auto telling = barrier_.run(tell);
        outbox.untold.pop_back();
        const Telling counted(outbox);
        co_await std::move(telling);
    }
}

awaitable<bool> SessionEvents::refill(Outbox& outbox)
{
    if (!outbox.untold.empty()) {
        co_return false;
    }
    // All of it in the turn: the coroutine's frame may be lost right after, for want of memory.
    auto take = [&outbox](ShardState& state) -> Result<bool> {
        outbox.untold = state.table().take_departed(batch);
        const auto told = outbox.told.load(std::memory_order_acquire);
        state.table().delivered(told - std::exchange(outbox.delivered, told));
        std::ranges::reverse(outbox.untold);
        return !outbox.untold.empty();
    };
    const auto has_taken = co_await outbox.shard.call(std::move(take));
    co_return has_taken.value();
}

} // namespace sojourn

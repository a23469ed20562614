/// @file
/// Private header. How listeners learn what became of sessions: once each, one after the other, and
/// never inside a turn.

#ifndef SOJOURN_SERVICE_SESSION_EVENTS_HPP
#define SOJOURN_SERVICE_SESSION_EVENTS_HPP

#include "sojourn/async/exception_barrier.hpp"
#include "sojourn/service/service_environment.hpp"
#include "sojourn/service/shard_set.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace sojourn {

/// What is told, and to whom.
///
/// *Thread safety*: `stop` and `failures` from any thread; the rest from one coroutine at a time,
/// which must keep this.
class SessionEvents {
public:
    /// The environment must outlive it.
    explicit SessionEvents(const ServiceEnvironment& environment);

    /// Its events too; before the first round.
    void add(Shard& shard) { outboxes_.emplace_back(shard); }

    /// Tells all that is to be told.
    [[nodiscard]] boost::asio::awaitable<void> round();

    /// Nobody is told any more, but for the listener that runs.
    void stop() noexcept { is_telling_.store(false, std::memory_order_release); }

    /// Listeners of the shard that was added as this one, which have returned. Of so many of them
    /// its table does not know yet.
    struct Told {
        std::uint64_t all = 0;
        std::uint64_t unknown = 0;
    };

    /// In a turn of that shard.
    [[nodiscard]] Told told(std::size_t shard) const noexcept
    {
        const auto& outbox = outboxes_[shard];
        const auto all = outbox.told.load(std::memory_order_acquire);
        return {all, all - outbox.delivered};
    }

    /// Exceptions that listeners threw.
    [[nodiscard]] std::uint64_t failures() const noexcept { return barrier_.failures(); }

private:
    /// What was taken from a shard for the listener. It outlasts a round that ran out of memory, so
    /// that nothing is told twice and nothing is lost.
    struct Outbox {
        explicit Outbox(Shard& whose) noexcept : shard(whose) {}

        Shard& shard;
        /// The next to tell is the last.
        std::vector<RemovedSession> untold;
        /// How often the listener has returned, or was lost.
        std::atomic<std::uint64_t> told{0};
        /// Of those, the ones that the table knows of as delivered. Of its turns.
        std::uint64_t delivered = 0;
    };

    class Telling;

    [[nodiscard]] bool is_telling() const noexcept
    {
        return is_telling_.load(std::memory_order_acquire);
    }

    boost::asio::awaitable<void> tell_all(Outbox& outbox);
    /// False if there was nothing to take.
    static boost::asio::awaitable<bool> refill(Outbox& outbox);

    const ServiceEnvironment& environment_;
    ExceptionBarrier barrier_;
    std::atomic<bool> is_telling_{true};
    /// One for each shard.
    std::deque<Outbox> outboxes_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_SESSION_EVENTS_HPP

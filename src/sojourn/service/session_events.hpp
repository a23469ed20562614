/// @file
/// Private header. How listeners learn what became of sessions: once each, one after the other, and
/// never inside a turn.

#ifndef SOJOURN_SERVICE_SESSION_EVENTS_HPP
#define SOJOURN_SERVICE_SESSION_EVENTS_HPP

#include "sojourn/async/exception_barrier.hpp"
#include "sojourn/async/timed_call.hpp"
#include "sojourn/core/service_options.hpp"
#include "sojourn/service/service_environment.hpp"
#include "sojourn/service/shard_set.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace sojourn {

/// What is told, and to whom.
///
/// *Thread safety*: `stop` and `failures` from any thread; the rest from one coroutine at a time,
/// always on the same strand.
class SessionEvents {
public:
    /// The environment must outlive it.
    SessionEvents(const ServiceOptions& options, const ServiceEnvironment& environment);

    /// Its events too; before the first round.
    void add(Shard& shard) { outboxes_.push_back({shard, {}, {}}); }

    /// Tells all that is to be told. `keep` is what keeps this; a listener that is left to itself
    /// keeps it too.
    [[nodiscard]] boost::asio::awaitable<void> round(std::shared_ptr<const void> keep);

    /// Nobody is told any more, but for the listener that runs.
    void stop() noexcept { is_telling_.store(false, std::memory_order_release); }

    /// Listeners that threw or took too long.
    [[nodiscard]] std::uint64_t failures() const noexcept
    {
        return creation_barrier_.failures() + removal_barrier_.failures();
    }

private:
    /// What was taken from a shard for the listeners. It outlasts a round that ran out of memory,
    /// so that nothing is told twice and nothing is lost.
    struct Outbox {
        Shard& shard;
        // The next to tell is the last. No session of `created` has ended before those of `removed`
        // had, so all of them are told first.
        std::vector<SessionInfo> created;
        std::vector<RemovedSession> removed;
        // Told, and not yet known to the table as delivered.
        std::size_t told_created = 0;
        std::size_t told_removed = 0;
        TimePoint settled = TimePoint::min();

        void settle(SessionTable& table) noexcept
        {
            table.announced(std::exchange(told_created, 0));
            table.delivered(std::exchange(told_removed, 0));
        }
    };

    [[nodiscard]] bool is_telling() const noexcept
    {
        return is_telling_.load(std::memory_order_acquire);
    }

    boost::asio::awaitable<void> tell_all(Outbox& outbox, const std::shared_ptr<const void>& keep);
    template <class Event, class Listener>
    boost::asio::awaitable<void> tell(
        std::vector<Event>& untold,
        std::size_t& told,
        const Listener& listener,
        ExceptionBarrier& barrier,
        std::shared_ptr<const void> keep
    );
    /// So that a new session can take the place of who was told, however long others take.
    boost::asio::awaitable<void> settle_if_slow(Outbox& outbox);
    /// False if there was nothing to take.
    static boost::asio::awaitable<bool> refill(Outbox& outbox);

    const ServiceEnvironment& environment_;
    ExceptionBarrier creation_barrier_;
    ExceptionBarrier removal_barrier_;
    TimedCaller caller_;
    std::atomic<bool> is_telling_{true};
    /// One for each shard.
    std::vector<Outbox> outboxes_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_SESSION_EVENTS_HPP

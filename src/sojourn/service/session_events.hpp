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
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace sojourn {

/// What is told, and to whom.
///
/// *Thread safety*: `stop`, `counts` and `failures` from any thread; the rest from one coroutine at
/// a time, always on the same strand.
class SessionEvents {
public:
    /// The environment must outlive it.
    SessionEvents(const ServiceOptions& options, const ServiceEnvironment& environment);

    /// Its events too; before the first round.
    void add(Shard& shard) { outboxes_.emplace_back(shard); }

    /// Tells all that is to be told. `keep` is what keeps this; a listener that is left to itself
    /// keeps it too.
    [[nodiscard]] boost::asio::awaitable<void> round(std::shared_ptr<const void> keep);

    /// Nobody is told any more, but for the listener that runs.
    void stop() noexcept { is_telling_.store(false, std::memory_order_release); }

    struct Counts {
        /// Events whose listener has returned, ever.
        std::uint64_t told = 0;
        /// Those whose listener has not.
        std::uint64_t untold = 0;
    };

    /// Of the shard that was added as this one, whose metrics these are, in a turn of it.
    [[nodiscard]] Counts counts(std::size_t shard, const Metrics& metrics) const noexcept;

    /// These metrics of a shard, as exact as can be in a turn of it: whose listener has returned
    /// waits no more, even if the table has yet to learn of it, and nobody waits for a listener
    /// that is not there.
    [[nodiscard]] Metrics exact(std::size_t shard, Metrics metrics) const noexcept;

    /// Listeners that threw or took too long.
    [[nodiscard]] std::uint64_t failures() const noexcept
    {
        return creation_barrier_.failures() + removal_barrier_.failures();
    }

private:
    /// How often a listener was told, or is not there to be.
    class Told {
    public:
        void add() noexcept { all_.fetch_add(1, std::memory_order_release); }

        [[nodiscard]] std::uint64_t all() const noexcept
        {
            return all_.load(std::memory_order_acquire);
        }

        // In turns of the shard.

        /// Those that its table does not know of.
        [[nodiscard]] std::uint64_t unknown() const noexcept { return all() - known_; }

        /// The same; now it knows.
        [[nodiscard]] std::uint64_t settle() noexcept
        {
            const auto now = all();
            return now - std::exchange(known_, now);
        }

    private:
        std::atomic<std::uint64_t> all_{0};
        std::uint64_t known_ = 0;
    };

    /// What was taken from a shard for the listeners. It outlasts a round that ran out of memory,
    /// so that nothing is told twice and nothing is lost.
    struct Outbox {
        explicit Outbox(Shard& whose) noexcept : shard(whose) {}

        /// In a turn.
        void settle(SessionTable& table) noexcept
        {
            table.announced(told_created.settle());
            table.delivered(told_removed.settle());
        }

        Shard& shard;
        // The next to tell is the last. No session of `created` has ended before those of `removed`
        // had, so all of them are told first.
        std::vector<SessionInfo> created;
        std::vector<RemovedSession> removed;
        Told told_created;
        Told told_removed;
        TimePoint settled = TimePoint::min();
    };

    struct Ticket;
    class Telling;

    [[nodiscard]] bool is_telling() const noexcept
    {
        return is_telling_.load(std::memory_order_acquire);
    }

    boost::asio::awaitable<void> tell_all(Outbox& outbox, const std::shared_ptr<const void>& keep);
    template <class Event, class Listener>
    boost::asio::awaitable<void> tell(
        std::vector<Event>& untold,
        Told& told,
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
    std::deque<Outbox> outboxes_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_SESSION_EVENTS_HPP

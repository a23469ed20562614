/// @file
/// What became of those who were there when a service was drained.

#ifndef SOJOURN_SERVICE_DRAIN_REPORT_HPP
#define SOJOURN_SERVICE_DRAIN_REPORT_HPP

#include <cstdint>

namespace sojourn {

/// What a drain did. Every session that was live when the drain began is counted once: `finished +
/// cancelled` were there, and `still_leased` of those have not ended. With a removal listener
/// alone, `events_delivered + events_undelivered` are the others, `finished + cancelled -
/// still_leased`, and those that had ended before and whose listener had not returned; a creation
/// listener adds those whose creation it had not been told of. Without listeners, both are zero.
struct DrainReport {
    /// Sessions that ended within the limit: those that nobody leased, at once, and those whose
    /// last lease was given back in time; whatever their cause.
    std::uint64_t finished = 0;
    /// Sessions that were leased when the limit was reached, and so were told to close.
    std::uint64_t cancelled = 0;
    /// Of the cancelled: those that were leased even at the end. They end with their last lease,
    /// and no listener is told.
    std::uint64_t still_leased = 0;
    /// Calls that waited in a line of the service's own when the drain began, or came to it in that
    /// moment, and were refused with `stopping`: requests beyond `max_in_flight`, those who
    /// wanted one more session for a principal, over several shards, and those who waited for room
    /// behind others.
    std::uint64_t waiters_refused = 0;
    /// Events whose listener was called and has returned, thrown, or taken too long.
    std::uint64_t events_delivered = 0;
    /// Events whose listener was not called in time, or has not returned. One that is running goes
    /// on.
    std::uint64_t events_undelivered = 0;

    /// Whether nobody was cut off: no session was cancelled, and every listener has returned.
    [[nodiscard]] bool is_clean() const noexcept
    {
        return cancelled == 0 && events_undelivered == 0;
    }

    /// Adds another shard's.
    DrainReport& operator+=(const DrainReport& other) noexcept
    {
        finished += other.finished;
        cancelled += other.cancelled;
        still_leased += other.still_leased;
        waiters_refused += other.waiters_refused;
        events_delivered += other.events_delivered;
        events_undelivered += other.events_undelivered;
        return *this;
    }

    friend bool operator==(const DrainReport&, const DrainReport&) = default;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_DRAIN_REPORT_HPP

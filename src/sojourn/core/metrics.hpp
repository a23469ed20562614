/// @file
/// The counters of a service. Each is changed where the thing it counts happens, inside the turn
/// that makes it happen; a snapshot is taken inside a turn too. So a snapshot is never torn, and
/// the ledger holds in every one of them.

#ifndef SOJOURN_CORE_METRICS_HPP
#define SOJOURN_CORE_METRICS_HPP

#include "sojourn/core/removal_cause.hpp"

#include <array>
#include <cstdint>
#include <numeric>

namespace sojourn {

/// What a service has counted since it started.
struct Metrics {
    // Requests. Every acquire has one outcome:
    // acquires == acquired + not_found + rate_limited + refused_busy + refused_stopping.

    std::uint64_t acquires = 0;
    std::uint64_t acquired = 0;

    // Sessions. The ledger: created == live + removed_total().

    /// Of the live: those that at least one request holds, as far as the releases are settled.
    std::uint64_t leased = 0;

    /// Created ones, whatever became of them.
    std::uint64_t created = 0;
    /// Sessions that have not ended: those that can be acquired and those that are closing.
    std::uint64_t live = 0;
    /// Of the live: those created without a principal whose client has not been seen to come back:
    /// no lease was given back since its first request began.
    std::uint64_t half_open = 0;
    /// Of the live: those that were removed while leased and end with their last lease.
    std::uint64_t closing = 0;
    std::array<std::uint64_t, removal_cause_count> removed{};
    /// Ended sessions whose removal listener has not returned yet.
    std::uint64_t pending_removals = 0;
    /// Sessions, living or not, whose creation listener has not returned yet.
    std::uint64_t pending_creations = 0;
    std::uint64_t rotated = 0;

    // Requests that were refused.

    std::uint64_t not_found = 0;
    std::uint64_t rate_limited = 0;
    /// Of sessions that had as many in flight, or as many streams, as one may have.
    std::uint64_t refused_busy = 0;
    std::uint64_t refused_stopping = 0;
    /// Of those not found: guesses, by clients over their creation rate.
    std::uint64_t guesses_rate_limited = 0;
    /// Of the acquired: those that got no lease after all. Too many were in flight, their turn did
    /// not come in time, they were cancelled, or session or service ended meanwhile.
    std::uint64_t requests_shed = 0;

    // Creations, and changes that need more room, that were refused.

    std::uint64_t refused_overloaded = 0;
    /// Creations by clients over their creation rate.
    std::uint64_t creations_rate_limited = 0;
    /// Creations that came when the service was being drained.
    std::uint64_t creations_refused_stopping = 0;

    // Frames. frames_recorded == frames + frames_dropped + frames_ended.

    /// All that were given a number, whatever became of them.
    std::uint64_t frames_recorded = 0;
    /// Those that sessions keep.
    std::uint64_t frames = 0;
    /// Of those that sessions keep, as `Frame::bytes` counts.
    std::uint64_t frame_bytes = 0;
    /// Those for which there was no room, and those that made room for others.
    std::uint64_t frames_dropped = 0;
    /// Those that were kept until their session ended.
    std::uint64_t frames_ended = 0;

    // Confinement: how the calls ran.

    std::uint64_t calls_inline = 0;
    std::uint64_t calls_combined = 0;
    std::uint64_t calls_suspended = 0;

    [[nodiscard]] std::uint64_t removed_by(RemovalCause cause) const noexcept
    {
        return removed[static_cast<std::size_t>(cause)];
    }

    [[nodiscard]] std::uint64_t removed_total() const noexcept
    {
        return std::accumulate(removed.begin(), removed.end(), std::uint64_t{0});
    }

    /// True when every session that was created is either live or was removed for one cause, every
    /// acquire had one outcome, and every frame is kept, was dropped or ended with its session. It
    /// always is.
    [[nodiscard]] bool ledger_holds() const noexcept
    {
        return created == live + removed_total() && half_open + closing <= live &&
               acquires == acquired + not_found + rate_limited + refused_busy + refused_stopping &&
               frames_recorded == frames + frames_dropped + frames_ended;
    }

    /// Adds another shard's counters.
    Metrics& operator+=(const Metrics& other) noexcept;

    friend bool operator==(const Metrics&, const Metrics&) = default;
};

} // namespace sojourn

#endif // SOJOURN_CORE_METRICS_HPP

/// @file
/// Private header. The arithmetic of a drain: what one shard had at each of its moments, and what
/// that makes of the report. Pure.

#ifndef SOJOURN_SERVICE_DRAIN_LEDGER_HPP
#define SOJOURN_SERVICE_DRAIN_LEDGER_HPP

#include "sojourn/service/drain_report.hpp"

#include <cstdint>
#include <optional>

namespace sojourn {

/// What one shard has at a moment, or all of them.
struct DrainCounts {
    /// Sessions that have not ended.
    std::uint64_t live = 0;
    /// Of the live: those that are not closing.
    std::uint64_t open = 0;
    /// Events whose listener has not returned.
    std::uint64_t untold = 0;
    /// Events whose listener has, ever.
    std::uint64_t told = 0;

    /// Whether there is nothing that a drain waits for.
    [[nodiscard]] bool is_empty() const noexcept { return live == 0 && untold == 0; }

    /// Adds another shard's.
    DrainCounts& operator+=(const DrainCounts& other) noexcept
    {
        live += other.live;
        open += other.open;
        untold += other.untold;
        told += other.told;
        return *this;
    }
};

/// The ledger of one shard. Each moment is noted once, in a turn of the shard, by whichever drain
/// comes first; so all drains make the same report of it. Once it is begun, no session is made in
/// the shard.
class DrainLedger {
public:
    /// The shard takes nobody any more.
    void begin(const DrainCounts& now) noexcept
    {
        if (!begun_) {
            begun_ = now;
        }
    }

    /// Whoever is left is leased, and is told to close.
    void cancel(const DrainCounts& now) noexcept
    {
        if (!cancelled_ && !ended_) {
            cancelled_ = now;
        }
    }

    /// Nobody is waited for any more.
    void end(const DrainCounts& now) noexcept
    {
        if (!ended_) {
            ended_ = now;
        }
    }

    /// Once it has begun and ended.
    [[nodiscard]] DrainReport report() const noexcept
    {
        const auto begun = begun_.value_or(DrainCounts());
        const auto ended = ended_.value_or(begun);
        DrainReport report;
        report.cancelled = cancelled_ ? cancelled_->live : ended.live;
        report.finished = begun.live - report.cancelled;
        report.still_leased = ended.live;
        report.events_delivered = ended.told - begun.told;
        report.events_undelivered = ended.untold;
        return report;
    }

private:
    std::optional<DrainCounts> begun_;
    std::optional<DrainCounts> cancelled_;
    std::optional<DrainCounts> ended_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_DRAIN_LEDGER_HPP

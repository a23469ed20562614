/// @file
/// Private header. When to look at which session: a priority queue with one entry a session. A
/// touch does not move the entry; an entry that comes up early is scheduled once more, with the
/// deadline that holds by then. So a touch costs nothing here and a removal leaves a stale entry
/// behind.

#ifndef SOJOURN_CORE_EXPIRY_SCHEDULE_HPP
#define SOJOURN_CORE_EXPIRY_SCHEDULE_HPP

#include "sojourn/core/time.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

namespace sojourn {

/// One session's place in the schedule. It names slot and generation and points at nothing, so that
/// it may outlive its session.
struct ExpiryEntry {
    TimePoint deadline;
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;

    friend bool operator==(const ExpiryEntry&, const ExpiryEntry&) = default;
};

/// Expiry entries by deadline, the earliest first. Stale entries never exceed
/// `max(64, live entries)`: past that, `trim` rebuilds the queue without them.
class ExpirySchedule {
public:
    /// O(log n).
    void add(const ExpiryEntry& entry) { queue_.push(entry); }

    /// Makes room for `count` sessions, so that no later `add` allocates.
    void reserve(std::size_t count) { queue_.reserve(2 * count + stale_floor + 1); }

    /// When the earliest entry is due, stale or not; `TimePoint::max()` if there is none.
    [[nodiscard]] TimePoint next_deadline() const noexcept
    {
        return queue_.empty() ? TimePoint::max() : queue_.top().deadline;
    }

    /// Takes the earliest entry if it is due at `now`. O(log n).
    [[nodiscard]] std::optional<ExpiryEntry> take_due(TimePoint now)
    {
        if (queue_.empty() || now < queue_.top().deadline) {
            return std::nullopt;
        }
        const auto entry = queue_.top();
        queue_.pop();
        return entry;
    }

    /// Says that the entry just taken was stale.
    void forget_stale() noexcept { --stale_; }

    /// Says that a scheduled session is gone and its entry stale.
    template <class IsLive>
    void retire(IsLive is_live)
    {
        ++stale_;
        trim(is_live);
    }

    /// Drops all stale entries, O(n), when they have come to outnumber the live ones; O(1)
    /// otherwise, and amortised. Needed wherever the live ones become fewer: also when one was
    /// taken for good.
    template <class IsLive>
    void trim(IsLive is_live)
    {
        if (stale_ > std::max(stale_floor, live())) {
            queue_.keep_if(is_live);
            stale_ = 0;
        }
    }

    [[nodiscard]] std::size_t size() const noexcept { return queue_.size(); }

    [[nodiscard]] std::size_t stale() const noexcept { return stale_; }

    [[nodiscard]] std::size_t live() const noexcept { return queue_.size() - stale_; }

    /// Calls `visit(entry)` for every entry, in no order.
    template <class Visit>
    void for_each(Visit visit) const
    {
        queue_.for_each(visit);
    }

    static constexpr std::size_t stale_floor = 64;

private:
    struct Later {
        bool operator()(const ExpiryEntry& left, const ExpiryEntry& right) const noexcept
        {
            return left.deadline > right.deadline;
        }
    };

    /// The standard's queue, with the three things it keeps to itself.
    class Queue : public std::priority_queue<ExpiryEntry, std::vector<ExpiryEntry>, Later> {
    public:
        void reserve(std::size_t count) { c.reserve(count); }

        template <class Keep>
        void keep_if(Keep keep)
        {
            std::erase_if(c, [&](const ExpiryEntry& entry) { return !keep(entry); });
            std::ranges::make_heap(c, comp);
        }

        template <class Visit>
        void for_each(Visit visit) const
        {
            std::ranges::for_each(c, visit);
        }
    };

    Queue queue_;
    std::size_t stale_ = 0;
};

} // namespace sojourn

#endif // SOJOURN_CORE_EXPIRY_SCHEDULE_HPP

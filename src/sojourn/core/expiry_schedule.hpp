/// @file
/// Private header. When to look at which slot: a priority queue with one entry a slot. An entry may
/// come up early, never late. It is not moved when the deadline is, and it stays with the slot when
/// the session is gone: whoever comes next into the slot uses it too. So touches, removals and most
/// creations cost nothing here; an entry that comes up early is armed once more.

#ifndef SOJOURN_CORE_EXPIRY_SCHEDULE_HPP
#define SOJOURN_CORE_EXPIRY_SCHEDULE_HPP

#include "sojourn/core/time.hpp"
#include "sojourn/detail/large_array.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>

namespace sojourn {

/// One slot's place in the schedule. It is live as long as the slot says that it is armed at this
/// moment.
struct ExpiryEntry {
    TimePoint at;
    std::uint32_t slot = 0;

    friend bool operator==(const ExpiryEntry&, const ExpiryEntry&) = default;
};

/// Expiry entries, the earliest first.
///
/// An entry is stale once its slot was armed for an earlier moment. Stale entries never exceed an
/// eighth of the slots, or 64: past that, the queue is rebuilt without them.
class ExpirySchedule {
public:
    /// For `slots` slots; takes all the memory that it will ever need.
    explicit ExpirySchedule(std::size_t slots) : stale_limit_(std::max(stale_floor, slots / 8))
    {
        queue_.reserve(slots + stale_limit_ + 1);
    }

    /// Sees to it that the slot comes up at `at` or before. `armed_at` is the slot's note of when
    /// it is armed; `each_armed(visit)` calls `visit(entry)` for the live entry of each armed slot,
    /// this one included. O(log n) if it has to come up earlier than before, O(1) otherwise; O(n)
    /// where stale entries have become too many.
    template <class EachArmed>
    void arm(std::uint32_t slot, TimePoint& armed_at, TimePoint at, EachArmed each_armed)
    {
        if (armed_at <= at) {
            return;
        }
        armed_ += armed_at == TimePoint::max() ? 1U : 0U;
        armed_at = at;
        queue_.push({at, slot});
        if (stale() > stale_limit_) {
            queue_.rebuild(each_armed);
        }
    }

    /// Takes the earliest entry if it is due at `now`. O(log n).
    [[nodiscard]] std::optional<ExpiryEntry> take_due(TimePoint now)
    {
        if (now < next()) {
            return std::nullopt;
        }
        const auto entry = queue_.top();
        queue_.pop();
        return entry;
    }

    /// Says that the entry just taken was its slot's live one, and the slot is not armed now.
    void disarm(TimePoint& armed_at) noexcept
    {
        armed_at = TimePoint::max();
        --armed_;
    }

    /// When the earliest entry comes up, stale or not; `TimePoint::max()` if there is none.
    [[nodiscard]] TimePoint next() const noexcept
    {
        return queue_.empty() ? TimePoint::max() : queue_.top().at;
    }

    [[nodiscard]] std::size_t size() const noexcept { return queue_.size(); }

    /// Slots that are armed.
    [[nodiscard]] std::size_t armed() const noexcept { return armed_; }

    [[nodiscard]] std::size_t stale() const noexcept { return queue_.size() - armed_; }

    [[nodiscard]] std::size_t stale_limit() const noexcept { return stale_limit_; }

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
            return left.at > right.at;
        }
    };

    /// The standard's queue, with the three things it keeps to itself.
    class Queue : public std::priority_queue<ExpiryEntry, detail::LargeArray<ExpiryEntry>, Later> {
    public:
        void reserve(std::size_t count) { c.reserve(count); }

        template <class EachArmed>
        void rebuild(EachArmed each_armed)
        {
            c.clear();
            each_armed([this](const ExpiryEntry& entry) { c.push_back(entry); });
            std::ranges::make_heap(c, comp);
        }

        template <class Visit>
        void for_each(Visit visit) const
        {
            std::ranges::for_each(c, visit);
        }
    };

    std::size_t stale_limit_;
    Queue queue_;
    /// Slots that are armed; every other entry is stale.
    std::size_t armed_ = 0;
};

} // namespace sojourn

#endif // SOJOURN_CORE_EXPIRY_SCHEDULE_HPP

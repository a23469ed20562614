/// @file
/// A table with sessions in it and the time that it is told: ours or a peer's, which have the same
/// members here. Nobody reads a clock, so that what is compared is the tables.

#ifndef SOJOURN_BENCH_SUPPORT_FILLED_HPP
#define SOJOURN_BENCH_SUPPORT_FILLED_HPP

#include "sojourn/core/time.hpp"
#include "support/payload.hpp"
#include "support/session_ids.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

namespace sojourn::bench {

/// So much larger is a table whose sessions must all find room: one with shards is full where one
/// shard is, and ids do not fall evenly.
[[nodiscard]] constexpr std::size_t with_headroom(std::size_t sessions)
{
    return sessions + sessions / 2;
}

/// A table with the sessions 0 to `sessions - 1`, created a microsecond apart. Where the capacity
/// is smaller, the first of them are gone already.
template <class Table>
class Filled {
public:
    using Id = typename Table::Id;

    Filled(std::size_t sessions, std::size_t capacity, Duration idle_timeout)
        : table_(capacity, idle_timeout)
    {
        create_more(sessions);
    }

    /// Creates a session for each id, which is moved from, and returns how many were made.
    std::size_t create_each(std::vector<Id>& ids)
    {
        std::size_t made = 0;
        for (auto& id : ids) {
            made += table_.create(std::move(id), payload, tick()) ? 1U : 0U;
        }
        return made;
    }

    /// The ids of the next sessions, which are not there yet.
    [[nodiscard]] std::vector<Id> next_ids(std::size_t count)
    {
        auto ids = consecutive_ids<Id>(next_number_, count);
        next_number_ += count;
        return ids;
    }

    void create_more(std::size_t count)
    {
        // In pieces: ten million ids at once would be as much memory as the table.
        constexpr std::size_t piece = 10'000;
        while (count > 0) {
            auto ids = next_ids(std::min(count, piece));
            create_each(ids);
            count -= ids.size();
        }
    }

    [[nodiscard]] Table& table() noexcept { return table_; }

    [[nodiscard]] TimePoint now() const noexcept { return now_; }

    /// A microsecond later.
    TimePoint tick() noexcept { return now_ += std::chrono::microseconds(1); }

    void advance(Duration length) noexcept { now_ += length; }

private:
    Table table_;
    TimePoint now_{std::chrono::hours(1)};
    std::size_t next_number_ = 0;
};

/// A table in which all sessions find room, and none expires.
template <class Table>
struct RoomyTable : Filled<Table> {
    explicit RoomyTable(std::size_t sessions)
        : Filled<Table>(sessions, with_headroom(sessions), std::chrono::hours(24))
    {
    }
};

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_SUPPORT_FILLED_HPP

// How long is the table busy when 1,000 sessions have expired among many that have not, and how
// long is the longest time for which it keeps others waiting? In turns of the default
// `cleanup_batch`; the peer scans from the tail of its list, in one go, under its lock.

#include "peers/mutex_lru.hpp"
#include "support/arguments.hpp"
#include "support/drive.hpp"
#include "support/filled.hpp"
#include "support/full_table.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace {

using namespace sojourn::bench;
using namespace sojourn::bench::peers;

constexpr std::size_t due = 1'000;
constexpr sojourn::Duration idle_timeout = std::chrono::minutes(30);
constexpr sojourn::Duration between = std::chrono::microseconds(1);

enum class History : std::uint8_t {
    /// Nobody came back: what expires first was created first.
    in_order,
    /// Everybody came back once, so that no deadline is what it was at creation.
    all_touched,
};

template <class Table>
std::size_t sessions_a_turn()
{
    return std::is_same_v<Table, FullTable> ? sojourn::ServiceOptions().cleanup_batch()
                                            : std::numeric_limits<std::size_t>::max();
}

/// A table in which the first 1,000 sessions are due, and no other.
template <class Table, History history>
class DueTable {
public:
    explicit DueTable(std::size_t live) : filled_(live + due, live + due, idle_timeout)
    {
        if constexpr (history == History::all_touched) {
            touch_all(live + due);
        }
        filled_.advance(idle_timeout - between * static_cast<std::int64_t>(live));
    }

    bool expire() { return filled_.table().expire(sessions_a_turn<Table>(), filled_.now()); }

    [[nodiscard]] std::size_t size() { return filled_.table().size(); }

private:
    void touch_all(std::size_t sessions)
    {
        for (std::size_t number = 0; number < sessions; ++number) {
            filled_.table().touch(numbered_id<typename Table::Id>(number), filled_.tick());
        }
    }

    Filled<Table> filled_;
};

template <class Table, History history>
void cleanup(benchmark::State& state)
{
    double total = 0;
    double longest = 0;
    for (auto _ : state) {
        DueTable<Table, history> table(sessions_of(state));
        bool has_more = true;
        while (has_more) {
            const auto seconds = seconds_of([&] { has_more = table.expire(); });
            total += seconds;
            longest = std::max(longest, seconds);
        }
        state.SetIterationTime(total);
        if (table.size() != sessions_of(state)) {
            state.SkipWithError("not all that were due have expired, or others too");
        }
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(due));
    state.counters["total_us"] = total * 1e6;
    state.counters["longest_turn_us"] = longest * 1e6;
}

} // namespace

BENCHMARK(cleanup<FullTable, History::in_order>)
    ->Name("cleanup/sojourn/in_order")
    ->Apply(once_a_repetition<10'000, 100'000, 1'000'000>);
BENCHMARK(cleanup<MutexLru, History::in_order>)
    ->Name("cleanup/mutex_lru/in_order")
    ->Apply(once_a_repetition<10'000, 100'000, 1'000'000>);
BENCHMARK(cleanup<FullTable, History::all_touched>)
    ->Name("cleanup/sojourn/all_touched")
    ->Apply(once_a_repetition<10'000, 100'000, 1'000'000>);
BENCHMARK(cleanup<MutexLru, History::all_touched>)
    ->Name("cleanup/mutex_lru/all_touched")
    ->Apply(once_a_repetition<10'000, 100'000, 1'000'000>);

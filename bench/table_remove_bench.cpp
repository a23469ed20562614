// What does it cost the table alone to end a session that somebody names? What was removed is
// created anew before the next batch, untimed.

#include "peers/mutex_lru.hpp"
#include "peers/sharded_mutex_lru.hpp"
#include "peers/shared_mutex_lru.hpp"
#include "support/access.hpp"
#include "support/arguments.hpp"
#include "support/cached.hpp"
#include "support/drive.hpp"
#include "support/filled.hpp"
#include "support/full_table.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace {

using namespace sojourn::bench;
using namespace sojourn::bench::peers;

/// Sessions all over the table, each once.
template <class Id>
std::vector<Id> scattered_ids(std::size_t sessions)
{
    constexpr std::size_t most = 4'096;
    auto numbers = access_sequence(Access::uniform, sessions);
    numbers.resize(std::min(most, sessions / 2));
    std::ranges::sort(numbers);
    const auto repeated = std::ranges::unique(numbers);
    numbers.erase(repeated.begin(), repeated.end());
    return numbered_ids<Id>(numbers);
}

template <class Table>
void table_remove(benchmark::State& state)
{
    auto& filled = cached<RoomyTable<Table>>(sessions_of(state));
    const auto ids = scattered_ids<typename Table::Id>(sessions_of(state));
    std::size_t removed = 0;
    std::size_t made_again = 0;
    for (auto _ : state) {
        state.SetIterationTime(seconds_of([&] {
            for (const auto& id : ids) {
                removed += filled.table().remove(id, filled.tick()) ? 1U : 0U;
            }
        }));
        auto again = ids;
        made_again += filled.create_each(again);
    }
    const auto named = static_cast<std::size_t>(state.iterations()) * ids.size();
    if (removed != named || made_again != named) {
        state.SkipWithError("a session was not removed");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(named));
}

} // namespace

BENCHMARK(table_remove<FullTable>)
    ->Name("table_remove/sojourn")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000, 10'000'000>);
BENCHMARK(table_remove<MutexLru>)
    ->Name("table_remove/mutex_lru")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000, 10'000'000>);
BENCHMARK(table_remove<ShardedMutexLru>)
    ->Name("table_remove/sharded_mutex_lru")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000>);
BENCHMARK(table_remove<SharedMutexLru>)
    ->Name("table_remove/shared_mutex_lru")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000>);

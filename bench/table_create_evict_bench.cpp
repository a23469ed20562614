// What does a new session cost the table alone when it must push another one out? The id was made
// before; its payload is copied here, by ours into attributes of its own, by the peers into the
// node.

#include "peers/mutex_lru.hpp"
#include "peers/sharded_mutex_lru.hpp"
#include "support/arguments.hpp"
#include "support/cached.hpp"
#include "support/drive.hpp"
#include "support/filled.hpp"
#include "support/full_table.hpp"

#if defined(SOJOURN_BENCH_HAS_TBB)
#include "peers/tbb_concurrent_lru.hpp"
#endif

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <utility>

namespace {

using namespace sojourn::bench;
using namespace sojourn::bench::peers;

constexpr std::size_t batch = 4'096;

/// A table in which there is no room left, in any shard.
template <class Table>
struct CrowdedTable : Filled<Table> {
    explicit CrowdedTable(std::size_t sessions)
        : Filled<Table>(with_headroom(sessions), sessions, std::chrono::hours(24))
    {
    }
};

template <class Table>
void table_create_evict(benchmark::State& state)
{
    auto& filled = cached<CrowdedTable<Table>>(sessions_of(state));
    std::size_t made = 0;
    for (auto _ : state) {
        auto ids = filled.next_ids(batch);
        state.SetIterationTime(seconds_of([&] { made += filled.create_each(ids); }));
    }
    const auto created = static_cast<std::size_t>(state.iterations()) * batch;
    if (made != created) {
        state.SkipWithError("a session was not made");
    }
    if constexpr (requires { filled.table().size(); }) {
        if (filled.table().size() > sessions_of(state)) {
            state.SkipWithError("no session made room");
        }
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(created));
}

} // namespace

BENCHMARK(table_create_evict<FullTable>)
    ->Name("table_create_evict/sojourn")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000, 10'000'000>);
BENCHMARK(table_create_evict<MutexLru>)
    ->Name("table_create_evict/mutex_lru")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000, 10'000'000>);
BENCHMARK(table_create_evict<ShardedMutexLru>)
    ->Name("table_create_evict/sharded_mutex_lru")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000>);
#if defined(SOJOURN_BENCH_HAS_TBB)
BENCHMARK(table_create_evict<TbbConcurrentLru>)
    ->Name("table_create_evict/tbb_concurrent_lru")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000>);
#endif

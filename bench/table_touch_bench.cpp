// What does a request cost the table alone: to find its session and to note that it was used? Ours
// also counts it against its rate and leases it; the peers also take their lock, where ours is
// protected by the gate that `confined_call` asks about. Nobody reads a clock; ids are hashed here.

#include "peers/mutex_lru.hpp"
#include "peers/sharded_mutex_lru.hpp"
#include "peers/shared_mutex_lru.hpp"
#include "support/access.hpp"
#include "support/arguments.hpp"
#include "support/cached.hpp"
#include "support/drive.hpp"
#include "support/filled.hpp"
#include "support/full_table.hpp"

#if defined(SOJOURN_BENCH_HAS_TBB)
#include "peers/tbb_concurrent_lru.hpp"
#endif

#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

namespace {

using namespace sojourn::bench;
using namespace sojourn::bench::peers;

constexpr std::size_t batch = 10'000;

/// The ids of requests, again and again.
template <class Id, Access access>
class Requests {
public:
    explicit Requests(std::size_t sessions)
        : ids_(numbered_ids<Id>(access_sequence(access, sessions)))
    {
    }

    [[nodiscard]] const Id& next() noexcept
    {
        next_ = next_ + 1 == ids_.size() ? 0 : next_ + 1;
        return ids_[next_];
    }

private:
    std::vector<Id> ids_;
    std::size_t next_ = 0;
};

template <class Table, Access access>
void table_touch(benchmark::State& state)
{
    auto& filled = cached<RoomyTable<Table>>(sessions_of(state));
    auto& requests = cached<Requests<typename Table::Id, access>>(sessions_of(state));
    std::size_t found = 0;
    for (auto _ : state) {
        state.SetIterationTime(seconds_of([&] {
            for (std::size_t i = 0; i < batch; ++i) {
                found += filled.table().touch(requests.next(), filled.tick()) ? 1U : 0U;
            }
        }));
    }
    const auto touched = static_cast<std::size_t>(state.iterations()) * batch;
    if (found != touched) {
        state.SkipWithError("a session was not found");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(touched));
}

} // namespace

BENCHMARK(table_touch<FullTable, Access::zipf>)
    ->Name("table_touch/sojourn/zipf")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000, 10'000'000>);
BENCHMARK(table_touch<FullTable, Access::uniform>)
    ->Name("table_touch/sojourn/uniform")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000, 10'000'000>);
BENCHMARK(table_touch<MutexLru, Access::zipf>)
    ->Name("table_touch/mutex_lru/zipf")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000, 10'000'000>);
BENCHMARK(table_touch<MutexLru, Access::uniform>)
    ->Name("table_touch/mutex_lru/uniform")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000, 10'000'000>);
BENCHMARK(table_touch<ShardedMutexLru, Access::zipf>)
    ->Name("table_touch/sharded_mutex_lru/zipf")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000>);
BENCHMARK(table_touch<ShardedMutexLru, Access::uniform>)
    ->Name("table_touch/sharded_mutex_lru/uniform")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000>);
BENCHMARK(table_touch<SharedMutexLru, Access::zipf>)
    ->Name("table_touch/shared_mutex_lru/zipf")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000>);
BENCHMARK(table_touch<SharedMutexLru, Access::uniform>)
    ->Name("table_touch/shared_mutex_lru/uniform")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000>);
#if defined(SOJOURN_BENCH_HAS_TBB)
BENCHMARK(table_touch<TbbConcurrentLru, Access::zipf>)
    ->Name("table_touch/tbb_concurrent_lru/zipf")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000>);
BENCHMARK(table_touch<TbbConcurrentLru, Access::uniform>)
    ->Name("table_touch/tbb_concurrent_lru/uniform")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000>);
#endif

// What does it cost the table alone to end a session because it lay idle for too long? All are
// looked at in turns, as cleanup does, and those that are due are always the oldest ones.

#include "peers/mutex_lru.hpp"
#include "support/arguments.hpp"
#include "support/cached.hpp"
#include "support/drive.hpp"
#include "support/filled.hpp"
#include "support/full_table.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>

namespace {

using namespace sojourn::bench;
using namespace sojourn::bench::peers;

constexpr std::size_t batch = 1'000;
constexpr std::size_t turn = 128;

/// One session a microsecond is created, and each is due when that many others have been.
template <class Table>
struct ExpiringTable : Filled<Table> {
    explicit ExpiringTable(std::size_t sessions)
        : Filled<Table>(sessions, sessions + batch, std::chrono::microseconds(sessions))
    {
    }
};

template <class Table>
void table_expire(benchmark::State& state)
{
    const auto sessions = sessions_of(state);
    auto& filled = cached<ExpiringTable<Table>>(sessions);
    for (auto _ : state) {
        filled.create_more(batch);
        state.SetIterationTime(seconds_of([&] {
            while (filled.table().expire(turn, filled.now())) {
            }
        }));
        if (filled.table().size() != sessions) {
            state.SkipWithError("not all that were due have expired, or others too");
            break;
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
}

} // namespace

BENCHMARK(table_expire<FullTable>)
    ->Name("table_expire/sojourn")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000, 10'000'000>);
BENCHMARK(table_expire<MutexLru>)
    ->Name("table_expire/mutex_lru")
    ->Apply(on_one_thread<1'000, 100'000, 1'000'000, 10'000'000>);

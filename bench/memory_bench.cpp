// What does a session take in memory, with an id of 22 characters and 64 bytes to remember? What
// was asked of `operator new` since before the table was made, and what the system gave, both
// divided by the number of sessions. `node_bytes` is what the nodes alone take.

#include "peers/mutex_lru.hpp"
#include "peers/sharded_mutex_lru.hpp"
#include "peers/shared_mutex_lru.hpp"
#include "support/arguments.hpp"
#include "support/contestants.hpp"
#include "support/drive.hpp"
#include "support/full_table.hpp"
#include "support/memory.hpp"
#include "support/session_ids.hpp"

#if defined(SOJOURN_BENCH_HAS_TBB)
#include "peers/tbb_concurrent_lru.hpp"
#endif

#include <benchmark/benchmark.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace {

namespace asio = boost::asio;
using namespace sojourn::bench;
using namespace sojourn::bench::peers;

/// An id such as a peer may bring: 128 random bits.
std::string short_id(std::size_t number)
{
    constexpr std::size_t length = 22;
    return numbered_id<std::string>(number).substr(0, length);
}

/// Our whole service, and not its table alone.
class FilledService {
public:
    static constexpr std::size_t node_bytes = FullTable::node_bytes;

    explicit FilledService(std::size_t sessions) : service_(context_, sessions)
    {
        is_full = run(context_, adopt_all(service_, sessions));
    }

    bool is_full = false;

private:
    static asio::awaitable<bool> adopt_all(Service<1>& service, std::size_t count)
    {
        for (std::size_t number = 0; number < count; ++number) {
            const auto id = sojourn::SessionId::parse(short_id(number)).value();
            if (const auto made = co_await service.adopt(id); !made) {
                co_return false;
            }
        }
        co_return true;
    }

    asio::io_context context_;
    Service<1> service_;
};

template <class Lru>
class FilledLru {
public:
    static constexpr std::size_t node_bytes = Lru::node_bytes;

    explicit FilledLru(std::size_t sessions) : lru_(with_room(sessions), long_enough)
    {
        const sojourn::TimePoint now(std::chrono::hours(1));
        for (std::size_t number = 0; number < sessions; ++number) {
            is_full = lru_.create(short_id(number), payload, now) && is_full;
        }
    }

    bool is_full = true;

private:
    /// Shards are not filled evenly. The room is 8 bytes for each that could come.
    static std::size_t with_room(std::size_t sessions)
    {
        return std::is_same_v<Lru, ShardedMutexLru> ? sessions + sessions / 16 : sessions;
    }

    Lru lru_;
};

template <class Table>
void memory(benchmark::State& state)
{
    const auto sessions = static_cast<double>(sessions_of(state));
    for (auto _ : state) {
        const auto resident = resident_bytes();
        const CountedAllocations allocations;
        const auto start = Stopwatch::now();
        const Table table(sessions_of(state));
        state.SetIterationTime(seconds_since(start));
        const auto requested = allocations.bytes();
        if (!table.is_full || allocations.unsized_frees() > 0) {
            state.SkipWithError("not all sessions were made, or bytes were miscounted");
        }
        state.counters["bytes_per_session"] = static_cast<double>(requested) / sessions;
        state.counters["rss_per_session"] =
            static_cast<double>(resident_bytes() - resident) / sessions;
        state.counters["node_bytes"] = static_cast<double>(Table::node_bytes);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(sessions));
}

} // namespace

BENCHMARK(memory<FilledService>)
    ->Name("memory/sojourn")
    ->Apply(once_a_repetition<10'000, 1'000'000>);
BENCHMARK(memory<FilledLru<MutexLru>>)
    ->Name("memory/mutex_lru")
    ->Apply(once_a_repetition<10'000, 1'000'000>);
BENCHMARK(memory<FilledLru<ShardedMutexLru>>)
    ->Name("memory/sharded_mutex_lru")
    ->Apply(once_a_repetition<10'000, 1'000'000>);
BENCHMARK(memory<FilledLru<SharedMutexLru>>)
    ->Name("memory/shared_mutex_lru")
    ->Apply(once_a_repetition<10'000, 1'000'000>);
#if defined(SOJOURN_BENCH_HAS_TBB)
BENCHMARK(memory<FilledLru<TbbConcurrentLru>>)
    ->Name("memory/tbb_concurrent_lru")
    ->Apply(once_a_repetition<10'000, 1'000'000>);
#endif

// What does a new visitor cost a full service, all in all? That is: an id drawn from the operating
// system, which is most of it, 64 bytes to remember, and the end of the session that must make
// room. The peers draw the same id from the same source.

#include "peers/mutex_lru.hpp"
#include "peers/sharded_mutex_lru.hpp"
#include "peers/shared_mutex_lru.hpp"
#include "peers/tbb_concurrent_lru.hpp"
#include "support/arguments.hpp"
#include "support/cached.hpp"
#include "support/contestants.hpp"
#include "support/drive.hpp"
#include "support/filled.hpp"

#include <benchmark/benchmark.h>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace {

namespace asio = boost::asio;
using namespace sojourn::bench;
using namespace sojourn::bench::peers;

constexpr std::size_t visitors_of_a_thread = 5'000;

/// Our service as it is outside of tests.
template <std::size_t shards>
struct RandomIds : Service<shards> {
    RandomIds(asio::io_context& context, std::size_t capacity)
        : Service<shards>(context, capacity, std::make_shared<sojourn::OsIdSource>())
    {
    }
};

template <class Contestant>
asio::awaitable<void>
create_all(Contestant& contestant, std::size_t count, std::atomic<std::size_t>& made)
{
    std::size_t successes = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto created = co_await contestant.create();
        successes += created ? 1U : 0U;
    }
    made += successes;
}

/// No room is left, in any shard.
template <class Contestant>
struct CrowdedArena : Arena<Contestant> {
    explicit CrowdedArena(std::size_t sessions) : Arena<Contestant>(sessions)
    {
        std::atomic<std::size_t> made{0};
        run(this->context(), create_all(this->contestant(), with_headroom(sessions), made));
    }
};

template <class Contestant>
void create_at_capacity(benchmark::State& state)
{
    const auto threads = threads_of(state);
    auto& arena = cached<CrowdedArena<Contestant>>(sessions_of(state));
    std::atomic<std::size_t> made{0};
    for (auto _ : state) {
        state.SetIterationTime(drive(arena.context(), threads, threads, [&](std::size_t) {
            return create_all(arena.contestant(), visitors_of_a_thread, made);
        }));
    }
    const auto visitors =
        static_cast<std::size_t>(state.iterations()) * threads * visitors_of_a_thread;
    if (made != visitors) {
        state.SkipWithError("a session was not made");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(visitors));
}

} // namespace

BENCHMARK(create_at_capacity<RandomIds<1>>)
    ->Name("create_at_capacity/sojourn")
    ->Apply(on_many_threads<1'000, 100'000>);
BENCHMARK(create_at_capacity<RandomIds<16>>)
    ->Name("create_at_capacity/sojourn_16_shards")
    ->Apply(on_many_threads<1'000, 100'000>);
BENCHMARK(create_at_capacity<Direct<MutexLru>>)
    ->Name("create_at_capacity/mutex_lru")
    ->Apply(on_many_threads<1'000, 100'000>);
BENCHMARK(create_at_capacity<Direct<ShardedMutexLru>>)
    ->Name("create_at_capacity/sharded_mutex_lru")
    ->Apply(on_many_threads<1'000, 100'000>);
BENCHMARK(create_at_capacity<Direct<SharedMutexLru>>)
    ->Name("create_at_capacity/shared_mutex_lru")
    ->Apply(on_many_threads<1'000, 100'000>);
BENCHMARK(create_at_capacity<Direct<TbbConcurrentLru>>)
    ->Name("create_at_capacity/tbb_concurrent_lru")
    ->Apply(on_many_threads<1'000, 100'000>);

// What does it cost to reach a value that coroutines share? The value is a map of 1,000 numbers
// (`sessions` counts them), and a call looks one up and adds to it. `coroutines` are those of each
// thread; all run on one context, and do nothing else, so that contention is as bad as it gets.

#include "peers/co_spawn_strand.hpp"
#include "peers/post_strand.hpp"
#include "peers/std_mutex.hpp"
#include "sojourn/async/confined.hpp"
#include "support/arguments.hpp"
#include "support/drive.hpp"

#include <benchmark/benchmark.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace {

namespace asio = boost::asio;
using namespace sojourn::bench;
using namespace sojourn::bench::peers;

using Numbers = std::unordered_map<std::uint64_t, std::uint64_t>;

/// Many, so that the threads are together for long, and not one after the other.
constexpr std::size_t calls_of_a_thread = 100'000;

Numbers zeros(std::size_t count)
{
    Numbers numbers;
    for (std::uint64_t key = 0; key < count; ++key) {
        numbers[key] = 0;
    }
    return numbers;
}

/// Keys in an order that is not that of the map.
class Keys {
public:
    Keys(std::uint64_t first, std::uint64_t count) : next_(first % count), count_(count) {}

    [[nodiscard]] std::uint64_t next() noexcept
    {
        next_ += 7;
        if (next_ >= count_) {
            next_ -= count_;
        }
        return next_;
    }

private:
    std::uint64_t next_;
    std::uint64_t count_;
};

template <class Confinement>
asio::awaitable<void> count_up(Confinement& numbers, Keys keys, std::size_t calls)
{
    for (std::size_t i = 0; i < calls; ++i) {
        const auto increment = [key = keys.next()](Numbers& map) noexcept {
            return ++map.find(key)->second;
        };
        benchmark::DoNotOptimize(co_await numbers.call(increment));
    }
}

template <class Confinement>
asio::awaitable<std::uint64_t> sum(Confinement& numbers)
{
    const auto add = [](Numbers& map) noexcept {
        std::uint64_t total = 0;
        for (const auto& [key, value] : map) {
            total += value;
        }
        return total;
    };
    co_return co_await numbers.call(add);
}

/// How the calls ran, without which the cost means little.
void report(benchmark::State& state, const sojourn::CallCounts& counts)
{
    const auto total = static_cast<double>(counts.ran_inline + counts.combined + counts.suspended);
    state.counters["inline"] = static_cast<double>(counts.ran_inline) / total;
    state.counters["combined"] = static_cast<double>(counts.combined) / total;
    state.counters["suspended"] = static_cast<double>(counts.suspended) / total;
}

template <class Confinement>
void confined_call(benchmark::State& state)
{
    const auto keys = sessions_of(state);
    const auto threads = threads_of(state);
    const auto coroutines = threads * static_cast<std::size_t>(state.range(2));
    const auto calls = threads * calls_of_a_thread / coroutines;
    asio::io_context context;
    Confinement numbers(context.get_executor(), zeros(keys));
    for (auto _ : state) {
        state.SetIterationTime(drive(context, threads, coroutines, [&](std::size_t index) {
            return count_up(numbers, Keys(index * 101, keys), calls);
        }));
    }
    const auto made = static_cast<std::size_t>(state.iterations()) * coroutines * calls;
    state.SetItemsProcessed(static_cast<std::int64_t>(made));
    if constexpr (requires { numbers.counts(); }) {
        report(state, numbers.counts());
    }
    if (run(context, sum(numbers)) != made) {
        state.SkipWithError("a call was lost");
    }
}

void alone(benchmark::internal::Benchmark* each)
{
    each->ArgNames({"sessions", "threads", "coroutines"})->Args({1'000, 1, 1})->UseManualTime();
}

void together(benchmark::internal::Benchmark* each)
{
    each->ArgNames({"sessions", "threads", "coroutines"})
        ->ArgsProduct({{1'000}, thread_counts(), {1, 4, 64}})
        ->UseManualTime();
}

} // namespace

BENCHMARK(confined_call<sojourn::Confined<Numbers>>)
    ->Name("confined_call/sojourn/idle")
    ->Apply(alone);
BENCHMARK(confined_call<sojourn::Confined<Numbers>>)
    ->Name("confined_call/sojourn/contended")
    ->Apply(together);
BENCHMARK(confined_call<StdMutex<Numbers>>)->Name("confined_call/std_mutex/idle")->Apply(alone);
BENCHMARK(confined_call<StdMutex<Numbers>>)
    ->Name("confined_call/std_mutex/contended")
    ->Apply(together);
BENCHMARK(confined_call<CoSpawnStrand<Numbers>>)
    ->Name("confined_call/co_spawn_strand/idle")
    ->Apply(alone);
BENCHMARK(confined_call<CoSpawnStrand<Numbers>>)
    ->Name("confined_call/co_spawn_strand/contended")
    ->Apply(together);
BENCHMARK(confined_call<PostStrand<Numbers>>)->Name("confined_call/post_strand/idle")->Apply(alone);
BENCHMARK(confined_call<PostStrand<Numbers>>)
    ->Name("confined_call/post_strand/contended")
    ->Apply(together);

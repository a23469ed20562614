// What does reaching a confined value cost, where a mutex would have done?

#include "sojourn/async/confined.hpp"

#include <benchmark/benchmark.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdint>
#include <mutex>

namespace {

namespace asio = boost::asio;

constexpr int batch = 10'000;

using Counter = std::uint64_t;

asio::awaitable<void> count_confined(sojourn::Confined<Counter>& counter)
{
    const auto increment = [](Counter& value) { return ++value; };
    for (int i = 0; i < batch; ++i) {
        benchmark::DoNotOptimize(co_await counter.call(increment));
    }
}

asio::awaitable<Counter> count_locked(std::mutex& mutex, Counter& counter)
{
    const std::scoped_lock lock(mutex);
    co_return ++counter;
}

asio::awaitable<void> count_all_locked(std::mutex& mutex, Counter& counter)
{
    for (int i = 0; i < batch; ++i) {
        benchmark::DoNotOptimize(co_await count_locked(mutex, counter));
    }
}

/// A batch of calls by one coroutine, on one thread: nobody else is there.
void confined_call_alone(benchmark::State& state)
{
    asio::io_context context;
    sojourn::Confined<Counter> counter(context.get_executor(), Counter{0});
    for (auto _ : state) {
        auto done = asio::co_spawn(context, count_confined(counter), asio::use_future);
        context.run();
        context.restart();
        done.get();
    }
    state.SetItemsProcessed(state.iterations() * batch);
}

/// The same with a mutex, in a coroutine too.
void mutex_lock_alone(benchmark::State& state)
{
    asio::io_context context;
    std::mutex mutex;
    Counter counter = 0;
    for (auto _ : state) {
        auto done = asio::co_spawn(context, count_all_locked(mutex, counter), asio::use_future);
        context.run();
        context.restart();
        done.get();
    }
    state.SetItemsProcessed(state.iterations() * batch);
}

} // namespace

BENCHMARK(confined_call_alone)->Name("confined/call/alone");
BENCHMARK(mutex_lock_alone)->Name("peer/mutex/alone");

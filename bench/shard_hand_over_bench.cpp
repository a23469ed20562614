// What must it cost that two processors use the same sixteen shards, whatever these do? Each thread
// works for itself about as long as a request's session takes, and between enters one of sixteen
// locks, at random, to add one to a number. What an operation costs more on two threads is the way
// of one cache line from one processor to the other, half of the times: no service in sixteen
// shards can do with less. `sessions` counts the locks.

#include "support/arguments.hpp"
#include "support/drive.hpp"

#include <benchmark/benchmark.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>

namespace {

namespace asio = boost::asio;
using namespace sojourn::bench;

constexpr std::size_t lock_count = 16;
constexpr std::size_t entries_of_a_thread = 50'000;

/// A lock and what it protects, on one cache line.
class alignas(64) Lock {
public:
    void add_one() noexcept
    {
        while (is_taken_.exchange(true, std::memory_order_acquire)) {
        }
        ++count_;
        is_taken_.store(false, std::memory_order_release);
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }

private:
    std::atomic<bool> is_taken_{false};
    std::size_t count_ = 0;
};

using Locks = std::array<Lock, lock_count>;

/// About a hundred nanoseconds of a processor's own work: no step can begin before the last one has
/// ended, and no two of them are one.
std::uint64_t work_alone(std::uint64_t value) noexcept
{
    constexpr int steps = 60;
    for (int i = 0; i < steps; ++i) {
        value = (value ^ (value >> 32U)) * 0xD6E8FEB86659FD93U;
    }
    return value;
}

asio::awaitable<void> enter_often(Locks& locks, std::size_t thread)
{
    std::uint64_t random = std::mt19937_64(thread)();
    for (std::size_t i = 0; i < entries_of_a_thread; ++i) {
        random = work_alone(random);
        // The highest bits, which are the most random ones here.
        locks[random >> 60U].add_one();
    }
    co_return;
}

void hand_over(benchmark::State& state)
{
    const auto threads = threads_of(state);
    asio::io_context context;
    Locks locks;
    for (auto _ : state) {
        state.SetIterationTime(drive(context, threads, threads, [&](std::size_t thread) {
            return enter_often(locks, thread);
        }));
    }
    const auto entries =
        static_cast<std::size_t>(state.iterations()) * threads * entries_of_a_thread;
    const auto counted = std::accumulate(
        locks.begin(),
        locks.end(),
        std::size_t{0},
        [](std::size_t sum, const Lock& lock) { return sum + lock.count(); }
    );
    if (counted != entries) {
        state.SkipWithError("somebody entered beside another");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(entries));
}

} // namespace

BENCHMARK(hand_over)->Name("shard_hand_over/bare")->Apply(on_many_threads<lock_count>);

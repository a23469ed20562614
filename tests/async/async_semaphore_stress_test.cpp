// The semaphore under threads. What these find, they find with TSan, or by a wrong total.

#include "async/semaphore_bench.hpp"
#include "support/context_threads.hpp"
#include "support/sanitizers.hpp"
#include "support/seed.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

constexpr int scale = is_sanitized ? 1 : 10;

/// What all workers of a test saw.
struct Tally {
    void enter(std::int64_t limit) noexcept
    {
        const auto now_inside = inside.fetch_add(1) + 1;
        if (now_inside > limit) {
            overran.store(true);
        }
    }

    void count(const Result<Permit>& result) noexcept
    {
        if (result.has_value()) {
            granted.fetch_add(1);
        } else if (result.error() == errc::timed_out) {
            timed_out.fetch_add(1);
        } else if (result.error() == errc::overloaded) {
            overloaded.fetch_add(1);
        } else if (result.error() == errc::stopping) {
            stopping.fetch_add(1);
        } else {
            cancelled.fetch_add(1);
        }
    }

    [[nodiscard]] bool agrees_with(const SemaphoreMetrics& metrics) const
    {
        return metrics.ledger_holds() && metrics.held == 0 && metrics.waiting == 0 &&
               metrics.granted == granted && metrics.timed_out == timed_out &&
               metrics.refused_overloaded == overloaded && metrics.cancelled == cancelled &&
               metrics.refused_stopping == stopping;
    }

    std::atomic<std::int64_t> inside{0};
    std::atomic<bool> overran{false};
    std::atomic<std::uint64_t> granted{0};
    std::atomic<std::uint64_t> timed_out{0};
    std::atomic<std::uint64_t> overloaded{0};
    std::atomic<std::uint64_t> cancelled{0};
    std::atomic<std::uint64_t> stopping{0};
};

using Crowd = std::vector<std::shared_ptr<CoroResult<void>>>;

void wait_for(const Crowd& crowd, Location where = Location::current())
{
    poll_until(
        [&] { return std::ranges::all_of(crowd, [](const auto& one) { return one->is_done(); }); },
        default_limit,
        where
    );
    for (const auto& one : crowd) {
        one->take();
    }
}

asio::awaitable<void>
work_inside(AsyncSemaphore& semaphore, Tally& tally, std::int64_t limit, int times)
{
    for (int i = 0; i < times; ++i) {
        auto result = co_await semaphore.acquire();
        tally.count(result);
        tally.enter(limit);
        co_await asio::post(asio::use_awaitable);
        tally.inside.fetch_sub(1);
        result = errc::stopping;
    }
}

} // namespace

TEST_CASE("async_semaphore: never more are inside than there are permits", "[async][semaphore]")
{
    const int permits = GENERATE(1, 2, 64);
    constexpr int workers = 100;
    constexpr int times = 20 * scale;
    asio::thread_pool pool(4);
    AsyncSemaphore semaphore(
        pool.get_executor(), SemaphoreOptions().permits(static_cast<std::size_t>(permits))
    );
    Tally tally;
    Crowd crowd;
    for (int i = 0; i < workers; ++i) {
        crowd.push_back(
            spawn_coro(pool.get_executor(), work_inside(semaphore, tally, permits, times))
        );
    }
    wait_for(crowd);
    CHECK_FALSE(tally.overran);
    CHECK(tally.granted == std::uint64_t{workers} * times);
    const auto metrics = run_coro_on(pool.get_executor(), semaphore.metrics());
    CHECK(tally.agrees_with(metrics));
    CHECK(metrics.waits.count() == tally.granted);
    pool.join();
}

namespace {

/// A worker whose waits are cancelled, refused, timed out and granted, as chance has it. Its signal
/// is used on its strand only.
struct Worker {
    Worker(const asio::any_io_executor& executor, std::uint64_t seed)
        : strand(asio::make_strand(executor)), random(seed)
    {
    }

    bool is_heads() { return (random() & 1U) != 0; }

    asio::strand<asio::any_io_executor> strand;
    std::mt19937_64 random;
    asio::cancellation_signal signal;
};

asio::awaitable<void>
contend(AsyncSemaphore& semaphore, Worker& worker, Tally& tally, std::int64_t limit, int times)
{
    constexpr std::array types{
        asio::cancellation_type::terminal,
        asio::cancellation_type::partial,
        asio::cancellation_type::total
    };
    for (int i = 0; i < times; ++i) {
        if (worker.is_heads()) {
            // Comes while the wait lasts, or before it, or after: as the threads have it.
            asio::post(worker.strand, [&worker, type = types[worker.random() % 3]] {
                worker.signal.emit(type);
            });
        }
        const Duration length =
            worker.is_heads() ? Duration(worker.random() % 50'000) : Duration::max();
        auto token = asio::bind_cancellation_slot(worker.signal.slot(), asio::use_awaitable);
        auto result = co_await semaphore.async_acquire(length, std::move(token));
        tally.count(result);
        if (result.has_value()) {
            tally.enter(limit);
            if (worker.is_heads()) {
                co_await asio::post(asio::use_awaitable);
            }
            tally.inside.fetch_sub(1);
            result->release();
        }
        tally.count(result = semaphore.try_acquire());
    }
}

} // namespace

TEST_CASE(
    "async_semaphore: cancellations, deadlines and releases race, and the ledger holds",
    "[async][semaphore]"
)
{
    const auto seed = announced_seed();
    constexpr int workers = 12;
    constexpr int times = 100 * scale;
    constexpr int permits = 2;
    asio::thread_pool pool(4);
    AsyncSemaphore semaphore(
        pool.get_executor(), SemaphoreOptions().permits(permits).max_waiters(8)
    );
    Tally tally;
    std::vector<std::unique_ptr<Worker>> crew;
    Crowd crowd;
    for (std::uint64_t i = 0; i < workers; ++i) {
        auto& worker = *crew.emplace_back(std::make_unique<Worker>(pool.get_executor(), seed + i));
        crowd.push_back(spawn_coro(worker.strand, contend(semaphore, worker, tally, permits, times))
        );
    }
    bool ledger_holds = true;
    asio::io_context here;
    poll_until([&] {
        ledger_holds = ledger_holds && run_coro(here, semaphore.metrics()).ledger_holds();
        return std::ranges::all_of(crowd, [](const auto& one) { return one->is_done(); });
    });
    CHECK(ledger_holds);
    CHECK_FALSE(tally.overran);
    pool.join();
    const auto metrics = run_coro(here, semaphore.metrics());
    CHECK(tally.agrees_with(metrics));
    CHECK(metrics.entered == std::uint64_t{workers} * times * 2);
}

namespace {

asio::awaitable<void> wait_a_moment(AsyncSemaphore& semaphore, Tally& tally, int times)
{
    for (int i = 0; i < times; ++i) {
        auto result = co_await semaphore.acquire(1ms);
        tally.count(result);
        if (result.has_value()) {
            tally.enter(1);
            co_await asio::post(asio::use_awaitable);
            tally.inside.fetch_sub(1);
        }
    }
}

} // namespace

TEST_CASE("async_semaphore: deadlines race grants", "[async][semaphore]")
{
    constexpr int workers = 8;
    constexpr int times = 30 * scale;
    asio::thread_pool pool(2);
    const auto clock = std::make_shared<testing::ManualClock>();
    AsyncSemaphore semaphore(pool.get_executor(), SemaphoreOptions(), clock);
    Tally tally;
    Crowd crowd;
    for (int i = 0; i < workers; ++i) {
        crowd.push_back(spawn_coro(pool.get_executor(), wait_a_moment(semaphore, tally, times)));
    }
    poll_until([&] {
        // Whoever waits is due now, and whoever is inside gives back meanwhile.
        clock->advance(1ms);
        return std::ranges::all_of(crowd, [](const auto& one) { return one->is_done(); });
    });
    CHECK_FALSE(tally.overran);
    CHECK(tally.granted + tally.timed_out == std::uint64_t{workers} * times);
    CHECK(tally.agrees_with(run_coro_on(pool.get_executor(), semaphore.metrics())));
    CHECK(clock->waiting() == 0);
    pool.join();
}

namespace {

asio::awaitable<void> work_until_closed(
    AsyncSemaphore& semaphore,
    std::atomic<bool>& is_closed,
    Tally& tally,
    std::atomic<bool>& reopened
)
{
    for (bool goes_on = true; goes_on;) {
        const bool was_closed = is_closed.load();
        const auto result = co_await semaphore.acquire();
        tally.count(result);
        goes_on = result.has_value();
        if (was_closed && goes_on) {
            reopened.store(true);
        }
        co_await asio::post(asio::use_awaitable);
    }
}

} // namespace

TEST_CASE(
    "async_semaphore: closing races those who come, who wait and who give back",
    "[async][semaphore]"
)
{
    constexpr int rounds = 10 * scale;
    constexpr int workers = 8;
    for (int round = 0; round < rounds; ++round) {
        asio::thread_pool pool(3);
        AsyncSemaphore semaphore(pool.get_executor(), SemaphoreOptions().permits(2));
        std::atomic<bool> is_closed{false};
        std::atomic<bool> reopened{false};
        Tally tally;
        Crowd crowd;
        for (int i = 0; i < workers; ++i) {
            crowd.push_back(spawn_coro(
                pool.get_executor(), work_until_closed(semaphore, is_closed, tally, reopened)
            ));
        }
        poll_until([&] { return tally.granted >= 20; });
        semaphore.close();
        is_closed.store(true);
        wait_for(crowd);
        pool.join();
        asio::io_context here;
        const auto metrics = run_coro(here, semaphore.metrics());
        const bool is_right = !reopened && tally.stopping == workers && tally.agrees_with(metrics);
        if (!is_right) {
            FAIL("round " << round);
        }
    }
}

namespace {

asio::awaitable<void> give_back_and_take(AsyncSemaphore& semaphore, int times, int& refused)
{
    for (int i = 0; i < times; ++i) {
        const auto result = co_await semaphore.acquire();
        refused += result.has_error() ? 1 : 0;
    }
}

} // namespace

TEST_CASE("async_semaphore: one who gave back what he needs is never refused", "[async][semaphore]")
{
    // As many permits as workers and nobody may wait: a refusal is a permit that was overlooked.
    constexpr std::size_t workers = 4;
    constexpr int times = 2000 * scale;
    asio::thread_pool pool(workers);
    AsyncSemaphore semaphore(
        pool.get_executor(), SemaphoreOptions().permits(workers).max_waiters(0)
    );
    std::array<int, workers> refused{};
    Crowd crowd;
    for (auto& of_one : refused) {
        crowd.push_back(
            spawn_coro(pool.get_executor(), give_back_and_take(semaphore, times, of_one))
        );
    }
    wait_for(crowd);
    CHECK(refused == std::array<int, workers>{});
    CHECK(run_coro_on(pool.get_executor(), semaphore.metrics()).held == 0);
    pool.join();
}

TEST_CASE("async_semaphore: the number of permits changes while many work", "[async][semaphore]")
{
    const auto seed = announced_seed();
    constexpr std::int64_t most = 8;
    constexpr int workers = 20;
    constexpr int times = 50 * scale;
    asio::thread_pool pool(3);
    AsyncSemaphore semaphore(pool.get_executor(), SemaphoreOptions().permits(1));
    Tally tally;
    Crowd crowd;
    for (int i = 0; i < workers; ++i) {
        crowd.push_back(spawn_coro(pool.get_executor(), work_inside(semaphore, tally, most, times))
        );
    }
    std::mt19937_64 random(seed);
    poll_until([&] {
        const auto resized = semaphore.resize(random() % (most + 1));
        return resized.has_error() ||
               std::ranges::all_of(crowd, [&](const auto& one) { return one->is_done(); }) ||
               (random() % 64 == 0 && semaphore.resize(most).has_error());
    });
    CHECK(semaphore.resize(most).has_value());
    wait_for(crowd);
    CHECK_FALSE(tally.overran);
    CHECK(tally.agrees_with(run_coro_on(pool.get_executor(), semaphore.metrics())));
    pool.join();
}

TEST_CASE("async_semaphore: permits are given back in any thread", "[async][semaphore]")
{
    constexpr std::size_t threads_count = 3;
    constexpr int times = 500 * scale;
    asio::io_context context;
    ContextThreads threads(context, 2);
    AsyncSemaphore semaphore(context.get_executor(), SemaphoreOptions().permits(2));
    std::atomic<int> told{0};
    std::vector<std::thread> others;
    for (std::size_t i = 0; i < threads_count; ++i) {
        others.emplace_back([&] {
            for (int round = 0; round < times; ++round) {
                if (auto tried = semaphore.try_acquire()) {
                    tried->release();
                }
                semaphore.async_acquire(1h, [&told](const Result<Permit>& /*result*/) {
                    told.fetch_add(1);
                });
            }
        });
    }
    for (auto& thread : others) {
        thread.join();
    }
    poll_until([&] { return told == static_cast<int>(threads_count) * times; });
    asio::io_context here;
    poll_until([&] { return run_coro(here, semaphore.metrics()).held == 0; });
    CHECK(run_coro(here, semaphore.metrics()).ledger_holds());
    threads.finish();
}

} // namespace sojourn::tests

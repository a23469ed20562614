// The end of a semaphore, another number of permits, and what the counters say of both.

#include "async/semaphore_bench.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <array>
#include <vector>

using namespace std::chrono_literals;

namespace sojourn::tests {

TEST_CASE("async_semaphore: closing refuses all who wait and all who come", "[async][semaphore]")
{
    SemaphoreBench bench;
    auto held = bench.take();
    std::array<Outcome, 3> waiting;
    bench.acquire(waiting[0]);
    bench.acquire(waiting[1], 10ms);
    bench.acquire(waiting[2]);
    const int times = GENERATE(1, 2);
    for (int i = 0; i < times; ++i) {
        bench.semaphore->close();
    }
    // In one turn.
    CHECK(bench.metrics().waiting == 0);
    Outcome late;
    bench.acquire(late);
    bench.settle();
    CHECK(std::ranges::all_of(waiting, [](const Outcome& outcome) {
        return is_refused(outcome, errc::stopping);
    }));
    CHECK(is_refused(late, errc::stopping));
    // What comes back late opens nothing.
    CHECK(held);
    CHECK(bench.metrics().held == 1);
    held.release();
    CHECK(bench.metrics().held == 0);
    CHECK(bench.semaphore->resize(5).has_value());
    bench.semaphore->close();
    CHECK(bench.semaphore->try_acquire().error() == errc::stopping);
    CHECK(run_coro(bench.context, bench.semaphore->acquire()).error() == errc::stopping);
    CHECK(run_coro(bench.context, bench.semaphore->acquire(0ns)).error() == errc::stopping);
    CHECK(bench.metrics().refused_stopping == 7);
    CHECK(bench.metrics().ledger_holds());
    CHECK(bench.clock->manual.waiting() == 0);
}

TEST_CASE("async_semaphore: a release after the closing wakes nobody", "[async][semaphore]")
{
    // Both are read in the same turn.
    SemaphoreBench bench;
    auto held = bench.take();
    Outcome waiting;
    bench.acquire(waiting);
    bench.while_busy([&] {
        bench.semaphore->close();
        held.release();
        CHECK(bench.semaphore->resize(3).has_value());
    });
    bench.settle();
    CHECK(is_refused(waiting, errc::stopping));
    CHECK(bench.metrics().held == 0);
    CHECK(bench.metrics().granted == 1);
    CHECK(bench.metrics().ledger_holds());
}

TEST_CASE("async_semaphore: what was granted before the closing is delivered", "[async][semaphore]")
{
    SemaphoreBench bench;
    auto held = bench.take();
    Outcome waiting;
    bench.acquire(waiting);
    held.release();
    bench.semaphore->close();
    bench.settle();
    CHECK(is_granted(waiting));
    waiting.reset();
    CHECK(bench.metrics().held == 0);
}

TEST_CASE("async_semaphore: more permits go to those who wait", "[async][semaphore]")
{
    SemaphoreBench bench(SemaphoreOptions().permits(0));
    std::array<Outcome, 5> outcomes;
    for (auto& outcome : outcomes) {
        bench.acquire(outcome);
    }
    CHECK(bench.semaphore->resize(3).has_value());
    bench.settle();
    CHECK(std::ranges::count_if(outcomes, is_granted) == 3);
    CHECK(is_granted(outcomes[2]));
    CHECK(bench.metrics().held == 3);
    CHECK(bench.metrics().limit == 3);
    CHECK(bench.semaphore->resize(5).has_value());
    bench.settle();
    CHECK(std::ranges::all_of(outcomes, is_granted));
    CHECK(bench.semaphore->resize(6).has_value());
    CHECK(bench.semaphore->try_acquire().has_value());
}

TEST_CASE("async_semaphore: fewer permits come about as they are given back", "[async][semaphore]")
{
    const std::size_t fewer = GENERATE(0U, 1U, 2U);
    SemaphoreBench bench(SemaphoreOptions().permits(4));
    std::vector<Permit> held;
    for (int i = 0; i < 4; ++i) {
        held.push_back(bench.take());
    }
    std::array<Outcome, 2> outcomes;
    for (auto& outcome : outcomes) {
        bench.acquire(outcome);
    }
    CHECK(bench.semaphore->resize(fewer).has_value());
    CHECK(bench.metrics().held == 4);
    CHECK(bench.metrics().limit == fewer);
    while (held.size() > fewer) {
        held.pop_back();
        bench.settle();
        CHECK_FALSE(outcomes[0].has_value());
    }
    CHECK(bench.metrics().held == fewer);
    held.clear();
    bench.settle();
    CHECK(is_granted(outcomes[0]) == (fewer >= 1));
    CHECK(is_granted(outcomes[1]) == (fewer >= 2));
    CHECK(bench.semaphore->resize(2).has_value());
    bench.settle();
    CHECK(is_granted(outcomes[0]));
    CHECK(is_granted(outcomes[1]));
    CHECK(bench.metrics().ledger_holds());
}

TEST_CASE("async_semaphore: the ledger holds in every snapshot", "[async][semaphore]")
{
    SemaphoreBench bench(SemaphoreOptions().permits(1).max_waiters(2));
    std::vector<SemaphoreMetrics> snapshots;
    const auto look = [&] { snapshots.push_back(bench.metrics()); };
    look();
    auto held = bench.take();
    look();
    std::array<Outcome, 3> outcomes;
    bench.acquire(outcomes[0]);
    look();
    bench.acquire(outcomes[1], 5ms);
    look();
    bench.acquire(outcomes[2]);
    look();
    bench.advance(5ms);
    look();
    held.release();
    look();
    bench.semaphore->close();
    look();
    CHECK(bench.semaphore->try_acquire().has_error());
    look();
    for (const auto& snapshot : snapshots) {
        CHECK(snapshot.ledger_holds());
        CHECK(snapshot.limit == 1);
    }
    const auto& last = snapshots.back();
    CHECK(last.entered == 5);
    CHECK(last.granted == 2);
    CHECK(last.timed_out == 1);
    CHECK(last.refused_overloaded == 1);
    CHECK(last.refused_stopping == 1);
    CHECK(last.held == 1);
    CHECK(last.waiting == 0);
}

TEST_CASE("async_semaphore: the histogram counts the waits of those served", "[async][semaphore]")
{
    SemaphoreBench bench;
    auto held = bench.take();
    Outcome served;
    Outcome late;
    bench.acquire(served);
    bench.acquire(late, 3us);
    bench.advance(3us);
    bench.advance(1021ns);
    held.release();
    bench.settle();
    CHECK(is_granted(served));
    CHECK(is_refused(late, errc::timed_out));
    const auto waits = bench.metrics().waits;
    CHECK(waits.count() == 2);
    CHECK(waits.sum_ns() == 4021);
    CHECK(waits.buckets()[0] == 1);
    // From 2,048 to 4,095 ns.
    CHECK(waits.buckets()[12] == 1);
    CHECK(WaitHistogram::upper_bound(12) == 4096ns);
    // Who comes and is refused is told how long others waited.
    SemaphoreBench small(SemaphoreOptions().max_waiters(0));
    CHECK(small.metrics().waits.count() == 0);
}

TEST_CASE("async_semaphore: metrics complete with any token", "[async][semaphore]")
{
    SemaphoreBench bench;
    auto held = bench.take();
    std::optional<SemaphoreMetrics> told;
    bench.semaphore->async_metrics([&](const SemaphoreMetrics& metrics) { told = metrics; });
    CHECK_FALSE(told.has_value());
    bench.settle();
    REQUIRE(told.has_value());
    CHECK(told->held == 1);
    CHECK(told == bench.metrics());
}

} // namespace sojourn::tests

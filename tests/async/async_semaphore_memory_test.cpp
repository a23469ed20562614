// Each allocation fails in turn. Whoever cannot be told is let go; no permit is lost and nobody who
// comes later finds a semaphore that is stuck.

#include "async/each_allocation.hpp"
#include "async/semaphore_bench.hpp"
#include "support/allocations.hpp"
#include "support/completion_probe.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <memory>
#include <new>
#include <optional>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

struct Seen {
    int granted = 0;
    int refused = 0;
    int threw = 0;
};

asio::awaitable<void> acquire_once(AsyncSemaphore& semaphore, Duration limit, Seen& seen)
{
    try {
        const auto result = co_await semaphore.acquire(limit);
        ++(result.has_value() ? seen.granted : seen.refused);
    } catch (const std::bad_alloc&) {
        ++seen.threw;
    }
}

/// Runs what is ready, whatever escapes.
void run_all(asio::io_context& context)
{
    for (;;) {
        try {
            run_ready(context);
            return;
        } catch (const std::bad_alloc&) {
            // 1.83's co_spawn lets one out.
        }
    }
}

/// Whether all is as if nobody had ever asked.
void check_nothing_lost(SemaphoreBench& bench)
{
    renew_inline_budget();
    const auto metrics = bench.metrics();
    CHECK(metrics.held == 0);
    CHECK(metrics.waiting == 0);
    CHECK(metrics.ledger_holds());
    CHECK(bench.semaphore->try_acquire().has_value());
    CHECK(run_coro(bench.context, bench.semaphore->acquire()).has_value());
    CHECK(bench.clock->manual.waiting() == 0);
}

} // namespace

TEST_CASE("async_semaphore: a coroutine's wait fails or is served", "[async][semaphore][memory]")
{
    const auto limit = GENERATE(Duration::max(), Duration(1h));
    const bool is_free = GENERATE(false, true);
    const int failures = for_each_allocation([&](int n) {
        SemaphoreBench bench;
        Permit held;
        if (!is_free) {
            held = bench.take();
        }
        Seen seen;
        renew_inline_budget();
        spawn_coro(bench.context.get_executor(), acquire_once(*bench.semaphore, limit, seen));
        bool has_failed = false;
        {
            const FailingNew failing(n);
            run_all(bench.context);
            held.release();
            run_all(bench.context);
            has_failed = failing.has_failed();
        }
        run_all(bench.context);
        CHECK(seen.granted + seen.threw <= 1);
        CHECK(seen.refused == 0);
        CHECK((has_failed || seen.granted == 1));
        check_nothing_lost(bench);
        return has_failed;
    });
    CHECK(failures >= fewest_failures);
}

TEST_CASE("async_semaphore: a handler's wait fails or is served", "[async][semaphore][memory]")
{
    const auto limit = GENERATE(Duration::max(), Duration(1h));
    const bool is_free = GENERATE(false, true);
    const int failures = for_each_allocation([&](int n) {
        SemaphoreBench bench;
        Permit held;
        if (!is_free) {
            held = bench.take();
        }
        CompletionProbe probe;
        asio::cancellation_signal signal;
        bool has_failed = false;
        bool threw = false;
        {
            auto handler = asio::bind_cancellation_slot(signal.slot(), probe.handler());
            const FailingNew failing(n);
            try {
                bench.semaphore->async_acquire(limit, std::move(handler));
            } catch (const std::bad_alloc&) {
                threw = true;
            }
            held.release();
            run_all(bench.context);
            has_failed = failing.has_failed();
        }
        run_all(bench.context);
        // One whose start failed is not told.
        CHECK(probe.completions() + (threw ? 1 : 0) <= 1);
        CHECK((has_failed || probe.completions() == 1));
        CHECK(probe.live_handlers() == 0);
        check_nothing_lost(bench);
        return has_failed;
    });
    CHECK(failures >= fewest_failures);
}

TEST_CASE(
    "async_semaphore: a deadline or a cancellation without memory loses nothing",
    "[async][semaphore][memory]"
)
{
    const bool by_deadline = GENERATE(false, true);
    for_each_allocation([&](int n) {
        SemaphoreBench bench;
        auto held = bench.take();
        CompletionProbe probe;
        asio::cancellation_signal signal;
        bench.semaphore->async_acquire(
            10ms, asio::bind_cancellation_slot(signal.slot(), probe.handler())
        );
        bool has_failed = false;
        {
            const FailingNew failing(n);
            if (by_deadline) {
                bench.clock->manual.advance(10ms);
            } else {
                signal.emit(asio::cancellation_type::partial);
            }
            run_all(bench.context);
            has_failed = failing.has_failed();
        }
        run_all(bench.context);
        // If the timer itself was lost, the next who comes notices that it is late.
        CHECK(bench.semaphore->try_acquire().has_error());
        run_all(bench.context);
        CHECK(probe.live_handlers() == 0);
        CHECK((has_failed || probe.completions() == 1));
        held.release();
        check_nothing_lost(bench);
        return has_failed;
    });
}

namespace {

/// Tries to take a permit when it is destroyed, as no code of a user's could inside a turn.
class Trier {
public:
    Trier(AsyncSemaphore& semaphore, int& granted, int& dropped)
        : semaphore_(&semaphore), granted_(granted), dropped_(dropped)
    {
    }

    Trier(Trier&& other) noexcept
        : semaphore_(std::exchange(other.semaphore_, nullptr)),
          granted_(other.granted_),
          dropped_(other.dropped_)
    {
    }

    Trier(const Trier&) = delete;
    Trier& operator=(const Trier&) = delete;
    Trier& operator=(Trier&&) = delete;

    ~Trier()
    {
        if (semaphore_ != nullptr) {
            ++dropped_;
            if (const auto tried = semaphore_->try_acquire()) {
                ++granted_;
            }
        }
    }

private:
    AsyncSemaphore* semaphore_;
    int& granted_;
    int& dropped_;
};

} // namespace

TEST_CASE(
    "async_semaphore: who cannot be told is dropped outside the turn", "[async][semaphore][memory]"
)
{
    const int count = GENERATE(1, 3, 50'000);
    SemaphoreBench bench(SemaphoreOptions().max_waiters(50'000));
    auto held = bench.take();
    int granted = 0;
    int dropped = 0;
    int told = 0;
    for (int i = 0; i < count; ++i) {
        bench.semaphore->async_acquire([trier = Trier(*bench.semaphore, granted, dropped),
                                        &told](const Result<Permit>&) { ++told; });
    }
    {
        // From one to the next, as none can be told.
        const FailingNew failing(1, FailingNew::Repeat::yes);
        held.release();
    }
    CHECK(dropped == count);
    CHECK(granted == count);
    CHECK(told == 0);
    bench.settle();
    CHECK(bench.metrics().granted == 1 + 2 * static_cast<std::uint64_t>(count));
    check_nothing_lost(bench);
}

TEST_CASE(
    "async_semaphore: a permit that cannot be told of goes to the next",
    "[async][semaphore][memory]"
)
{
    const int failures = for_each_allocation([](int n) {
        SemaphoreBench bench;
        auto held = bench.take();
        CompletionProbe first;
        CompletionProbe second;
        bench.semaphore->async_acquire(first.handler());
        bench.semaphore->async_acquire(second.handler());
        bool has_failed = false;
        {
            const FailingNew failing(n);
            held.release();
            has_failed = failing.has_failed();
        }
        run_all(bench.context);
        CHECK(first.completions() == (has_failed ? 0 : 1));
        CHECK(second.completions() == 1);
        CHECK(first.live_handlers() + second.live_handlers() == 0);
        check_nothing_lost(bench);
        return has_failed;
    });
    CHECK(failures >= fewest_failures);
}

TEST_CASE("async_semaphore: closing and destroying need no memory", "[async][semaphore][memory]")
{
    const bool by_destructor = GENERATE(false, true);
    SemaphoreBench bench;
    auto held = bench.take();
    CompletionProbe probe;
    for (int i = 0; i < 100; ++i) {
        bench.semaphore->async_acquire(probe.handler());
    }
    {
        const FailingNew failing(1, FailingNew::Repeat::yes);
        if (by_destructor) {
            bench.semaphore.reset();
        } else {
            bench.semaphore->close();
        }
        held.release();
    }
    bench.settle();
    // None could be told.
    CHECK(probe.completions() == 0);
    CHECK(probe.live_handlers() == 0);
}

TEST_CASE(
    "async_semaphore: trying, giving back and resizing take no memory", "[async][semaphore][memory]"
)
{
    SemaphoreBench bench;
    const auto before = allocations_made();
    {
        auto permit = bench.semaphore->try_acquire();
        (void)bench.semaphore->try_acquire();
        permit->release();
        (void)bench.semaphore->resize(3);
    }
    CHECK(allocations_made() == before);
}

TEST_CASE("async_semaphore: construction fails cleanly", "[async][semaphore][memory]")
{
    const int failures = for_each_allocation([](int n) {
        asio::io_context context;
        const FailingNew failing(n);
        try {
            const AsyncSemaphore semaphore(context.get_executor());
        } catch (const std::bad_alloc&) {
            return true;
        }
        return failing.has_failed();
    });
    CHECK(failures >= 1);
}

} // namespace sojourn::tests

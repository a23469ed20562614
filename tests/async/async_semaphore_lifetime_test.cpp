// The ends of semaphores, permits and contexts, in every order that is allowed, with waits in
// progress. ASan, run with Asio's recycling off, and LSan are the judges of most of these.

#include "async/semaphore_bench.hpp"
#include "support/face.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

constexpr int count = 20;

/// What the waits leave behind.
struct WaitLog {
    int alive = 0;
    int granted = 0;
    int stopped = 0;
};

using SharedSemaphore = std::shared_ptr<AsyncSemaphore>;

/// Held by whoever waits: a permit of another kind, and perhaps the semaphore itself.
class WaitGuard {
public:
    WaitGuard(WaitLog& log, Permit permit, SharedSemaphore semaphore)
        : log_(&log), permit_(std::move(permit)), semaphore_(std::move(semaphore))
    {
        ++log_->alive;
    }

    WaitGuard(WaitGuard&& other) noexcept
        : log_(std::exchange(other.log_, nullptr)),
          permit_(std::move(other.permit_)),
          semaphore_(std::move(other.semaphore_))
    {
    }

    WaitGuard(const WaitGuard&) = delete;
    WaitGuard& operator=(const WaitGuard&) = delete;
    WaitGuard& operator=(WaitGuard&&) = delete;

    ~WaitGuard()
    {
        if (log_ != nullptr) {
            --log_->alive;
        }
    }

    void note(const Result<Permit>& result) const
    {
        log_->granted += result.has_value() ? 1 : 0;
        log_->stopped += result.has_error() && result.error() == errc::stopping ? 1 : 0;
    }

private:
    WaitLog* log_;
    Permit permit_;
    SharedSemaphore semaphore_;
};

asio::awaitable<void> wait_with(AsyncSemaphore& semaphore, WaitGuard guard, Duration limit)
{
    const auto result = co_await semaphore.acquire(limit);
    guard.note(result);
}

/// Begins `count` waits of callers on `theirs`, some with a deadline, each with one of the permits
/// that it does not wait for in `held`.
void begin_waits(
    asio::io_context& theirs,
    const SharedSemaphore& semaphore,
    WaitLog& log,
    Face face,
    bool they_own
)
{
    for (int i = 0; i < count; ++i) {
        auto permit = semaphore->try_acquire();
        WaitGuard guard(
            log, permit.has_value() ? std::move(*permit) : Permit(), they_own ? semaphore : nullptr
        );
        const Duration limit = i % 2 == 0 ? Duration::max() : Duration(1h);
        if (face == Face::coroutine) {
            spawn_coro(theirs.get_executor(), wait_with(*semaphore, std::move(guard), limit));
        } else {
            auto note = [guard = std::move(guard)](const Result<Permit>& result) {
                guard.note(result);
            };
            // Not before they all hold one: the first would get what the last is to hold.
            asio::post(theirs, [&theirs, semaphore, limit, note = std::move(note)]() mutable {
                semaphore->async_acquire(
                    limit, asio::bind_executor(theirs.get_executor(), std::move(note))
                );
            });
        }
    }
    run_ready(theirs);
}

SemaphoreOptions options()
{
    return SemaphoreOptions().permits(count);
}

} // namespace

TEST_CASE("async_semaphore: the context ends first, with waits", "[async][semaphore][lifetime]")
{
    // Each waits for a permit that another one holds, so each that goes gives one back.
    const auto face = GENERATE(Face::coroutine, Face::handler);
    const bool they_own = GENERATE(false, true);
    const bool on_strand = GENERATE(false, true);
    const bool has_real_clock = GENERATE(false, true);
    WaitLog log;
    SharedSemaphore semaphore;
    std::weak_ptr<AsyncSemaphore> watch;
    {
        asio::io_context context;
        const auto executor = on_strand ? asio::any_io_executor(asio::make_strand(context))
                                        : asio::any_io_executor(context.get_executor());
        const auto clock = has_real_clock ? std::shared_ptr<Clock>(std::make_shared<SystemClock>())
                                          : std::make_shared<testing::ManualClock>();
        semaphore = std::make_shared<AsyncSemaphore>(executor, options(), clock);
        watch = semaphore;
        begin_waits(context, semaphore, log, face, they_own);
        CHECK(log.alive == count);
        if (they_own) {
            semaphore.reset();
        }
    }
    CHECK(log.alive == 0);
    CHECK(log.granted == 0);
    if (semaphore != nullptr) {
        CHECK(semaphore->try_acquire().error() == errc::stopping);
        asio::io_context other;
        CHECK(run_coro(other, semaphore->metrics()).held == 0);
        CHECK(run_coro(other, semaphore->metrics()).ledger_holds());
        semaphore.reset();
    }
    CHECK(watch.expired());
}

TEST_CASE("async_semaphore: the semaphore goes first, with waits", "[async][semaphore][lifetime]")
{
    const auto face = GENERATE(Face::coroutine, Face::handler);
    const bool context_runs_on = GENERATE(false, true);
    WaitLog log;
    {
        asio::io_context context;
        auto clock = std::make_shared<testing::ManualClock>();
        auto semaphore = std::make_shared<AsyncSemaphore>(context.get_executor(), options(), clock);
        begin_waits(context, semaphore, log, face, false);
        semaphore.reset();
        // Told by post.
        CHECK(log.stopped == 0);
        CHECK(log.alive == count);
        if (context_runs_on) {
            run_ready(context);
            CHECK(log.stopped == count);
            CHECK(log.alive == 0);
            CHECK(clock->waiting() == 0);
        }
    }
    CHECK(log.alive == 0);
    CHECK(log.granted == 0);
}

TEST_CASE("async_semaphore: permits may go last", "[async][semaphore][lifetime]")
{
    const bool context_first = GENERATE(false, true);
    std::vector<Permit> permits;
    std::optional<asio::io_context> context(std::in_place);
    std::optional<AsyncSemaphore> semaphore(
        std::in_place, context->get_executor(), SemaphoreOptions().permits(3)
    );
    for (int i = 0; i < 3; ++i) {
        permits.push_back(semaphore->try_acquire().value());
    }
    Outcome outcome;
    semaphore->async_acquire(1h, noting(outcome));
    if (context_first) {
        context.reset();
        permits.pop_back();
        semaphore.reset();
    } else {
        semaphore.reset();
        permits.pop_back();
        context.reset();
    }
    CHECK_FALSE(outcome.has_value());
    permits.clear();
}

TEST_CASE(
    "async_semaphore: permits that were granted and not delivered come back",
    "[async][semaphore][lifetime]"
)
{
    WaitLog log;
    SemaphoreBench bench;
    auto held = bench.take();
    asio::io_context other;
    {
        asio::io_context theirs;
        bench.semaphore->async_acquire(asio::bind_executor(
            theirs.get_executor(),
            [guard = WaitGuard(log, Permit(), nullptr)](const Result<Permit>&) {}
        ));
        held.release();
        CHECK(bench.metrics().held == 1);
    }
    CHECK(log.alive == 0);
    CHECK(bench.metrics().held == 0);
}

TEST_CASE(
    "async_semaphore: the home ends before the callers' context", "[async][semaphore][lifetime]"
)
{
    const auto face = GENERATE(Face::coroutine, Face::handler);
    const bool theirs_runs_on = GENERATE(false, true);
    WaitLog log;
    std::optional<asio::io_context> theirs(std::in_place);
    std::optional<asio::io_context> home(std::in_place);
    auto semaphore = std::make_shared<AsyncSemaphore>(home->get_executor(), options());
    begin_waits(*theirs, semaphore, log, face, false);
    CHECK(log.alive == count);
    home.reset();
    if (theirs_runs_on) {
        run_ready(*theirs);
        CHECK(log.alive == 0);
        CHECK(theirs->stopped());
    }
    theirs.reset();
    CHECK(log.alive == 0);
    CHECK(log.granted == 0);
    CHECK(semaphore->try_acquire().error() == errc::stopping);
}

TEST_CASE(
    "async_semaphore: the context ends while notes wait for it", "[async][semaphore][lifetime]"
)
{
    // The gate has handed its work to the context, which never runs again: whatever was noted since
    // is read when the gate is told of the end, and that is before the semaphore is.
    const auto note = GENERATE(0, 1, 2, 3);
    const bool on_strand = GENERATE(false, true);
    WaitLog log;
    asio::io_context theirs;
    Outcome with_theirs;
    int told = 0;
    Permit held;
    SharedSemaphore semaphore;
    {
        asio::io_context context;
        const auto clock = std::make_shared<IntrudingClock>();
        const auto executor = on_strand ? asio::any_io_executor(asio::make_strand(context))
                                        : asio::any_io_executor(context.get_executor());
        semaphore = std::make_shared<AsyncSemaphore>(executor, SemaphoreOptions(), clock);
        held = semaphore->try_acquire().value();
        asio::cancellation_signal signal;
        semaphore->async_acquire(asio::bind_cancellation_slot(
            signal.slot(),
            [guard = WaitGuard(log, Permit(), nullptr)](const Result<Permit>& result) {
                guard.note(result);
            }
        ));
        semaphore->async_acquire(asio::bind_executor(theirs.get_executor(), noting(with_theirs)));
        clock->when_asked([&] {
            for (int i = 0; i < 100; ++i) {
                semaphore->async_metrics([&told](const SemaphoreMetrics&) { ++told; });
            }
            switch (note) {
            case 0:
                held.release();
                break;
            case 1:
                signal.emit(asio::cancellation_type::terminal);
                break;
            case 2:
                semaphore->close();
                break;
            default:
                semaphore->async_acquire([guard = WaitGuard(log, Permit(), nullptr)](
                                             const Result<Permit>& result
                                         ) { guard.note(result); });
                break;
            }
        });
        semaphore->async_acquire(Duration::zero(), [](const Result<Permit>&) {});
        CHECK(clock->was_asked());
        CHECK(log.alive == (note == 3 ? 2 : 1));
    }
    CHECK(log.alive == 0);
    CHECK(log.granted == 0);
    CHECK(told == 0);
    run_ready(theirs);
    CHECK(theirs.stopped());
    held.release();
    CHECK(semaphore->try_acquire().error() == errc::stopping);
    with_theirs.reset();
    CHECK(run_coro(theirs, semaphore->metrics()).held == 0);
}

TEST_CASE("async_semaphore: waits end with a thread pool", "[async][semaphore][lifetime]")
{
    WaitLog log;
    SharedSemaphore semaphore;
    {
        asio::thread_pool pool(2);
        semaphore = std::make_shared<AsyncSemaphore>(pool.get_executor());
        auto held = semaphore->try_acquire();
        std::vector<Outcome> outcomes(10);
        for (auto& outcome : outcomes) {
            semaphore->async_acquire(1h, noting(outcome));
        }
        spawn_coro(
            pool.get_executor(),
            wait_with(*semaphore, WaitGuard(log, Permit(), nullptr), Duration::max())
        );
        asio::io_context other;
        poll_until([&] { return run_coro(other, semaphore->metrics()).waiting == 11; });
        pool.stop();
        pool.join();
    }
    CHECK(log.alive == 0);
    CHECK(semaphore->try_acquire().error() == errc::stopping);
}

TEST_CASE("async_semaphore: a handler may destroy the semaphore", "[async][semaphore][lifetime]")
{
    SemaphoreBench bench;
    auto held = bench.take();
    Outcome last;
    bench.semaphore->async_acquire([&](const Result<Permit>&) { bench.semaphore.reset(); });
    bench.acquire(last, 1h);
    held.release();
    bench.settle();
    CHECK(is_refused(last, errc::stopping));
    CHECK(bench.clock->manual.waiting() == 0);
}

TEST_CASE(
    "async_semaphore: two semaphores whose waits hold each other end",
    "[async][semaphore][lifetime]"
)
{
    WaitLog log;
    {
        asio::io_context context;
        auto one = std::make_shared<AsyncSemaphore>(context.get_executor());
        auto two = std::make_shared<AsyncSemaphore>(context.get_executor());
        auto of_one = one->try_acquire().value();
        auto of_two = two->try_acquire().value();
        spawn_coro(
            context.get_executor(),
            wait_with(*one, WaitGuard(log, std::move(of_two), two), Duration::max())
        );
        spawn_coro(
            context.get_executor(), wait_with(*two, WaitGuard(log, std::move(of_one), one), 1h)
        );
        run_ready(context);
    }
    CHECK(log.alive == 0);
}

} // namespace sojourn::tests

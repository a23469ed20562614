// What is left of a service that is gone: its leases, and what they need, for as long as they need
// it. The clock stands for all that a shard holds.

#include "support/completion_probe.hpp"
#include "support/run_coro.hpp"

#include <sojourn/service/session_service.hpp>
#include <sojourn/testing/manual_clock.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <latch>
#include <list>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

/// A manual clock that lags behind for requests, so that one over its rate asks for the exact time
/// in the middle of its turn; there it lets the test do something.
class HookedClock final : public Clock {
public:
    [[nodiscard]] TimePoint steady() const noexcept override
    {
        if (is_hooked.exchange(false)) {
            when_asked();
        }
        return manual.steady();
    }

    [[nodiscard]] TimePoint steady_coarse() const noexcept override
    {
        return manual.steady() - coarse_lag;
    }

    [[nodiscard]] WallTime wall() const noexcept override { return manual.wall(); }

    [[nodiscard]] std::unique_ptr<Timer> make_timer(const asio::any_io_executor& executor) override
    {
        return manual.make_timer(executor);
    }

    /// Does this when it is asked the next time, once.
    void hook(std::function<void()> f)
    {
        when_asked = std::move(f);
        is_hooked = true;
    }

    testing::ManualClock manual;

private:
    std::function<void()> when_asked;
    mutable std::atomic<bool> is_hooked{false};
};

struct HookedService {
    explicit HookedService(ServiceOptions options = ServiceOptions())
    {
        auto clock = std::make_shared<HookedClock>();
        watch = clock;
        service = std::make_unique<SessionService>(
            context.get_executor(), options, ServiceEnvironment().clock(std::move(clock))
        );
    }

    CreatedSession create() { return run_coro(context, service->create()).value(); }

    SessionLease acquire(const SessionId& id)
    {
        return run_coro(context, service->acquire(id)).value();
    }

    /// Ends the service and its background.
    void end()
    {
        service.reset();
        run_ready(context);
    }

    asio::io_context context;
    std::weak_ptr<HookedClock> watch;
    std::unique_ptr<SessionService> service;
};

/// One request at once, and the next after ten milliseconds at the earliest.
ServiceOptions limited()
{
    return ServiceOptions().request_rate(RateLimit(100, 1));
}

} // namespace

TEST_CASE("session_service: without leases nothing is left of it", "[async][service]")
{
    HookedService f;
    (void)f.create();
    (void)f.create();
    f.end();
    CHECK(f.watch.expired());
}

TEST_CASE("session_service: the last lease ends what is left of it", "[async][service]")
{
    const auto shards = GENERATE(std::size_t{1}, std::size_t{3});
    HookedService f(ServiceOptions().shards(shards));
    std::vector<SessionLease> leases;
    for (int i = 0; i < 20; ++i) {
        auto created = f.create();
        leases.push_back(f.acquire(created.id));
        leases.push_back(std::move(created.lease));
    }
    f.end();
    while (!leases.empty()) {
        CAPTURE(leases.size());
        CHECK_FALSE(f.watch.expired());
        leases.pop_back();
    }
    CHECK(f.watch.expired());
}

TEST_CASE(
    "session_service: what is left of it may end inside a call that has waited", "[async][service]"
)
{
    HookedService f(limited());
    auto created = f.create();
    f.acquire(created.id).release();
    CompletionProbe probe;
    // In the turn of the call, so that the lease has to wait at the door, and so has the end.
    auto hook = [&] {
        created.lease.release();
        f.service.reset();
    };
    f.watch.lock()->hook(hook);
    f.service->async_acquire(created.id, probe.handler());
    CHECK(f.service == nullptr);
    run_ready(f.context);
    CHECK(probe.completions() == 1);
    CHECK(f.watch.expired());
}

TEST_CASE(
    "session_service: a lease that is made while the service goes is kept", "[async][service]"
)
{
    HookedService f(limited());
    auto created = f.create();
    created.lease.release();
    f.acquire(created.id).release();
    auto clock = f.watch.lock();
    auto hook = [&] {
        f.service.reset();
        clock->manual.advance(20ms);
        clock.reset();
    };
    f.watch.lock()->hook(hook);
    auto lease = f.service->async_acquire(created.id, asio::use_future);
    CHECK(f.service == nullptr);
    run_ready(f.context);
    REQUIRE(lease.wait_for(0s) == std::future_status::ready);
    auto made = lease.get();
    REQUIRE(made.has_value());
    CHECK_FALSE(f.watch.expired());
    made->release();
    CHECK(f.watch.expired());
}

TEST_CASE(
    "session_service: leases may be given back by many threads while it goes", "[async][service]"
)
{
    constexpr int rounds = 50;
    constexpr std::size_t threads = 3;
    for (int round = 0; round < rounds; ++round) {
        HookedService f(ServiceOptions().shards(2));
        std::vector<std::vector<SessionLease>> leases(threads);
        for (std::size_t i = 0; i < 8 * threads; ++i) {
            auto created = f.create();
            leases[(i + 1) % threads].push_back(f.acquire(created.id));
            leases[i % threads].push_back(std::move(created.lease));
        }
        std::latch start(threads + 1);
        std::vector<std::jthread> workers;
        for (auto& mine : leases) {
            workers.emplace_back([&mine, &start] {
                start.arrive_and_wait();
                mine.clear();
            });
        }
        start.arrive_and_wait();
        f.service.reset();
        workers.clear();
        run_ready(f.context);
        CAPTURE(round);
        REQUIRE(f.watch.expired());
    }
}

TEST_CASE(
    "session_service: it may go while a long queue is run and the last lease is given back",
    "[async][service]"
)
{
    constexpr int rounds = 30;
    // More than one drain runs, so that it is handed over on the way.
    constexpr int calls = 150;
    for (int round = 0; round < rounds; ++round) {
        HookedService f(limited());
        auto created = f.create();
        f.acquire(created.id).release();
        std::latch inside(2);
        std::latch start(3);
        f.watch.lock()->hook([&] {
            inside.arrive_and_wait();
            start.arrive_and_wait();
        });
        std::list<CompletionProbe> probes;
        auto& first = probes.emplace_back();
        std::jthread caller([&] { f.service->async_acquire(created.id, first.handler()); });
        inside.arrive_and_wait();
        for (int i = 0; i < calls; ++i) {
            f.service->async_peek(created.id, probes.emplace_back().handler());
        }
        std::jthread releaser([&] {
            start.arrive_and_wait();
            created.lease.release();
        });
        start.arrive_and_wait();
        f.service.reset();
        caller.join();
        releaser.join();
        run_ready(f.context);
        CAPTURE(round);
        for (const auto& probe : probes) {
            REQUIRE(probe.completions() == 1);
        }
        REQUIRE(f.watch.expired());
    }
}

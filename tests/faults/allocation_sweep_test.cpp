// Every allocation fails in turn, through everything that a service, a semaphore and a confined
// value can be asked for. Whatever fails: the ledger holds, nobody waits who has nothing to wait
// for, nobody is told of a session twice, all goes on, in the background too, and nothing is left
// when it is over. What Asio itself does not survive is spared, and only that.

#include "faults/asio_memory.hpp"
#include "faults/operations.hpp"
#include "faults/tally.hpp"
#include "faults/world.hpp"
#include "support/allocations.hpp"
#include "support/face.hpp"

#include <sojourn/async/async_semaphore.hpp>
#include <sojourn/async/confined.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

/// What became of one allocation.
struct Fate {
    bool has_failed = false;
    bool has_spared = false;
};

/// Does `attempt(nth)` with the nth allocation failing, until there is none left to fail.
template <class Try>
void for_each_point(Try attempt)
{
    constexpr long unreasonably_many = 2000;
    Fate fate{.has_failed = true};
    for (long nth = 1; fate.has_failed || fate.has_spared; ++nth) {
        REQUIRE(nth < unreasonably_many);
        INFO("allocation " << nth);
        fate = attempt(nth);
        tally().allocation_points += fate.has_failed ? 1 : 0;
        tally().spared += fate.has_spared ? 1 : 0;
    }
    ++tally().operations;
}

/// That of all allocations since `before` no more were spared than usual, and a little: a sign of
/// what Asio does not survive that is on too many stacks would leave nothing of a sweep.
void check_spared(const Tally& before, std::size_t most_percent)
{
    const auto spared = tally().spared - before.spared;
    const auto failed = tally().allocation_points - before.allocation_points;
    CAPTURE(spared, failed);
    CHECK(100 * spared <= most_percent * (spared + failed));
}

Fate fate_of(const FailingNew& failing)
{
    return {.has_failed = failing.has_failed(), .has_spared = failing.has_spared()};
}

/// Notes what comes of a coroutine. Its frame may be lost at any time.
asio::awaitable<void>
note_end_or_loss(const Operation& operation, World& world, std::shared_ptr<Attempt> attempt)
{
    try {
        auto running = operation.call(world);
        attempt->error = co_await std::move(running);
        attempt->is_done = true;
    } catch (const std::bad_alloc&) {
        attempt->error = make_error_code(boost::system::errc::not_enough_memory);
        attempt->is_done = true;
    }
}

void begin(
    const Operation& operation, World& world, Face face, const std::shared_ptr<Attempt>& attempt
)
{
    if (face == Face::handler) {
        operation.start(world, Noting(attempt));
    } else if (operation.call) {
        asio::co_spawn(
            world.caller.get_executor(), note_end_or_loss(operation, world, attempt), asio::detached
        );
    }
}

/// Where a timer was lost, or what was to be told with it, whoever comes next sees to it.
void see_to_it(World& world)
{
    if (world.service->state() == ServiceState::running) {
        (void)world.run(world.service->create());
        world.simulation.pass(1h);
    } else {
        (void)world.run(world.service->drain(0s));
    }
    world.settle();
}

Fate fail_once(const Operation& operation, std::size_t shards, Face face, long nth)
{
    const auto alive = std::make_shared<int>();
    const auto attempt = std::make_shared<Attempt>();
    Fate fate;
    {
        const auto environment =
            ServiceEnvironment().on_failure([alive](std::string_view, const std::exception_ptr&) {}
            );
        World world(operation.options(shards), environment);
        if (operation.prepare != nullptr) {
            operation.prepare(world);
        }
        {
            const FailingNew failing(nth, &is_fatal_to_asio);
            try {
                begin(operation, world, face, attempt);
            } catch (const std::bad_alloc&) {
                // Out of the initiating function: never begun, or it has taken the handler along.
            }
            world.settle();
            if (operation.end != nullptr) {
                operation.end(world);
                world.settle();
            }
            fate = fate_of(failing);
        }
        world.settle();
        if (attempt.use_count() > 1) {
            see_to_it(world);
        }
        CHECK(attempt.use_count() == 1);
        if (!fate.has_failed && (operation.call || face == Face::handler)) {
            CHECK(attempt->is_done);
            CHECK(attempt->error.code().message() == operation.expected.code().message());
        }
        if (attempt->is_done && !(attempt->error == operation.expected)) {
            CHECK(attempt->error.code() == boost::system::errc::not_enough_memory);
        }
        operation.check(world);
    }
    CHECK(alive.use_count() == 1);
    return fate;
}

void sweep(const Operation& operation, std::size_t shards, Face face)
{
    INFO(operation.name << ", shards " << shards << ", face " << static_cast<int>(face));
    for_each_point([&](long nth) { return fail_once(operation, shards, face, nth); });
}

void sweep_operations(std::size_t shards)
{
    for (const auto& operation : all_operations()) {
        sweep(operation, shards, Face::coroutine);
        if (operation.start) {
            sweep(operation, shards, Face::handler);
        }
    }
}

// The beginning and the end of a service.

void sweep_construction(std::size_t shards)
{
    for_each_point([&](long nth) {
        const auto alive = std::make_shared<int>();
        Fate fate;
        {
            testing::Simulation simulation(std::make_shared<testing::FirstChoice>());
            const auto environment = simulation.environment().on_removed(
                [alive](const RemovedSession&) -> asio::awaitable<void> { co_return; }
            );
            std::optional<SessionService> service;
            const auto options = small_options(shards).max_in_flight(2).when_full(WhenFull::wait);
            {
                const FailingNew failing(nth, &is_fatal_to_asio);
                try {
                    service.emplace(simulation.executor(), options, environment);
                } catch (const std::bad_alloc&) {
                    // It says so.
                }
                fate = fate_of(failing);
            }
            CHECK((service || fate.has_failed));
            if (!service) {
                service.emplace(simulation.executor(), options, environment);
            }
            CHECK(simulation.run(service->create()).has_value());
            simulation.pass(1h);
            CHECK(simulation.run(service->metrics()).value().live == 0);
        }
        CHECK(alive.use_count() == 1);
        return fate;
    });
}

enum class Order { service_first, context_first };

/// With something under way, and leases that outlive it.
void sweep_destruction(std::size_t shards, Order order)
{
    for_each_point([&](long nth) {
        const auto alive = std::make_shared<int>();
        const auto attempt = std::make_shared<Attempt>();
        Fate fate;
        {
            auto simulation =
                std::make_unique<testing::Simulation>(std::make_shared<testing::FirstChoice>());
            const auto environment = simulation->environment().on_removed(
                [alive](const RemovedSession&) -> asio::awaitable<void> { co_return; }
            );
            std::optional<SessionService> service;
            service.emplace(
                simulation->executor(), small_options(shards).max_in_flight(1), environment
            );
            auto created = simulation->run(service->create()).value();
            created.lease.release();
            auto lease = simulation->run(service->acquire(created.id)).value();
            auto weak = simulation->run(service->acquire_weak(created.id)).value();
            service->async_acquire(created.id, Noting(attempt));
            service->async_acquire_exclusive(created.id, 1h, Noting(attempt));
            simulation->settle();
            service->async_drain(1h, Noting(attempt));
            {
                const FailingNew failing(nth, &is_fatal_to_asio);
                if (order == Order::service_first) {
                    service.reset();
                    lease.release();
                    weak.release();
                    try {
                        simulation->settle();
                    } catch (const std::bad_alloc&) {
                        // Out of `run`.
                    }
                }
                simulation.reset();
                service.reset();
                lease.release();
                weak.release();
                fate = fate_of(failing);
            }
        }
        CHECK(attempt.use_count() == 1);
        CHECK(alive.use_count() == 1);
        return fate;
    });
}

// What a service is made of, by itself.

asio::awaitable<void>
note_permit(asio::awaitable<Result<Permit>> operation, std::shared_ptr<Attempt> attempt)
{
    try {
        const auto permit = co_await std::move(operation);
        attempt->error = permit.error();
        attempt->is_done = true;
    } catch (const std::bad_alloc&) {
        attempt->error = make_error_code(boost::system::errc::not_enough_memory);
    }
}

asio::awaitable<void>
note_metrics(asio::awaitable<SemaphoreMetrics> operation, std::shared_ptr<Attempt> attempt)
{
    try {
        (void)co_await std::move(operation);
        attempt->is_done = true;
    } catch (const std::bad_alloc&) {
        attempt->error = make_error_code(boost::system::errc::not_enough_memory);
    }
}

/// A semaphore whose only permit is taken.
struct SemaphoreWorld {
    SemaphoreWorld()
        : semaphore(simulation.executor(), SemaphoreOptions().permits(1), simulation.clock()),
          held(semaphore.try_acquire().value())
    {
    }

    void settle()
    {
        for (bool is_over = false; !is_over;) {
            try {
                while (caller.run() + simulation.settle() > 0) {
                }
                is_over = true;
            } catch (const std::bad_alloc&) { // NOLINT(bugprone-empty-catch)
                // Whoever owns the context runs it again.
            }
        }
    }

    testing::Simulation simulation{std::make_shared<testing::FirstChoice>()};
    testing::SimulatedContext caller{std::make_shared<testing::FirstChoice>()};
    AsyncSemaphore semaphore;
    Permit held;
};

/// Every member of a semaphore that may take memory; `try_acquire`, `resize` and `close` are done
/// without any, in what ends the waits.
struct SemaphoreOperation {
    std::string_view name;
    void (*begin)(SemaphoreWorld&, std::shared_ptr<Attempt>);
    void (*end)(SemaphoreWorld&);
};

std::vector<SemaphoreOperation> semaphore_operations()
{
    using Made = std::shared_ptr<Attempt>;
    const auto give_back = [](SemaphoreWorld& w) { w.held.release(); };
    const auto pass = [](SemaphoreWorld& w) { w.simulation.clock()->advance(1h); };
    const auto close = [](SemaphoreWorld& w) { w.semaphore.close(); };
    const auto grow = [](SemaphoreWorld& w) { (void)w.semaphore.resize(2); };
    const auto await_permit = [](SemaphoreWorld& w, Made attempt) {
        asio::co_spawn(
            w.caller.get_executor(),
            note_permit(w.semaphore.acquire(1h), std::move(attempt)),
            asio::detached
        );
    };
    const auto ask_for_permit = [](SemaphoreWorld& w, Made attempt) {
        w.semaphore.async_acquire(1h, Noting(std::move(attempt)));
    };
    return {
        {"acquire",
         [](SemaphoreWorld& w, Made attempt) {
             asio::co_spawn(
                 w.caller.get_executor(),
                 note_permit(w.semaphore.acquire(), std::move(attempt)),
                 asio::detached
             );
         },
         give_back},
        {"async_acquire",
         [](SemaphoreWorld& w, Made attempt) {
             w.semaphore.async_acquire(Noting(std::move(attempt)));
         },
         give_back},
        {"acquire with a limit", await_permit, give_back},
        {"acquire with a limit that ends", await_permit, pass},
        {"acquire until it is closed", await_permit, close},
        {"acquire until there are more", await_permit, grow},
        {"async_acquire with a limit", ask_for_permit, give_back},
        {"async_acquire with a limit that ends", ask_for_permit, pass},
        {"async_acquire until it is closed", ask_for_permit, close},
        {"async_acquire until there are more", ask_for_permit, grow},
        {"metrics",
         [](SemaphoreWorld& w, Made attempt) {
             asio::co_spawn(
                 w.caller.get_executor(),
                 note_metrics(w.semaphore.metrics(), std::move(attempt)),
                 asio::detached
             );
         },
         give_back},
        {"async_metrics",
         [](SemaphoreWorld& w, Made attempt) {
             w.semaphore.async_metrics([attempt = std::move(attempt)](const SemaphoreMetrics&) {
                 attempt->is_done = true;
             });
         },
         give_back},
    };
}

void sweep_semaphore()
{
    for (const auto& operation : semaphore_operations()) {
        INFO("AsyncSemaphore: " << operation.name);
        for_each_point([&](long nth) {
            const auto attempt = std::make_shared<Attempt>();
            SemaphoreWorld world;
            Fate fate;
            {
                const FailingNew failing(nth, &is_fatal_to_asio);
                try {
                    operation.begin(world, attempt);
                } catch (const std::bad_alloc&) {
                    // Not begun.
                }
                world.settle();
                operation.end(world);
                world.settle();
                fate = fate_of(failing);
            }
            world.settle();
            // One whose timer was lost is noticed by the next who comes.
            (void)world.semaphore.try_acquire();
            world.settle();
            CHECK(attempt.use_count() == 1);
            CHECK((attempt->is_done || fate.has_failed));
            world.held.release();
            const auto metrics = world.simulation.run(world.semaphore.metrics());
            CHECK(metrics.ledger_holds());
            CHECK(metrics.held == 0);
            CHECK(metrics.waiting == 0);
            const auto next = world.semaphore.try_acquire();
            CHECK((next.has_value() || next.error() == errc::stopping));
            CHECK(world.simulation.clock()->waiting() == 0);
            return fate;
        });
    }
}

class Number {
public:
    explicit Number(std::shared_ptr<int> alive) : alive_(std::move(alive)) {}

    int add() { return ++value_; }

private:
    std::shared_ptr<int> alive_;
    int value_ = 0;
};

asio::awaitable<void> note_call(Confined<Number>& number, std::shared_ptr<Attempt> attempt)
{
    try {
        auto add = [](Number& value) { return value.add(); };
        (void)co_await number.call(std::move(add));
        attempt->is_done = true;
    } catch (const std::bad_alloc&) {
        attempt->error = make_error_code(boost::system::errc::not_enough_memory);
    }
}

/// `call` and `async_call`, at a strand that is idle and at one that is not; there, what comes in
/// is done by whoever is inside. `try_call`, `try_turn` and `nudge` need no memory.
void sweep_confined()
{
    for (const auto face : {Face::coroutine, Face::handler}) {
        for (const bool is_busy : {false, true}) {
            INFO("Confined: busy " << is_busy << ", face " << static_cast<int>(face));
            for_each_point([&](long nth) {
                const auto alive = std::make_shared<int>();
                const auto attempt = std::make_shared<Attempt>();
                Fate fate;
                {
                    testing::Simulation simulation(std::make_shared<testing::FirstChoice>());
                    Confined<Number> number(simulation.executor(), alive);
                    const auto run = [&] {
                        try {
                            if (face == Face::handler) {
                                number.async_call(
                                    [](Number& value) { return value.add(); },
                                    [attempt](const std::exception_ptr&, int) {
                                        attempt->is_done = true;
                                    }
                                );
                            } else {
                                asio::co_spawn(
                                    simulation.executor(),
                                    note_call(number, attempt),
                                    asio::detached
                                );
                            }
                            simulation.settle();
                        } catch (const std::bad_alloc&) {
                            // Out of the initiating function, or out of `run`.
                        }
                    };
                    {
                        const FailingNew failing(nth, &is_fatal_to_asio);
                        if (is_busy) {
                            const auto turn = [&](Number&) {
                                run();
                                return true;
                            };
                            renew_inline_budget();
                            (void)number.try_call(turn);
                        } else {
                            run();
                        }
                        try {
                            simulation.settle();
                        } catch (const std::bad_alloc&) {
                            // As above.
                        }
                        fate = fate_of(failing);
                    }
                    simulation.settle();
                    CHECK(attempt.use_count() == 1);
                    CHECK((attempt->is_done || fate.has_failed));
                    renew_inline_budget();
                    CHECK(number.try_call([](Number& value) { return value.add(); }).has_value());
                }
                CHECK(alive.use_count() == 1);
                return fate;
            });
        }
    }
}

} // namespace

TEST_CASE("faults: a service of one shard survives the failure of any allocation", "[faults]")
{
    const auto before = tally();
    sweep_operations(1);
    check_spared(before, 17);
}

TEST_CASE("faults: a service of three shards survives the failure of any allocation", "[faults]")
{
    const auto before = tally();
    sweep_operations(3);
    check_spared(before, 16);
}

TEST_CASE("faults: a service begins and ends, whatever allocation fails", "[faults]")
{
    const auto before = tally();
    for (const std::size_t shards : {1U, 3U}) {
        sweep_construction(shards);
        sweep_destruction(shards, Order::service_first);
        sweep_destruction(shards, Order::context_first);
    }
    check_spared(before, 27);
}

TEST_CASE("faults: semaphore and confined value survive the failure of any allocation", "[faults]")
{
    const auto before = tally();
    sweep_semaphore();
    sweep_confined();
    check_spared(before, 10);
}

} // namespace sojourn::tests

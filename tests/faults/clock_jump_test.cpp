// The clock jumps while something is under way: ahead, to the end of time, back, before its own
// beginning; and where it has jumped before. Whatever it does: nothing overflows (which UBSan
// says), a session ends at the end of its lifetime at the latest, nobody waits for ever once time
// passes, and the service serves.
//
// A steady clock does none of this. What sojourn makes of it is that a table's time never goes
// back: sessions that were made after a jump ahead expire once the clock has caught up.

#include "faults/operations.hpp"
#include "faults/tally.hpp"
#include "faults/world.hpp"

#include <sojourn/async/async_semaphore.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

constexpr TimePoint epoch{};
constexpr auto day = 24h;

/// Where a manual clock begins, and so everything here.
const TimePoint start = testing::ManualClock().steady();

/// Of the sessions that are there when the clock jumps.
const Duration lifetime = ServiceOptions().absolute_lifetime();

struct Jump {
    std::string_view name;
    TimePoint to;

    /// Whether what begins there can come to its end before time does.
    [[nodiscard]] bool is_in_time() const noexcept { return to <= TimePoint::max() - 10 * day; }
};

const std::array jumps{
    Jump{"a year ahead", start + 365 * day},
    Jump{"a month before the end of time", TimePoint::max() - 30 * day},
    Jump{"an hour before the end of time", TimePoint::max() - 1h},
    Jump{"an hour back", start - 1h},
    Jump{"a minute back", start - 1min},
    Jump{"before the epoch", epoch - 1h},
    Jump{"an hour after the beginning of time", TimePoint::min() + 1h},
};

/// From where it jumps: what is under way was begun there; and the service too, if that is earlier
/// than where a clock begins.
const std::array origins{
    Jump{"where it was", start},
    Jump{"a month before the end of time", TimePoint::max() - 30 * day},
    Jump{"a minute before the end of time", TimePoint::max() - 1min},
    Jump{"before the epoch", epoch - 1h},
    Jump{"an hour after the beginning of time", TimePoint::min() + 1h},
};

/// Whoever asks first finds the background behind.
void jump(World& world, TimePoint to)
{
    world.clock().set(to);
    CHECK(world.run_apart(world.service->health()).value().cleanup_lag >= Duration::zero());
    CHECK(world.run_apart(world.service->metrics()).value().ledger_holds());
    CHECK(world.run_apart(world.service->list()).has_value());
    world.settle();
}

asio::awaitable<void>
note_end(const Operation& operation, World& world, std::shared_ptr<Attempt> attempt)
{
    auto running = operation.call(world);
    attempt->error = co_await std::move(running);
    attempt->is_done = true;
}

void begin(const Operation& operation, World& world, const std::shared_ptr<Attempt>& attempt)
{
    if (operation.start) {
        operation.start(world, Noting(attempt));
    } else if (operation.call) {
        asio::co_spawn(
            world.caller.get_executor(), note_end(operation, world, attempt), asio::detached
        );
    } else {
        attempt->is_done = true;
    }
    world.settle();
}

/// From here on it only passes, until it has caught up with all that was.
void let_time_pass(World& world, const Jump& origin, const Jump& target)
{
    // What was there is gone then, however the clock came to it.
    const auto now = world.clock().steady();
    jump(world, std::max(now, start + lifetime));
    CHECK(world.run(world.service->peek(world.id)).error() == errc::not_found);
    CHECK(world.run(world.service->peek(world.leased_id)).error() == errc::not_found);
    // To the end of time it is a long way, which nobody reaches.
    const auto rest = TimePoint::max() - 1ns - std::max(epoch, world.clock().steady());
    world.simulation.pass(std::min<Duration>(day, rest));
    world.settle();
    const auto latest = std::max({world.clock().steady(), origin.to, target.to});
    jump(world, std::min(saturating_add(latest, day), TimePoint::max() - 1ns));
}

/// What ends a wait.
enum class End {
    time,
    /// What it was for.
    other,
};

void jump_during(
    const Operation& operation, std::size_t shards, const Jump& from, const Jump& to, End end
)
{
    INFO(operation.name << ", shards " << shards << ", from " << from.name << ", " << to.name);
    const auto attempt = std::make_shared<Attempt>();
    World world(operation.options(shards), ServiceEnvironment(), std::min(start, from.to));
    if (operation.prepare != nullptr) {
        operation.prepare(world);
    }
    jump(world, from.to);
    begin(operation, world, attempt);
    jump(world, to.to);
    if (end == End::other) {
        // In some shards nothing is left to wait for, in others there is.
        world.lease.release();
        world.settle();
        operation.end(world);
        world.settle();
    }
    let_time_pass(world, from, to);
    CHECK(attempt->is_done);
    CHECK(attempt.use_count() == 1);
    if (to.is_in_time() && from.is_in_time()) {
        operation.check(world);
    } else if (world.service->state() == ServiceState::running) {
        world.check_serves();
    }
    ++tally().clock_jumps;
}

/// Listeners that are at work when the clock jumps: they wait for it themselves.
struct Sleeper {
    std::shared_ptr<RemovalLog> log;
    std::shared_ptr<World*> world;
};

/// Before, as it may be cut off.
asio::awaitable<void> write_down_and_sleep(Sleeper sleeper, RemovedSession removed)
{
    sleeper.log->add(std::move(removed));
    co_await (*sleeper.world)->simulation.sleep(1s);
}

void jump_during_listener(std::size_t shards, const Jump& from, const Jump& to)
{
    INFO("a listener, shards " << shards << ", from " << from.name << ", " << to.name);
    const Sleeper sleeper{std::make_shared<RemovalLog>(), std::make_shared<World*>()};
    const auto environment = ServiceEnvironment().on_removed([sleeper](RemovedSession removed) {
        return write_down_and_sleep(sleeper, std::move(removed));
    });
    World world(small_options(shards), environment, std::min(start, from.to));
    *sleeper.world = &world;
    jump(world, from.to);
    for (int i = 0; i < 3; ++i) {
        const auto created = world.run_apart(world.service->create()).value();
        REQUIRE(world.run_apart(world.service->remove(created.id)).has_value());
    }
    world.settle();
    jump(world, to.to);
    let_time_pass(world, from, to);
    world.release_all();
    world.settle();
    if (to.is_in_time() && from.is_in_time()) {
        world.simulation.pass(1h);
        const auto metrics = world.metrics();
        CHECK(metrics.pending_removals == 0);
        CHECK(sleeper.log->size() == metrics.removed_total());
        CHECK(sleeper.log->is_unique());
    }
    world.check_serves();
    ++tally().clock_jumps;
}

/// Those who wait with a limit and without one, and get what they wait for after the jump.
void jump_during_semaphore(const Jump& from, const Jump& to)
{
    INFO("a semaphore, from " << from.name << ", " << to.name);
    testing::Simulation simulation;
    auto& clock = *simulation.clock();
    clock.set(from.to);
    AsyncSemaphore semaphore(
        simulation.executor(), SemaphoreOptions().permits(1), simulation.clock()
    );
    auto held = semaphore.try_acquire().value();
    const auto limited = std::make_shared<Attempt>();
    const auto unlimited = std::make_shared<Attempt>();
    semaphore.async_acquire(1h, Noting(limited));
    semaphore.async_acquire(Duration::max(), Noting(unlimited));
    simulation.settle();
    clock.set(to.to);
    simulation.settle();
    held.release();
    simulation.settle();
    CHECK(limited->is_done);
    CHECK(unlimited->is_done);
    CHECK(unlimited->error == Error());
    const auto metrics = simulation.run(semaphore.metrics());
    CHECK(metrics.ledger_holds());
    CHECK(metrics.held == 0);
    CHECK(semaphore.try_acquire().has_value());
    ++tally().clock_jumps;
}

} // namespace

TEST_CASE("faults: a clock that jumps while others wait for a permit does no harm", "[faults]")
{
    for (const auto& from : origins) {
        for (const auto& to : jumps) {
            jump_during_semaphore(from, to);
        }
    }
}

TEST_CASE("faults: a clock that jumps does no harm, whatever is under way", "[faults]")
{
    for (const auto& operation : all_operations()) {
        for (const std::size_t shards : {1U, 3U}) {
            for (const auto& from : origins) {
                for (const auto& to : jumps) {
                    jump_during(operation, shards, from, to, End::time);
                    // What lets time pass must not come to the end of it.
                    if (operation.end != nullptr && to.is_in_time()) {
                        jump_during(operation, shards, from, to, End::other);
                    }
                }
            }
        }
    }
}

TEST_CASE("faults: a clock that jumps while a listener runs does no harm", "[faults]")
{
    for (const std::size_t shards : {1U, 3U}) {
        for (const auto& from : origins) {
            for (const auto& to : jumps) {
                jump_during_listener(shards, from, to);
            }
        }
    }
}

} // namespace sojourn::tests

#include "faults/world.hpp"

#include "service/manual_service.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <new>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

ServiceOptions small_options(std::size_t shards)
{
    return plain_options().max_sessions(8 * shards).shards(shards).cleanup_batch(3);
}

World::World(const ServiceOptions& options, ServiceEnvironment environment, TimePoint born)
    : simulation(std::make_shared<testing::FirstChoice>()),
      caller(std::make_shared<testing::FirstChoice>())
{
    clock().set(born);
    const auto listening = listening_to_all(log);
    if (!environment.on_created()) {
        environment.on_created(listening.on_created());
    }
    if (!environment.on_removed()) {
        environment.on_removed(listening.on_removed());
    }
    if (!environment.on_failure()) {
        environment.on_failure([told = reports](std::string_view, const std::exception_ptr&) {
            ++*told;
        });
    }
    if (!environment.id_source()) {
        environment.id_source(simulation.environment().id_source());
    }
    service.emplace(simulation.executor(), options, environment.clock(simulation.clock()));
    hold_one_of_each();
    simulation.settle();
}

void World::hold_one_of_each()
{
    auto wish = CreateOptions().principal("alice").attributes({{"name", "value"}});
    id = establish(wish);
    weak = run(service->acquire_weak(establish())).value();
    leased_id = establish();
    exclusive_id = establish();
    // Last, as some worlds have no more permits than these two take.
    lease = run(service->acquire(leased_id)).value();
    exclusive = run(service->acquire_exclusive(exclusive_id)).value();
}

SessionId World::establish(CreateOptions options)
{
    auto created = run(service->create(std::move(options))).value();
    created.lease.release();
    run(service->acquire(created.id)).value().release();
    return created.id;
}

void World::fill(std::size_t count)
{
    while (metrics().live < count) {
        (void)run(service->create()).value();
    }
}

void World::settle()
{
    for (bool is_over = false; !is_over;) {
        try {
            while (caller.run() + simulation.settle() > 0) {
            }
            is_over = true;
        } catch (...) { // NOLINT(bugprone-empty-catch)
            // A server runs its context again.
        }
    }
}

Metrics World::metrics()
{
    const auto now = run(service->metrics()).value();
    CHECK(now.ledger_holds());
    return now;
}

Health World::health()
{
    return run(service->health()).value();
}

void World::release_all() noexcept
{
    lease.release();
    exclusive.release();
    weak.release();
}

void World::check_serves()
{
    release_all();
    auto created = run(service->create());
    REQUIRE(created.has_value());
    REQUIRE(run(service->acquire(created->id)).has_value());
    REQUIRE(run(service->acquire_exclusive(created->id)).has_value());
    const auto fresh = run(service->rotate(created->id));
    REQUIRE(fresh.has_value());
    created->lease.release();
    REQUIRE(run(service->remove(*fresh)).has_value());
}

void World::check_sound()
{
    release_all();
    REQUIRE(run(service->cleanup(CleanupScope::all)).has_value());
    const auto before = metrics();
    CHECK(before.live == 0);
    CHECK(before.leased == 0);
    CHECK(before.closing == 0);

    check_serves();

    // More than any loop waits before it tries again; and the second is in time once they run.
    for (int i = 0; i < 2; ++i) {
        (void)run(service->create()).value();
        simulation.pass(9h);
    }
    const auto end = metrics();
    CHECK(end.live == 0);
    CHECK(end.pending_creations == 0);
    CHECK(end.pending_removals == 0);
    const auto now = health();
    // A listener that found no memory to write it down with has been told.
    CHECK(
        log->created().size() + log->size() + now.listener_failures ==
        end.created + end.removed_total()
    );
    CHECK(log->is_unique());
    CHECK(log->is_in_order());
    CHECK(now.is_ready());
    CHECK(now.cleanup.running);
    CHECK(now.events.running);
}

void World::check_drained()
{
    release_all();
    const auto report = run(service->drain(0s));
    REQUIRE(report.has_value());
    CHECK(service->state() == ServiceState::closed);
    const auto end = metrics();
    CHECK(end.live == 0);
    CHECK(log->is_unique());
    CHECK(log->is_in_order());
    CHECK(run(service->create()).error() == errc::stopping);
}

} // namespace sojourn::tests

// Each callback throws each kind of exception on each of its first calls. Whatever it throws:
// nobody is told of a session twice or not at all, the reporter hears of it once, the loops go on,
// and so does the service. Attributes hold text and no type of a user's, so these have no move that
// could throw; a clock and a source of ids do not throw, but the latter may fail.

#include "faults/operations.hpp"
#include "faults/tally.hpp"
#include "faults/thrown.hpp"
#include "faults/world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

/// On which of its calls a callback throws, at the most.
constexpr int last_call = 4;

/// Throws on one call of those that are counted.
class Thrower {
public:
    Thrower(Thrown kind, int call) : kind_(kind), call_(call) {}

    void count()
    {
        if (++calls_ == call_) {
            throw_one(kind_);
        }
    }

    [[nodiscard]] bool has_thrown() const noexcept { return calls_ >= call_; }

private:
    Thrown kind_;
    int call_;
    int calls_ = 0;
};

/// Calls `test(kind, call)` for each exception that is to be survived.
template <class Test>
void for_each_exception(std::string_view callback, Test test)
{
    ++tally().callbacks;
    for (const auto kind : all_thrown) {
        for (int call = 1; call <= last_call; ++call) {
            INFO(callback << " throws kind " << static_cast<int>(kind) << " on call " << call);
            test(kind, call);
            ++tally().exceptions;
        }
    }
}

// Listeners.

enum class Event { creation, removal };

/// Where in a listener the exception comes from.
enum class Place {
    /// Before there is a coroutine.
    call,
    /// Before the coroutine waits for anything.
    beginning,
    after_wait,
};

struct Listener {
    std::shared_ptr<RemovalLog> log;
    std::shared_ptr<Thrower> thrower;
    testing::Simulation** simulation;
    Place place;
};

asio::awaitable<void> nothing()
{
    co_return;
}

asio::awaitable<void> go_on(Listener listener)
{
    if (listener.place == Place::after_wait) {
        co_await (*listener.simulation)->sleep(10ms);
    }
    if (listener.place != Place::call) {
        listener.thrower->count();
    }
}

asio::awaitable<void> listen(const Listener& listener)
{
    if (listener.place == Place::call) {
        listener.thrower->count();
    }
    return go_on(listener);
}

/// A reporter that says how often it was told, by whom, of what; and may throw too.
class Reporter {
public:
    Reporter(std::string_view from, Thrown kind, bool throws)
        : from_(from), kind_(kind), throws_(throws)
    {
    }

    void report(std::string_view where, const std::exception_ptr& what)
    {
        ++reports_;
        is_right_ = is_right_ && where == from_ && is_one(kind_, what);
        if (throws_) {
            throw_one(kind_);
        }
    }

    /// Told once, of the right thing.
    [[nodiscard]] bool was_told_once() const noexcept { return reports_ == 1 && is_right_; }

    [[nodiscard]] int reports() const noexcept { return reports_; }

private:
    std::string from_;
    Thrown kind_;
    bool throws_;
    int reports_ = 0;
    bool is_right_ = true;
};

ServiceEnvironment reporting_to(const std::shared_ptr<Reporter>& reporter)
{
    return ServiceEnvironment().on_failure(
        [reporter](std::string_view where, const std::exception_ptr& what) {
            reporter->report(where, what);
        }
    );
}

void throw_in_listener(Event event, Place place, bool reporter_throws, Thrown kind, int call)
{
    const auto log = std::make_shared<RemovalLog>();
    const auto thrower = std::make_shared<Thrower>(kind, call);
    const auto* const from = event == Event::creation ? "creation listener" : "removal listener";
    const auto reporter = std::make_shared<Reporter>(from, kind, reporter_throws);
    testing::Simulation* simulation = nullptr;
    const Listener listener{log, thrower, &simulation, place};
    auto environment = reporting_to(reporter);
    environment.on_created([log, listener, event](const SessionInfo& created) {
        log->add_created(created.reference);
        return event == Event::creation ? listen(listener) : nothing();
    });
    environment.on_removed([log, listener, event](const RemovedSession& removed) {
        log->add(removed);
        return event == Event::removal ? listen(listener) : nothing();
    });
    testing::Simulation world;
    simulation = &world;
    environment.clock(world.clock()).id_source(world.environment().id_source());
    SessionService sessions(world.executor(), small_options(1), environment);
    for (int i = 0; i < last_call + 1; ++i) {
        REQUIRE(world.run(sessions.create()).has_value());
    }
    world.pass(2min);
    CHECK(thrower->has_thrown());
    CHECK(reporter->was_told_once());
    const auto health = world.run(sessions.health()).value();
    CHECK(health.listener_failures == 1);
    CHECK(health.is_ready());
    CHECK(health.cleanup.running);
    CHECK(health.events.running);
    REQUIRE(world.run(sessions.create()).has_value());
    world.pass(2min);
    const auto metrics = world.run(sessions.metrics()).value();
    CHECK(metrics.ledger_holds());
    CHECK(metrics.live == 0);
    CHECK(metrics.pending_creations + metrics.pending_removals == 0);
    CHECK(log->created().size() == metrics.created);
    CHECK(log->size() == metrics.removed_total());
    CHECK(log->is_unique());
    CHECK(log->is_in_order());
    CHECK(world.run(sessions.drain()).value().is_clean());
}

void sweep_listeners()
{
    for (const auto event : {Event::creation, Event::removal}) {
        for (const auto place : {Place::call, Place::beginning, Place::after_wait}) {
            for (const bool reporter_throws : {false, true}) {
                const auto* const name =
                    reporter_throws ? "a listener, and the reporter" : "a listener";
                for_each_exception(name, [&](Thrown kind, int call) {
                    throw_in_listener(event, place, reporter_throws, kind, call);
                });
            }
        }
    }
}

// The function that `modify` is given.

/// What comes of an exception where it becomes an error.
boost::system::error_code error_of(Thrown kind)
{
    switch (kind) {
    case Thrown::bad_alloc:
        return make_error_code(boost::system::errc::not_enough_memory);
    case Thrown::system_error:
        return make_error_code(boost::system::errc::permission_denied);
    default:
        return make_error_code(boost::system::errc::operation_canceled);
    }
}

/// Whether the reporter hears of it there: those with a code say it to the caller.
bool is_reported(Thrown kind)
{
    return kind != Thrown::bad_alloc && kind != Thrown::system_error;
}

std::function<void(Attributes&)> change_by(const std::shared_ptr<Thrower>& thrower)
{
    return [thrower](Attributes& data) {
        const auto text = data.get("calls").value_or("");
        data.set("calls", std::string(text) + "x");
        thrower->count();
    };
}

/// Changes of which one throws; the others all count.
void throw_in_change(bool in_handler, std::size_t shards, Thrown kind, int call)
{
    const auto thrower = std::make_shared<Thrower>(kind, call);
    const auto reporter = std::make_shared<Reporter>("modify", kind, true);
    World world(small_options(shards), reporting_to(reporter));
    for (int i = 1; i <= last_call + 1; ++i) {
        if (in_handler) {
            const auto attempt = std::make_shared<Attempt>();
            world.service->async_modify(world.id, change_by(thrower), Noting(attempt));
            world.settle();
            REQUIRE(attempt->is_done);
            CHECK(attempt->error.code() == (i == call ? error_of(kind) : Error().code()));
        } else {
            bool is_as_thrown = false;
            try {
                (void)world.run(world.service->modify(world.id, change_by(thrower))).value();
            } catch (...) {
                is_as_thrown = is_one(kind, std::current_exception());
            }
            CHECK(is_as_thrown == (i == call));
        }
    }
    const auto after = world.run(world.service->snapshot(world.id)).value();
    CHECK(after.data.get("calls").value_or("").size() == last_call);
    CHECK(after.version == 1 + last_call);
    CHECK(reporter->reports() == (in_handler && is_reported(kind) ? 1 : 0));
    world.check_sound();
}

void sweep_changes()
{
    for (const bool in_handler : {false, true}) {
        for (const std::size_t shards : {1U, 3U}) {
            for_each_exception("a change", [&](Thrown kind, int call) {
                throw_in_change(in_handler, shards, kind, call);
            });
        }
    }
}

// Completion handlers.

void throw_in_handler(const Operation& operation, std::size_t shards, Thrown kind)
{
    World world(operation.options(shards));
    if (operation.prepare != nullptr) {
        operation.prepare(world);
    }
    const auto attempt = std::make_shared<Attempt>();
    operation.start(world, Noting(attempt, [kind] { throw_one(kind); }));
    if (operation.end != nullptr) {
        world.simulation.settle();
        operation.end(world);
    }
    int escaped = 0;
    for (bool is_over = false; !is_over;) {
        try {
            world.simulation.settle();
            is_over = true;
        } catch (...) {
            CHECK(is_one(kind, std::current_exception()));
            ++escaped;
        }
    }
    // Whoever runs the context gets it, as from any handler, and once.
    CHECK(escaped == 1);
    CHECK(attempt->is_done);
    CHECK(attempt.use_count() == 1);
    operation.check(world);
}

void sweep_handlers()
{
    for (const auto& operation : all_operations()) {
        if (!operation.start) {
            continue;
        }
        ++tally().callbacks;
        for (const std::size_t shards : {1U, 3U}) {
            for (const auto kind : all_thrown) {
                INFO(operation.name << ", shards " << shards << ", " << static_cast<int>(kind));
                throw_in_handler(operation, shards, kind);
                ++tally().exceptions;
            }
        }
    }
}

// A source of ids that fails, which is as near as it gets to throwing.

class FailingIds final : public IdSource {
public:
    explicit FailingIds(boost::system::error_code error) : error_(error) {}

    [[nodiscard]] boost::system::error_code fill(std::span<std::byte> bytes) noexcept override
    {
        return calls_ != 0 && --calls_ == 0 ? error_ : ids_.fill(bytes);
    }

    /// The nth from now on.
    void fail_on(int call) noexcept { calls_ = call; }

private:
    boost::system::error_code error_;
    testing::SeededIdSource ids_;
    int calls_ = 0;
};

void fail_to_draw(std::size_t shards, Thrown kind, int call)
{
    const auto ids = std::make_shared<FailingIds>(error_of(kind));
    World world(small_options(shards), ServiceEnvironment().id_source(ids));
    ids->fail_on(call);
    int failed = 0;
    for (int i = 0; i < last_call; ++i) {
        const auto created = world.run(world.service->create());
        failed += created.has_error() ? 1 : 0;
        CHECK((created || created.error() == errc::id_source_failed));
        const auto rotated = world.run(world.service->rotate(world.id));
        failed += rotated.has_error() ? 1 : 0;
        CHECK((rotated || rotated.error() == errc::id_source_failed));
        // Whoever could not be given a new id keeps the old one.
        world.id = rotated ? *rotated : world.id;
        CHECK(world.run(world.service->peek(world.id)).has_value());
    }
    CHECK(failed == 1);
    world.check_sound();
}

void fail_to_begin(Thrown kind)
{
    testing::Simulation simulation;
    const auto ids = std::make_shared<FailingIds>(error_of(kind));
    ids->fail_on(1);
    const auto environment = simulation.environment().id_source(ids);
    std::optional<SessionService> service;
    bool is_told = false;
    try {
        service.emplace(simulation.executor(), small_options(1), environment);
    } catch (const boost::system::system_error& error) {
        is_told = error.code() == make_error_code(errc::id_source_failed);
    }
    CHECK(is_told);
    service.emplace(simulation.executor(), small_options(1), environment);
    CHECK(simulation.run(service->create()).has_value());
}

void sweep_ids()
{
    for (const std::size_t shards : {1U, 3U}) {
        for_each_exception("a source of ids", [&](Thrown kind, int call) {
            fail_to_draw(shards, kind, call);
        });
    }
    for (const auto kind : all_thrown) {
        fail_to_begin(kind);
        ++tally().exceptions;
    }
}

} // namespace

TEST_CASE("faults: a service survives whatever a listener throws", "[faults]")
{
    sweep_listeners();
}

TEST_CASE("faults: a service survives whatever a change throws", "[faults]")
{
    sweep_changes();
}

TEST_CASE("faults: a service survives whatever a completion handler throws", "[faults]")
{
    sweep_handlers();
}

TEST_CASE("faults: a service survives a source of ids that fails", "[faults]")
{
    sweep_ids();
}

} // namespace sojourn::tests

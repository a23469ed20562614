// Who is told of what became of sessions: creations too, in order, and for no longer than a
// listener may take.

#include "service/manual_service.hpp"
#include "service/removal_log.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void>
write_down_info(std::shared_ptr<std::vector<SessionInfo>> log, SessionInfo info)
{
    log->push_back(std::move(info));
    co_return;
}

/// A listener that comes back only when it is let, or cancelled if it heeds that.
struct Sleeper {
    enum class Heeds { cancellation, nothing };

    explicit Sleeper(Heeds what = Heeds::cancellation) : heeds(what) {}

    Heeds heeds;
    bool is_open = false;
    /// So many of the first may come back although it is not.
    int may_return = 0;
    int begun = 0;
    int returned = 0;
    int cancelled = 0;
};

asio::awaitable<void> sleep(std::shared_ptr<Sleeper> sleeper)
{
    const int number = ++sleeper->begun;
    if (sleeper->heeds == Sleeper::Heeds::nothing) {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    }
    while (!sleeper->is_open && number > sleeper->may_return) {
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) {
            ++sleeper->cancelled;
            co_return;
        }
        co_await asio::post(asio::use_awaitable);
    }
    ++sleeper->returned;
}

asio::awaitable<void> write_down_late(
    std::shared_ptr<RemovalLog> log, std::shared_ptr<Sleeper> sleeper, SessionReference reference
)
{
    co_await sleep(std::move(sleeper));
    log->add_created(reference);
}

ServiceEnvironment removals_wake(const std::shared_ptr<Sleeper>& sleeper)
{
    return ServiceEnvironment().on_removed([sleeper](RemovedSession) { return sleep(sleeper); });
}

/// A service whose listener never lets the context run dry: nothing here waits for that.
struct Busy {
    explicit Busy(const ServiceOptions& options, ServiceEnvironment environment)
        : service(context.get_executor(), options, environment.clock(clock))
    {
    }

    SessionId create() { return run_coro(context, service.create()).value().id; }

    void remove(const SessionId& id) { run_coro(context, service.remove(id)).value(); }

    Metrics metrics() { return run_coro(context, service.metrics()).value(); }

    template <class Condition>
    void until(Condition condition, Location where = Location::current())
    {
        poll_until(context, condition, default_limit, where);
    }

    asio::io_context context;
    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    SessionService service;
};

} // namespace

TEST_CASE("session_service: a creation listener is told of each session once", "[async][service]")
{
    const auto told = std::make_shared<std::vector<SessionInfo>>();
    ManualService sessions(
        plain_options().shards(GENERATE(1U, 4U)),
        ServiceEnvironment().on_created([told](SessionInfo info) {
            return write_down_info(told, std::move(info));
        })
    );
    sessions.settle();
    CHECK(told->empty());
    const auto created = sessions.create(CreateOptions().principal("ada").attributes({{"k", "v"}}));
    sessions.settle();
    REQUIRE(told->size() == 1);
    const auto& info = told->front();
    CHECK(info.reference == created.lease.info().reference);
    CHECK(info.principal_text() == "ada");
    CHECK(info.attributes.data.get("k") == "v");
    CHECK(info.leases == 1);
    CHECK(info.requests == 0);
    CHECK(info.created == sessions.clock->wall());
    for (int i = 0; i < 300; ++i) {
        (void)sessions.add();
    }
    sessions.settle();
    CHECK(told->size() == 301);
    CHECK(sessions.metrics().pending_creations == 0);
    // Refused ones are not told.
    CHECK_FALSE(sessions.run(sessions.service.create(CreateOptions().idle_timeout(0s))).has_value()
    );
    sessions.settle();
    CHECK(told->size() == 301);
}

TEST_CASE(
    "session_service: a creation is told before the end, whatever happens", "[async][service]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().max_sessions(20).shards(GENERATE(1U, 4U));
    ManualService sessions(options, listening_to_all(log));
    for (int round = 0; round < 40; ++round) {
        // More than are taken at a time, and the context runs only afterwards.
        for (int i = 0; i < 30; ++i) {
            const auto id = sessions.run(sessions.service.create()).value().id;
            if (i % 3 == 0) {
                (void)sessions.run(sessions.service.remove(id));
            }
        }
        sessions.pass(round % 5 == 0 ? 1h : 1s);
    }
    sessions.settle();
    const auto metrics = sessions.metrics();
    CHECK(metrics.pending_creations == 0);
    CHECK(metrics.pending_removals == 0);
    CHECK(log->created().size() == metrics.created);
    CHECK(log->size() == metrics.removed_total());
    CHECK(log->is_in_order());
    CHECK(log->is_unique());
}

TEST_CASE(
    "session_service: an end waits until all beginnings before it have been told",
    "[async][service]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    const auto sleeper = std::make_shared<Sleeper>();
    Busy busy(
        plain_options().listener_timeout(max_duration),
        listening(log).on_created([log, sleeper](SessionInfo info) {
            return write_down_late(log, sleeper, info.reference);
        })
    );
    (void)busy.create();
    busy.until([&] { return sleeper->begun == 1; });
    // More than are taken at a time, the last of which ends.
    for (int i = 0; i < 99; ++i) {
        (void)busy.create();
    }
    busy.remove(busy.create());
    sleeper->is_open = true;
    busy.until([&] { return log->size() == 1; });
    CHECK(log->created().size() == 101);
    CHECK(log->is_in_order());
}

TEST_CASE("session_service: creations that were not told take up room", "[async][service]")
{
    const auto sleeper = std::make_shared<Sleeper>();
    Busy busy(
        plain_options().max_sessions(4).max_pending_events(3).listener_timeout(max_duration),
        ServiceEnvironment().on_created([sleeper](SessionInfo) { return sleep(sleeper); })
    );
    // Each takes two places of seven, until it was told.
    std::vector<Result<CreatedSession>> all;
    for (int i = 0; i < 5; ++i) {
        all.push_back(run_coro(busy.context, busy.service.create()));
    }
    CHECK(all[2].has_value());
    CHECK(all[3].error() == errc::overloaded);
    CHECK(all[3].error().retry_after() > 0s);
    CHECK(busy.metrics().pending_creations == 3);
    CHECK(busy.metrics().refused_overloaded == 2);
    sleeper->is_open = true;
    busy.until([&] { return busy.metrics().pending_creations == 0; });
    CHECK(run_coro(busy.context, busy.service.create()).has_value());
    busy.until([&] { return busy.metrics().pending_creations == 0; });
    // No place was lost on the way.
    all.clear();
    for (int i = 0; i < 100; ++i) {
        REQUIRE(run_coro(busy.context, busy.service.create()).has_value());
        busy.until([&] { return busy.metrics().pending_creations == 0; });
    }
    CHECK(busy.metrics().live == 4);
}

TEST_CASE("session_service: a listener that takes too long is cancelled", "[async][service]")
{
    const auto sleeper = std::make_shared<Sleeper>();
    std::vector<std::string> failures;
    auto environment = removals_wake(sleeper).on_failure([&](std::string_view where, auto failure) {
        try {
            std::rethrow_exception(failure);
        } catch (const boost::system::system_error& error) {
            failures.push_back(std::string(where) + ": " + error.code().message());
        }
    });
    Busy busy(plain_options().listener_timeout(10s), std::move(environment));
    busy.remove(busy.create());
    busy.remove(busy.create());
    busy.until([&] { return sleeper->begun == 1; });
    busy.clock->advance(10s - 1ns);
    (void)busy.metrics();
    CHECK(sleeper->cancelled == 0);
    busy.clock->advance(1ns);
    busy.until([&] { return sleeper->cancelled == 1 && sleeper->begun == 2; });
    const auto timed_out = "removal listener: " + make_error_code(errc::timed_out).message();
    CHECK(failures == std::vector<std::string>{timed_out});
    CHECK(run_coro(busy.context, busy.service.health()).value().listener_failures == 1);
    sleeper->is_open = true;
    busy.until([&] { return busy.metrics().pending_removals == 0; });
    CHECK(sleeper->returned == 1);
    CHECK(failures.size() == 1);
}

TEST_CASE(
    "session_service: of listeners that do not end when cancelled, few are left to themselves",
    "[async][service]"
)
{
    const auto sleeper = std::make_shared<Sleeper>(Sleeper::Heeds::nothing);
    Busy busy(plain_options().listener_timeout(1s), removals_wake(sleeper));
    for (int i = 0; i < 12; ++i) {
        busy.remove(busy.create());
    }
    for (int i = 0; i < 8; ++i) {
        busy.until([&] { return sleeper->begun == i + 1; });
        busy.clock->advance(1s);
    }
    busy.until([&] { return sleeper->begun == 9; });
    busy.clock->advance(1h);
    for (int i = 0; i < 10; ++i) {
        (void)busy.metrics();
    }
    CHECK(sleeper->begun == 9);
    CHECK(busy.metrics().pending_removals == 4);
    // One of those ends, so the one that is waited for is left to itself too.
    sleeper->may_return = 1;
    busy.until([&] { return sleeper->returned == 1; });
    busy.until([&] { return sleeper->begun == 10; });
    sleeper->is_open = true;
    busy.until([&] { return sleeper->returned == 12; });
    busy.until([&] { return busy.metrics().pending_removals == 0; });
}

TEST_CASE(
    "session_service: a listener left to itself outlives the service, and ends with the context",
    "[async][service][lifetime]"
)
{
    const auto sleeper = std::make_shared<Sleeper>(Sleeper::Heeds::nothing);
    asio::io_context context;
    const auto clock = std::make_shared<testing::ManualClock>();
    {
        SessionService service(
            context.get_executor(),
            plain_options().listener_timeout(1s),
            removals_wake(sleeper).clock(clock)
        );
        for (int i = 0; i < 3; ++i) {
            const auto created = run_coro(context, service.create());
            REQUIRE(run_coro(context, service.remove(created->id)).has_value());
        }
        poll_until(context, [&] { return sleeper->begun == 1; });
        clock->advance(1s);
        poll_until(context, [&] { return sleeper->begun == 2; });
    }
    // Two run, and nobody is told any more.
    if (GENERATE(true, false)) {
        sleeper->is_open = true;
        poll_until(context, [&] { return sleeper->returned == 2; });
        run_ready(context);
        CHECK(sleeper->begun == 2);
    }
}

TEST_CASE("session_service: one place for what waits is enough to make room", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(
        plain_options().max_sessions(4).max_pending_events(1).shards(GENERATE(1U, 2U)),
        listening_to_all(log)
    );
    for (int i = 0; i < 20; ++i) {
        CAPTURE(i);
        REQUIRE(sessions.run(sessions.service.create()).has_value());
        sessions.pass(1ms);
    }
    CHECK(sessions.metrics().live == 4);
    CHECK(log->created().size() == 20);
    CHECK(log->count(RemovalCause::evicted) == 16);
}

TEST_CASE(
    "session_service: bytes that wait for a listener are bounded as those that live are",
    "[async][service]"
)
{
    const auto sleeper = std::make_shared<Sleeper>();
    const Attributes data{{"k", std::string(4'000, 'x')}};
    const auto most = 3 * data.bytes();
    Busy busy(
        plain_options()
            .max_sessions(1000)
            .max_total_attribute_bytes(most)
            .listener_timeout(max_duration)
            .shards(GENERATE(1U, 3U)),
        removals_wake(sleeper)
    );
    int refused = 0;
    for (int i = 0; i < 300; ++i) {
        busy.clock->advance(1ms);
        auto options = CreateOptions().attributes(data);
        const auto created = run_coro(busy.context, busy.service.create(std::move(options)));
        refused += created ? 0 : 1;
    }
    CHECK(refused > 0);
    // Besides those, the listener's own batch of each shard.
    const auto pending = busy.metrics().pending_removals;
    CHECK(pending <= 3 + 1 + 3 * 64);
    CHECK(pending < 300 - 3);
    // Who asks for no bytes is not concerned.
    CHECK(run_coro(busy.context, busy.service.create()).has_value());
    sleeper->is_open = true;
    busy.until([&] { return busy.metrics().pending_removals == 0; });
    auto options = CreateOptions().attributes(data);
    CHECK(run_coro(busy.context, busy.service.create(std::move(options))).has_value());
}

TEST_CASE("session_service: a listener that throws is told of the next", "[async][service]")
{
    std::size_t told = 0;
    ManualService sessions(
        plain_options(),
        ServiceEnvironment().on_created([&told](SessionInfo) -> asio::awaitable<void> {
            ++told;
            throw std::runtime_error("a creation listener");
        })
    );
    for (int i = 0; i < 10; ++i) {
        (void)sessions.add();
    }
    sessions.settle();
    CHECK(told == 10);
    CHECK(sessions.health().listener_failures == 10);
    CHECK(sessions.metrics().pending_creations == 0);
}

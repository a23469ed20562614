// What a stream holds on to its session with.

#include "service/begun.hpp"
#include "service/manual_service.hpp"
#include "service/removal_log.hpp"
#include "sojourn/service/shard.hpp"
#include "sojourn/service/turns.hpp"
#include "support/allocations.hpp"
#include "support/completion_probe.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstddef>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<WeakLease>);
static_assert(!std::is_copy_assignable_v<WeakLease>);
static_assert(std::is_nothrow_move_constructible_v<WeakLease>);
static_assert(std::is_nothrow_move_assignable_v<WeakLease>);
static_assert(noexcept(std::declval<WeakLease&>().release()));

namespace {

WeakLease acquire_weak(ManualService& sessions, const SessionId& id)
{
    return sessions.run(sessions.service.acquire_weak(id)).value();
}

Error error_of_touch(ManualService& sessions, WeakLease& lease)
{
    return sessions.run(lease.touch()).error();
}

} // namespace

TEST_CASE("session_service: a weak lease tells of its session", "[async][service]")
{
    ManualService sessions;
    auto created = sessions.create(CreateOptions().principal("alice"));
    auto weak = acquire_weak(sessions, created.id);
    REQUIRE(weak);
    CHECK(weak.info().reference == created.lease.info().reference);
    CHECK(weak.info().principal_text() == "alice");
    // It is a request, and no lease.
    CHECK(weak.info().requests == 1);
    CHECK(weak.info().leases == 1);
    created.lease.release();
    const auto metrics = sessions.metrics();
    CHECK(metrics.acquires == 1);
    CHECK(metrics.acquired == 1);
    CHECK(metrics.leased == 0);
    weak.release();
    CHECK_FALSE(weak);
    CHECK(weak.info().principal_text() == "alice");
}

TEST_CASE(
    "session_service: a weak lease keeps its session from expiring for idleness", "[async][service]"
)
{
    const auto shards = GENERATE(std::size_t{1}, std::size_t{5});
    // Of the service, shorter, and longer.
    const auto idle_timeout = GENERATE(Duration(30min), Duration(10min), Duration(45min));
    ManualService sessions(unlimited(shards).absolute_lifetime(100h));
    const auto id = sessions.establish(CreateOptions().idle_timeout(idle_timeout));
    auto weak = acquire_weak(sessions, id);
    for (int i = 0; i < 20; ++i) {
        sessions.pass(20min);
        REQUIRE(sessions.knows(id));
    }
    // Its idle time begins at the release.
    sessions.clock->advance(7min);
    weak.release();
    sessions.pass(idle_timeout - 1ns);
    CHECK(sessions.knows(id));
    sessions.pass(1ns);
    CHECK(sessions.metrics().live == 0);
    CHECK(sessions.metrics().removed_by(RemovalCause::expired_idle) == 1);
}

TEST_CASE("session_service: the idle time begins with the last of all leases", "[async][service]")
{
    const bool is_weak_last = GENERATE(false, true);
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    auto weak = acquire_weak(sessions, id);
    auto other = acquire_weak(sessions, id);
    auto lease = sessions.acquire(id);
    other.release();
    sessions.pass(31min);
    if (is_weak_last) {
        lease.release();
    } else {
        weak.release();
    }
    sessions.pass(31min);
    CHECK(sessions.knows(id));
    weak.release();
    lease.release();
    sessions.pass(30min - 1ns);
    CHECK(sessions.knows(id));
    sessions.pass(1ns);
    CHECK(sessions.metrics().live == 0);
}

TEST_CASE("session_service: a weak lease makes a half-open session established", "[async][service]")
{
    ManualService sessions(unlimited());
    const auto id = sessions.add();
    CHECK(sessions.metrics().half_open == 1);
    auto weak = acquire_weak(sessions, id);
    CHECK(sessions.metrics().half_open == 0);
    weak.release();
    sessions.pass(29min);
    CHECK(sessions.knows(id));
}

TEST_CASE("session_service: a weakly leased session ends with its lifetime", "[async][service]")
{
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(unlimited().absolute_lifetime(2h), listening(log));
    auto weak = acquire_weak(sessions, sessions.establish());
    sessions.pass(2h - 1ns);
    CHECK(log->size() == 0);
    sessions.pass(1ns);
    CHECK(log->count(RemovalCause::expired_lifetime) == 1);
    CHECK(error_of_touch(sessions, weak) == errc::not_found);
    weak.release();
    sessions.settle();
    CHECK(log->size() == 1);
}

TEST_CASE("session_service: acquire_weak says why it gives none", "[async][service]")
{
    ManualService sessions(plain_options().request_rate(RateLimit(10, 2)));
    auto& service = sessions.service;
    CHECK(sessions.run(service.acquire_weak(SessionId())).error() == errc::not_found);
    const auto id = sessions.add();
    auto first = acquire_weak(sessions, id);
    sessions.acquire(id).release();
    const auto limited = sessions.run(service.acquire_weak(id));
    CHECK(limited.error() == errc::rate_limited);
    CHECK(limited.error().retry_after() == 100ms);
    sessions.clock->advance(100ms);
    auto second = acquire_weak(sessions, id);
    CHECK(sessions.run(service.drain(0s)).has_value());
    CHECK(sessions.run(service.acquire_weak(id)).error() == errc::stopping);
    const auto metrics = sessions.metrics();
    CHECK(metrics.not_found == 1);
    CHECK(metrics.rate_limited == 1);
    CHECK(metrics.refused_stopping == 1);
}

TEST_CASE("session_service: a session has 63 weak leases and no more", "[async][service]")
{
    ManualService sessions(unlimited().max_in_flight_per_session(1));
    const auto id = sessions.establish();
    std::vector<WeakLease> leases;
    for (int i = 0; i < 63; ++i) {
        leases.push_back(acquire_weak(sessions, id));
    }
    const auto refused = sessions.run(sessions.service.acquire_weak(id));
    CHECK(refused.error() == errc::overloaded);
    CHECK(refused.error().retry_after() > Duration::zero());
    CHECK(sessions.metrics().refused_busy == 1);
    // They are not requests in flight, and another session has its own.
    CHECK(sessions.run(sessions.service.acquire(id)).has_value());
    CHECK(sessions.run(sessions.service.acquire_weak(sessions.establish())).has_value());
    leases.pop_back();
    leases.push_back(acquire_weak(sessions, id));
    CHECK(sessions.run(sessions.service.acquire_weak(id)).error() == errc::overloaded);
    leases.clear();
    sessions.pass(30min);
    CHECK(sessions.metrics().live == 0);
}

TEST_CASE(
    "session_service: a weakly leased session makes room in its turn, and its stream is told",
    "[async][service]"
)
{
    const auto shards = GENERATE(std::size_t{1}, std::size_t{3});
    ManualService sessions(unlimited(shards).max_sessions(3).eviction_grace(10s));
    const auto oldest = sessions.establish();
    auto weak = acquire_weak(sessions, oldest);
    Begun<Result<void>> closed(sessions, weak.closed());
    sessions.clock->advance(1s);
    const auto middle = sessions.establish();
    sessions.clock->advance(1s);
    const auto youngest = sessions.establish();
    sessions.clock->advance(8s - 1ns);
    // All are within their grace.
    CHECK(sessions.run(sessions.service.create()).error() == errc::overloaded);
    CHECK(closed.is_waiting());
    sessions.clock->advance(1ns);
    const auto next = sessions.create();
    CHECK(closed.get().has_value());
    CHECK_FALSE(sessions.knows(oldest));
    CHECK(sessions.knows(middle));
    CHECK(sessions.knows(youngest));
    CHECK(sessions.metrics().removed_by(RemovalCause::evicted) == 1);
    CHECK(error_of_touch(sessions, weak) == errc::not_found);
    weak.release();
    CHECK(sessions.knows(next.id));
}

TEST_CASE("session_service: touch makes a weakly leased session young", "[async][service]")
{
    const auto shards = GENERATE(std::size_t{1}, std::size_t{2});
    // The stream has been silent for longer than others may be idle, and not.
    const auto silence = GENERATE(Duration(1s), Duration(2h));
    ManualService sessions(unlimited(shards).max_sessions(2).absolute_lifetime(100h));
    const auto streaming = sessions.establish();
    auto weak = acquire_weak(sessions, streaming);
    sessions.pass(silence);
    const auto other = sessions.establish();
    sessions.pass(1s);
    CHECK(sessions.run(weak.touch()).has_value());
    sessions.pass(1s);
    (void)sessions.establish();
    CHECK(sessions.knows(streaming));
    CHECK_FALSE(sessions.knows(other));
    // It counts no request.
    CHECK(sessions.metrics().acquires == 4);
    sessions.pass(1s);
    (void)sessions.establish();
    CHECK_FALSE(sessions.knows(streaming));
}

TEST_CASE("session_service: touch needs a session that is there", "[async][service]")
{
    ManualService sessions(unlimited());
    auto nothing = WeakLease();
    CHECK(error_of_touch(sessions, nothing) == errc::not_found);
    const auto id = sessions.establish();
    auto weak = acquire_weak(sessions, id);
    auto moved = std::move(weak);
    CHECK(error_of_touch(sessions, weak) == errc::not_found); // NOLINT(bugprone-use-after-move)
    CHECK(sessions.run(moved.touch()).has_value());
    CHECK(sessions.run(sessions.service.remove(id)).has_value());
    CHECK(error_of_touch(sessions, moved) == errc::not_found);
    moved.release();
    CHECK(error_of_touch(sessions, moved) == errc::not_found);
}

TEST_CASE(
    "session_service: touch finds no session whose lifetime is over, noticed or not",
    "[async][service]"
)
{
    ManualService sessions(unlimited().absolute_lifetime(1h));
    auto weak = acquire_weak(sessions, sessions.establish());
    sessions.clock->advance(1h);
    CHECK(error_of_touch(sessions, weak) == errc::not_found);
    CHECK(sessions.metrics().removed_by(RemovalCause::expired_lifetime) == 1);
}

TEST_CASE(
    "session_service: a weak lease on a session that has ended harms nobody in its slot",
    "[async][service]"
)
{
    // One slot, so that every session comes after the other in it.
    ManualService sessions(unlimited().max_sessions(1));
    std::vector<WeakLease> stale;
    for (int i = 0; i < 70; ++i) {
        stale.push_back(acquire_weak(sessions, sessions.establish()));
    }
    CHECK(sessions.metrics().removed_by(RemovalCause::evicted) == 69);
    const auto id = sessions.establish();
    auto weak = acquire_weak(sessions, id);
    sessions.clock->advance(20min);
    for (auto& lease : stale) {
        REQUIRE(error_of_touch(sessions, lease) == errc::not_found);
        REQUIRE(sessions.run(lease.closed()).has_value());
    }
    stale.clear();
    // It is still pinned, and its idle time did not begin anew.
    CHECK(sessions.run(weak.touch()).has_value());
    sessions.pass(31min);
    CHECK(sessions.knows(id));
    weak.release();
    sessions.pass(30min - 1ns);
    CHECK(sessions.knows(id));
    sessions.pass(1ns);
    CHECK(sessions.metrics().live == 0);
}

TEST_CASE(
    "session_service: a weak lease that comes back late does not touch the slot's next session",
    "[async][service]"
)
{
    ManualService sessions(unlimited().max_sessions(1));
    auto stale = acquire_weak(sessions, sessions.establish());
    const auto id = sessions.establish();
    sessions.clock->advance(20min);
    stale.release();
    CHECK(sessions.run(sessions.service.peek(id)).value().expires_in == 10min);
}

TEST_CASE(
    "session_service: a weak lease may come back while its session waits for the last lease",
    "[async][service]"
)
{
    ManualService sessions(unlimited().max_sessions(1));
    const auto id = sessions.establish();
    auto lease = sessions.acquire(id);
    auto weak = acquire_weak(sessions, id);
    CHECK(sessions.run(sessions.service.remove(id)).has_value());
    CHECK(sessions.metrics().closing == 1);
    weak.release();
    CHECK(sessions.metrics().closing == 1);
    lease.release();
    CHECK(sessions.metrics().live == 0);
    auto next = acquire_weak(sessions, sessions.establish());
    sessions.pass(31min);
    CHECK(sessions.metrics().live == 1);
    next.release();
    sessions.pass(30min);
    CHECK(sessions.metrics().live == 0);
}

TEST_CASE(
    "session_service: a weak lease is given back once, from whichever object holds it",
    "[async][service]"
)
{
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    // 62 more, so that what is free shows how many are held.
    std::vector<WeakLease> others;
    for (int i = 0; i < 62; ++i) {
        others.push_back(acquire_weak(sessions, id));
    }
    const auto is_one_free = [&] {
        return sessions.run(sessions.service.acquire_weak(id)).has_value();
    };
    auto weak = acquire_weak(sessions, id);
    auto other = std::move(weak);
    CHECK_FALSE(weak); // NOLINT(bugprone-use-after-move): that is the question
    weak.release();
    CHECK_FALSE(is_one_free());
    auto& self = other;
    other = std::move(self);
    CHECK_FALSE(is_one_free());
    others.back() = std::move(other);
    CHECK(is_one_free());
    others.back() = WeakLease();
    other.release();
    WeakLease().release();
    others.clear();
    CHECK(sessions.knows(id));
}

TEST_CASE("session_service: the release of a weak lease allocates nothing", "[async][service]")
{
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    auto weak = acquire_weak(sessions, id);
    const auto before = allocations_made();
    weak.release();
    CHECK(allocations_made() == before);
}

TEST_CASE("session_service: the last weak release ends a wait without memory", "[async][service]")
{
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    auto weak = acquire_weak(sessions, id);
    auto other = sessions.acquire(id);
    other.release();
    {
        const FailingNew failing(1, FailingNew::Repeat::yes);
        weak.release();
    }
    sessions.pass(30min);
    CHECK(sessions.metrics().live == 0);
}

namespace {

/// Waits for the end of a session that nothing ends, with a weak lease.
asio::awaitable<void> stream(SessionService& service, SessionId id, int& streaming)
{
    auto weak = co_await service.acquire_weak(id);
    ++streaming;
    (void)co_await weak->closed();
    --streaming;
}

} // namespace

TEST_CASE(
    "session_service: a weak lease may outlive service and context, in either order",
    "[async][service]"
)
{
    const bool service_goes_first = GENERATE(false, true);
    const bool is_removed = GENERATE(false, true);
    const auto shards = GENERATE(std::size_t{1}, std::size_t{3});
    auto context = std::make_unique<asio::io_context>();
    auto service = std::make_unique<SessionService>(context->get_executor(), unlimited(shards));
    const auto id = run_coro(*context, service->create()).value().id;
    auto weak = run_coro(*context, service->acquire_weak(id)).value();
    auto other = run_coro(*context, service->acquire_weak(id)).value();
    auto between = run_coro(*context, service->acquire_weak(id)).value();
    int streaming = 0;
    (void)spawn_coro(context->get_executor(), stream(*service, id, streaming));
    run_ready(*context);
    CHECK(streaming == 1);
    if (is_removed) {
        REQUIRE(run_coro(*context, service->remove(id)).has_value());
    }
    if (service_goes_first) {
        service.reset();
        between.release();
        context.reset();
    } else {
        context.reset();
        between.release();
        service.reset();
    }
    asio::io_context caller;
    const auto touched = run_coro(caller, weak.touch());
    CHECK(touched.has_value() == !is_removed);
    CHECK(run_coro(caller, weak.closed()).has_value());
    weak.release();
    std::thread([&] { other.release(); }).join();
    CHECK(other.info().requests == 2);
}

TEST_CASE("session_service: nothing is left of it when weak leases are gone", "[async][service]")
{
    const auto shards = GENERATE(std::size_t{1}, std::size_t{3});
    asio::io_context context;
    auto clock = std::make_shared<testing::ManualClock>();
    const std::weak_ptr<testing::ManualClock> watch = clock;
    auto service = std::make_unique<SessionService>(
        context.get_executor(), unlimited(shards), ServiceEnvironment().clock(std::move(clock))
    );
    std::vector<WeakLease> leases;
    std::vector<SessionLease> plain;
    for (int i = 0; i < 10; ++i) {
        auto created = run_coro(context, service->create()).value();
        leases.push_back(run_coro(context, service->acquire_weak(created.id)).value());
        plain.push_back(std::move(created.lease));
    }
    service.reset();
    run_ready(context);
    plain.clear();
    while (!leases.empty()) {
        CAPTURE(leases.size());
        CHECK_FALSE(watch.expired());
        leases.pop_back();
    }
    CHECK(watch.expired());
}

TEST_CASE("session_service: weak leases can be given back from many threads", "[async][service]")
{
    const auto shards = GENERATE(std::size_t{1}, std::size_t{2});
    ManualService sessions(unlimited(shards));
    for (int round = 0; round < 20; ++round) {
        const auto id = sessions.establish();
        std::vector<std::vector<WeakLease>> shares(3);
        for (auto& share : shares) {
            for (int i = 0; i < 21; ++i) {
                share.push_back(acquire_weak(sessions, id));
            }
        }
        const bool is_removed = round % 2 == 0;
        if (is_removed) {
            REQUIRE(sessions.run(sessions.service.remove(id)).has_value());
        }
        {
            std::vector<std::jthread> threads;
            threads.reserve(shares.size());
            for (auto& share : shares) {
                threads.emplace_back([&share] { share.clear(); });
            }
        }
        REQUIRE(sessions.knows(id) != is_removed);
        if (!is_removed) {
            // All have come back: so many can be had anew.
            std::vector<WeakLease> again;
            for (int i = 0; i < 63; ++i) {
                again.push_back(acquire_weak(sessions, id));
            }
        }
    }
    sessions.pass(30min);
    CHECK(sessions.metrics().live == 0);
}

namespace {

asio::awaitable<void> touch_cancelled(
    std::shared_ptr<asio::cancellation_signal> signal, WeakLease& weak, bool& has_returned
)
{
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    // So that Asio has switched contexts, without which it lets the exception out of `run`.
    co_await asio::post(asio::use_awaitable);
    signal->emit(asio::cancellation_type::total);
    const auto touched = co_await weak.touch();
    has_returned = touched.has_value();
}

} // namespace

TEST_CASE("session_service: who was cancelled before does not touch", "[async][service]")
{
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    auto weak = acquire_weak(sessions, id);
    sessions.clock->advance(1min);
    const auto signal = std::make_shared<asio::cancellation_signal>();
    bool has_returned = false;
    auto done = asio::co_spawn(
        sessions.context,
        touch_cancelled(signal, weak, has_returned),
        asio::bind_cancellation_slot(signal->slot(), asio::use_future)
    );
    sessions.settle();
    REQUIRE(done.wait_for(0s) == std::future_status::ready);
    CHECK_THROWS_AS(done.get(), boost::system::system_error);
    CHECK_FALSE(has_returned);
}

TEST_CASE("session_service: a touch that was begun may outlive its lease", "[async][service]")
{
    ManualService sessions(unlimited().max_sessions(2));
    const auto id = sessions.establish();
    auto weak = std::make_unique<WeakLease>(acquire_weak(sessions, id));
    sessions.clock->advance(1s);
    const auto other = sessions.establish();
    sessions.clock->advance(1s);
    auto touched = weak->touch();
    auto keep = std::move(*weak);
    weak.reset();
    CHECK(sessions.run(std::move(touched)).has_value());
    (void)sessions.establish();
    CHECK(sessions.knows(id));
    CHECK_FALSE(sessions.knows(other));
}

namespace {

/// A shard without a service.
struct LoneShard {
    explicit LoneShard(asio::io_context& context)
    {
        const auto options = unlimited();
        const auto clock = std::make_shared<testing::ManualClock>();
        const auto nothing_to_do = []() -> asio::awaitable<TimePoint> {
            co_return TimePoint::max();
        };
        shard = std::make_shared<Shard>(
            context.get_executor(),
            options,
            std::make_shared<Capacity>(bounds_of(options, 10, 0, OnArrival::forget)),
            HashKey{1, 2},
            clock,
            std::make_shared<SupervisedLoop>(
                context.get_executor(), clock, "cleanup", nothing_to_do, nullptr
            ),
            nullptr,
            OnArrival::forget
        );
    }

    /// A weak lease on a new session.
    WeakLease lease(asio::io_context& context)
    {
        NewSession fresh;
        fresh.id = SessionIdHash(HashKey{1, 2}).hashed(SessionId::parse("a").value());
        fresh.idle_timeout = 30min;
        fresh.absolute_lifetime = 12h;
        auto created = run_coro(context, shard->call(create_turn(fresh))).value();
        return run_coro(context, shard->call(acquire_weak_turn(fresh.id))).value();
    }

    std::shared_ptr<Shard> shard;
};

} // namespace

// What is queued before the release is as much as one turn runs of others, so that the release
// itself is left to the executor; by then nothing else is left of the shard.
TEST_CASE(
    "session_service: a weak lease that waits at the door keeps what it is given back to",
    "[async][service]"
)
{
    const auto calls = GENERATE(64, 65, 200);
    asio::io_context context;
    LoneShard lone(context);
    auto weak = lone.lease(context);
    auto& shard = *lone.shard;
    const std::weak_ptr<Shard> watch = lone.shard;
    shard.abandon();
    Shard::leave_to_leases(lone.shard);
    lone.shard.reset();
    run_ready(context);
    REQUIRE_FALSE(watch.expired());
    CompletionProbe probe;
    const auto nothing = [](ShardState&) -> Result<int> { return 0; };
    shard.start(
        [&](ShardState&) -> Result<int> {
            for (int i = 0; i < calls; ++i) {
                shard.start(nothing, probe.handler());
            }
            weak.release();
            return 0;
        },
        probe.handler()
    );
    // The release has not been settled, and nothing else is left.
    CHECK_FALSE(watch.expired());
    run_ready(context);
    CHECK(probe.completions() == calls + 1);
    CHECK(watch.expired());
}

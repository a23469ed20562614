// How whoever works for a session learns that it has ended: `closed`, of each kind of lease.

#include "service/begun.hpp"
#include "service/manual_service.hpp"
#include "service/removal_log.hpp"
#include "support/tracking_executor.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

using Closed = Begun<Result<void>>;

enum class Kind : std::uint8_t { plain, weak, exclusive };

/// A lease of some kind.
class Hold {
public:
    Hold(ManualService& sessions, Kind kind, const SessionId& id)
    {
        auto& service = sessions.service;
        switch (kind) {
        case Kind::plain:
            plain_ = sessions.run(service.acquire(id)).value();
            break;
        case Kind::weak:
            weak_ = sessions.run(service.acquire_weak(id)).value();
            break;
        case Kind::exclusive:
            exclusive_ = sessions.run(service.acquire_exclusive(id)).value();
            break;
        }
    }

    [[nodiscard]] asio::awaitable<Result<void>> closed() const
    {
        if (weak_) {
            return weak_.closed();
        }
        return exclusive_ ? exclusive_.closed() : plain_.closed();
    }

    void release()
    {
        plain_.release();
        weak_.release();
        exclusive_.release();
    }

private:
    SessionLease plain_;
    WeakLease weak_;
    ExclusiveLease exclusive_;
};

Kind any_kind()
{
    return GENERATE(Kind::plain, Kind::weak, Kind::exclusive);
}

} // namespace

TEST_CASE("session_service: closed tells that the session was removed", "[async][service]")
{
    const auto kind = any_kind();
    const auto shards = GENERATE(std::size_t{1}, std::size_t{5});
    ManualService sessions(unlimited(shards));
    const auto id = sessions.establish();
    const auto other = sessions.establish();
    Hold hold(sessions, kind, id);
    Closed first(sessions, hold.closed());
    Closed second(sessions, hold.closed());
    CHECK(sessions.run(sessions.service.remove(other)).has_value());
    CHECK(first.is_waiting());
    CHECK(sessions.run(sessions.service.remove(id)).has_value());
    CHECK(first.get().has_value());
    CHECK(second.get().has_value());
    // It is over for those as well who ask only now.
    CHECK(sessions.run(hold.closed()).has_value());
    hold.release();
    CHECK(sessions.metrics().live == 0);
}

TEST_CASE("session_service: closed tells that the session's lifetime is over", "[async][service]")
{
    const auto kind = any_kind();
    const auto log = std::make_shared<RemovalLog>();
    ManualService sessions(unlimited().absolute_lifetime(1h), listening(log));
    const auto id = sessions.establish();
    Hold hold(sessions, kind, id);
    Closed closed(sessions, hold.closed());
    sessions.pass(1h - 1ns);
    CHECK(closed.is_waiting());
    CHECK(sessions.knows(id));
    sessions.pass(1ns);
    CHECK(closed.get().has_value());
    auto& service = sessions.service;
    CHECK(sessions.run(service.acquire(id)).error() == errc::not_found);
    CHECK(sessions.run(service.acquire_weak(id)).error() == errc::not_found);
    CHECK(sessions.run(service.acquire_exclusive(id)).error() == errc::not_found);
    // It is gone with its last lease; a weak one does not keep it.
    CHECK(sessions.metrics().closing == (kind == Kind::weak ? 0 : 1));
    CHECK(log->size() == (kind == Kind::weak ? 1 : 0));
    hold.release();
    sessions.settle();
    CHECK(log->count(RemovalCause::expired_lifetime) == 1);
    CHECK(sessions.metrics().live == 0);
}

TEST_CASE("session_service: closed tells that a drain has no more time", "[async][service]")
{
    const auto kind = any_kind();
    const auto shards = GENERATE(std::size_t{1}, std::size_t{5});
    ManualService sessions(unlimited(shards));
    Hold hold(sessions, kind, sessions.establish());
    Closed closed(sessions, hold.closed());
    auto stopped = sessions.service.async_drain(0s, asio::use_future);
    CHECK(closed.get().has_value());
    hold.release();
    sessions.settle();
    CHECK(stopped.get().has_value());
}

TEST_CASE("session_service: closed ends when everybody has given back", "[async][service]")
{
    const auto kind = any_kind();
    const auto other_kind = GENERATE(Kind::plain, Kind::weak);
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    Hold hold(sessions, kind, id);
    Hold other(sessions, other_kind, id);
    Closed closed(sessions, hold.closed());
    hold.release();
    CHECK(closed.is_waiting());
    other.release();
    CHECK(closed.get().has_value());
    CHECK(sessions.knows(id));
    CHECK(sessions.metrics().leased == 0);
}

TEST_CASE("session_service: closed of nothing completes at once", "[async][service]")
{
    ManualService sessions;
    CHECK(sessions.run(SessionLease().closed()).has_value());
    CHECK(sessions.run(WeakLease().closed()).has_value());
    CHECK(sessions.run(ExclusiveLease().closed()).has_value());
    const auto id = sessions.establish();
    auto lease = sessions.acquire(id);
    auto weak = sessions.run(sessions.service.acquire_weak(id)).value();
    lease.release();
    weak.release();
    CHECK(sessions.run(lease.closed()).has_value());
    CHECK(sessions.run(weak.closed()).has_value());
}

TEST_CASE("session_service: a lease may go while its closed is awaited", "[async][service]")
{
    const auto is_moved = GENERATE(false, true);
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    auto weak =
        std::make_unique<WeakLease>(sessions.run(sessions.service.acquire_weak(id)).value());
    auto lease = std::make_unique<SessionLease>(sessions.acquire(id));
    auto closed = lease->closed();
    auto weak_closed = weak->closed();
    SessionLease kept;
    WeakLease weak_kept;
    if (is_moved) {
        kept = std::move(*lease);
        weak_kept = std::move(*weak);
    }
    lease.reset();
    weak.reset();
    Closed first(sessions, std::move(closed));
    Closed second(sessions, std::move(weak_closed));
    CHECK(first.is_waiting() == is_moved);
    CHECK(second.is_waiting() == is_moved);
    CHECK(sessions.run(sessions.service.remove(id)).has_value());
    CHECK(first.get().has_value());
    CHECK(second.get().has_value());
}

TEST_CASE(
    "session_service: a session that was watched and given back is watched anew", "[async][service]"
)
{
    const auto kind = any_kind();
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    for (int round = 0; round < 5; ++round) {
        Hold hold(sessions, kind, id);
        Closed closed(sessions, hold.closed());
        REQUIRE(closed.is_waiting());
        hold.release();
        REQUIRE(closed.get().has_value());
    }
    Hold hold(sessions, kind, id);
    Closed closed(sessions, hold.closed());
    CHECK(closed.is_waiting());
    CHECK(sessions.run(sessions.service.remove(id)).has_value());
    CHECK(closed.get().has_value());
}

TEST_CASE("session_service: closed tells nobody of the next session's end", "[async][service]")
{
    // One slot, so that every session comes after the other in it.
    const auto kind = any_kind();
    ManualService sessions(unlimited().max_sessions(1));
    const auto id = sessions.establish();
    Hold hold(sessions, kind, id);
    Closed closed(sessions, hold.closed());
    CHECK(sessions.run(sessions.service.remove(id)).has_value());
    CHECK(closed.get().has_value());
    if (kind != Kind::weak) {
        hold.release();
    }
    const auto next = sessions.establish();
    Hold next_hold(sessions, kind, next);
    Closed next_closed(sessions, next_hold.closed());
    // A lease on the one before does not end it, and does not wait for it.
    CHECK(sessions.run(hold.closed()).has_value());
    hold.release();
    CHECK(next_closed.is_waiting());
    CHECK(sessions.run(sessions.service.remove(next)).has_value());
    CHECK(next_closed.get().has_value());
}

TEST_CASE("session_service: a closed that is cancelled ends alone", "[async][service]")
{
    const auto kind = any_kind();
    const auto type = any_cancellation();
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    Hold hold(sessions, kind, id);
    Closed cancelled(sessions, hold.closed());
    Closed other(sessions, hold.closed());
    cancelled.cancel(type);
    CHECK(cancelled.get().error().code() == asio::error::operation_aborted);
    CHECK(other.is_waiting());
    CHECK(sessions.run(sessions.service.remove(id)).has_value());
    CHECK(other.get().has_value());
}

namespace {

/// Is cancelled before it waits.
asio::awaitable<void> wait_cancelled(
    std::shared_ptr<asio::cancellation_signal> signal,
    asio::cancellation_type type,
    asio::awaitable<Result<void>> closed,
    bool& has_returned
)
{
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    // So that Asio has switched contexts, without which it lets the exception out of `run`.
    co_await asio::post(asio::use_awaitable);
    signal->emit(type);
    (void)co_await std::move(closed);
    has_returned = true;
}

} // namespace

TEST_CASE("session_service: who was cancelled before does not wait for closed", "[async][service]")
{
    const auto type = any_cancellation();
    ManualService sessions(unlimited());
    const auto lease = sessions.acquire(sessions.establish());
    const auto signal = std::make_shared<asio::cancellation_signal>();
    bool has_returned = false;
    auto done = asio::co_spawn(
        sessions.context,
        wait_cancelled(signal, type, lease.closed(), has_returned),
        asio::bind_cancellation_slot(signal->slot(), asio::use_future)
    );
    sessions.settle();
    REQUIRE(done.wait_for(0s) == std::future_status::ready);
    CHECK_THROWS_AS(done.get(), boost::system::system_error);
    CHECK_FALSE(has_returned);
}

namespace {

struct Found {
    int told = 0;
    int on_executor = 0;
};

asio::awaitable<void>
note_closed(asio::awaitable<Result<void>> closed, TrackingExecutor executor, Found& found)
{
    const auto result = co_await std::move(closed);
    found.told += result.has_value() ? 1 : 0;
    found.on_executor += executor.running_in_this_thread() ? 1 : 0;
}

} // namespace

TEST_CASE("session_service: closed completes on its caller's executor", "[async][service]")
{
    const auto kind = any_kind();
    ManualService sessions(unlimited());
    const auto id = sessions.establish();
    const Hold hold(sessions, kind, id);
    asio::io_context other;
    const TrackingExecutor executor(other.get_executor());
    Found found;
    const auto done = spawn_coro(executor, note_closed(hold.closed(), executor, found));
    run_ready(other);
    CHECK(sessions.run(sessions.service.remove(id)).has_value());
    sessions.settle();
    // Neither inside the call that removed it, nor on the service's executor.
    CHECK(found.told == 0);
    run_ready(other);
    REQUIRE(done->is_done());
    CHECK_NOTHROW(done->take());
    CHECK(found.told == 1);
    CHECK(found.on_executor == 1);
}

TEST_CASE("session_service: closed completes when the service is destroyed", "[async][service]")
{
    const auto kind = any_kind();
    const auto shards = GENERATE(std::size_t{1}, std::size_t{5});
    asio::io_context context;
    auto service = std::make_unique<SessionService>(context.get_executor(), unlimited(shards));
    auto created = run_coro(context, service->create()).value();
    WeakLease weak;
    ExclusiveLease exclusive;
    if (kind == Kind::weak) {
        weak = run_coro(context, service->acquire_weak(created.id)).value();
        created.lease.release();
    } else if (kind == Kind::exclusive) {
        exclusive = run_coro(context, service->acquire_exclusive(created.id)).value();
    }
    const auto closed = [&] {
        if (weak) {
            return weak.closed();
        }
        return exclusive ? exclusive.closed() : created.lease.closed();
    };
    const auto done = spawn_coro(context.get_executor(), closed());
    run_ready(context);
    CHECK_FALSE(done->is_done());
    service.reset();
    run_ready(context);
    REQUIRE(done->is_done());
    CHECK(done->take().has_value());
    // Later as well.
    CHECK(run_coro(context, created.lease.closed()).has_value());
    CHECK(run_coro(context, weak.closed()).has_value());
    CHECK(run_coro(context, exclusive.closed()).has_value());
}

namespace {

/// Works with a lease until it is closed, which nothing does before the context goes.
asio::awaitable<void> work(SessionService& service, SessionId id, Kind kind, int& working)
{
    SessionLease lease;
    WeakLease weak;
    ExclusiveLease exclusive;
    if (kind == Kind::plain) {
        auto acquired = co_await service.acquire(id);
        lease = std::move(acquired.value());
    } else if (kind == Kind::weak) {
        auto acquired = co_await service.acquire_weak(id);
        weak = std::move(acquired.value());
    } else {
        auto acquired = co_await service.acquire_exclusive(id);
        exclusive = std::move(acquired.value());
    }
    ++working;
    if (kind == Kind::plain) {
        (void)co_await lease.closed();
    } else if (kind == Kind::weak) {
        (void)co_await weak.closed();
    } else {
        (void)co_await exclusive.closed();
    }
    --working;
}

} // namespace

TEST_CASE("session_service: who waits for closed may go with the context", "[async][service]")
{
    const auto kind = any_kind();
    const bool is_other = GENERATE(false, true);
    const bool service_goes_first = GENERATE(false, true);
    auto other = std::make_unique<asio::io_context>();
    auto context = std::make_unique<asio::io_context>();
    auto service = std::make_unique<SessionService>(context->get_executor(), unlimited(2));
    int working = 0;
    const auto home = is_other ? other->get_executor() : context->get_executor();
    for (int i = 0; i < 3; ++i) {
        auto created = run_coro(*context, service->create()).value();
        for (int j = 0; j < (kind == Kind::exclusive ? 1 : 3); ++j) {
            (void)spawn_coro(home, work(*service, created.id, kind, working));
        }
    }
    run_ready(*context);
    run_ready(*other);
    CHECK(working == (kind == Kind::exclusive ? 3 : 9));
    if (service_goes_first) {
        service.reset();
    }
    context.reset();
    other.reset();
    service.reset();
    CHECK(working == (kind == Kind::exclusive ? 3 : 9));
}

namespace {

/// A clock that lets a test into the turn of a request: that of a session with a rate of its own
/// asks for the exact time there.
class TurnClock final : public Clock {
public:
    [[nodiscard]] TimePoint steady() const noexcept override
    {
        if (auto once = std::exchange(inside, nullptr)) {
            once();
        }
        return time.steady();
    }

    [[nodiscard]] TimePoint steady_coarse() const noexcept override { return time.steady(); }

    [[nodiscard]] WallTime wall() const noexcept override { return time.wall(); }

    [[nodiscard]] std::unique_ptr<Timer> make_timer(const asio::any_io_executor& executor) override
    {
        return time.make_timer(executor);
    }

    testing::ManualClock time;
    mutable std::function<void()> inside;
};

} // namespace

TEST_CASE(
    "session_service: closed ends when the last lease is given back at a busy strand",
    "[async][service]"
)
{
    asio::io_context context;
    const auto clock = std::make_shared<TurnClock>();
    SessionService service(
        context.get_executor(), plain_options(), ServiceEnvironment().clock(clock)
    );
    auto watched = run_coro(context, service.create()).value();
    auto options = CreateOptions().request_rate(RateLimit(100, 100));
    const auto other = run_coro(context, service.create(std::move(options))).value();
    bool is_over = false;
    asio::co_spawn(
        context,
        watched.lease.closed(),
        [&](const std::exception_ptr&, const Result<void>& result) { is_over = result.has_value(); }
    );
    run_ready(context);
    REQUIRE_FALSE(is_over);
    clock->inside = [&] { watched.lease.release(); };
    // Kept, since to give it back would be another turn.
    const auto acquired = run_coro(context, service.acquire(other.id));
    CHECK(acquired.has_value());
    REQUIRE_FALSE(watched.lease);
    run_ready(context);
    CHECK(is_over);
}

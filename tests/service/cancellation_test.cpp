#include "service/manual_service.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

boost::system::error_code code_of(const std::exception_ptr& failure)
{
    try {
        if (failure) {
            std::rethrow_exception(failure);
        }
    } catch (const boost::system::system_error& error) {
        return error.code();
    }
    return {};
}

} // namespace

TEST_CASE(
    "session_service: a cancelled cleanup ends between two turns and leaves all in order",
    "[async][service]"
)
{
    constexpr std::size_t count = 20;
    auto options = plain_options().cleanup_batch(1);
    ManualService sessions(options);
    for (std::size_t i = 0; i < count; ++i) {
        (void)sessions.add();
    }
    asio::cancellation_signal signal;
    std::optional<boost::system::error_code> ended;
    asio::co_spawn(
        sessions.context,
        sessions.service.cleanup(CleanupScope::all),
        asio::bind_cancellation_slot(
            signal.slot(),
            [&](const std::exception_ptr& failure, const Result<std::size_t>&) {
                ended = code_of(failure);
            }
        )
    );
    sessions.context.restart();
    for (int i = 0; i < 5; ++i) {
        CHECK(sessions.context.poll_one() == 1);
    }
    CHECK_FALSE(ended.has_value());
    signal.emit(asio::cancellation_type::terminal);
    sessions.settle();
    REQUIRE(ended.has_value());
    CHECK(*ended == asio::error::operation_aborted);
    const auto metrics = sessions.metrics();
    CHECK(metrics.live > 0);
    CHECK(metrics.live < count);
    CHECK(sessions.run(sessions.service.cleanup(CleanupScope::all)).value() == metrics.live);
}

TEST_CASE(
    "session_service: who is cancelled between his turn and his permit is counted as shed",
    "[async][service]"
)
{
    ManualService sessions(plain_options().max_in_flight(2));
    const auto id = sessions.establish();
    auto held = sessions.run(sessions.service.acquire_exclusive(id)).value();
    const auto before = sessions.metrics();
    asio::cancellation_signal signal;
    std::optional<boost::system::error_code> ended;
    asio::co_spawn(
        sessions.context,
        sessions.service.acquire_exclusive(id, 1h),
        asio::bind_cancellation_slot(
            signal.slot(),
            [&](const std::exception_ptr& failure, const Result<ExclusiveLease>&) {
                ended = code_of(failure);
            }
        )
    );
    sessions.settle();
    REQUIRE_FALSE(ended.has_value());
    CHECK(sessions.metrics().requests_shed == 0);
    // In one handler, so that he learns of neither before both have happened.
    asio::post(sessions.context, [&] {
        held.release();
        signal.emit(asio::cancellation_type::terminal);
    });
    sessions.settle();
    REQUIRE(ended.has_value());
    CHECK(*ended == asio::error::operation_aborted);
    const auto after = sessions.metrics();
    CHECK(after.acquired == before.acquired + 1);
    CHECK(after.requests_shed == 1);
    CHECK(after.leased == 0);
}

TEST_CASE(
    "session_service: a handler's operations are cancelled as a coroutine's are", "[async][service]"
)
{
    ManualService sessions(plain_options().max_in_flight(1).cleanup_batch(1));
    const auto id = sessions.establish();
    auto held = sessions.acquire(id);
    const auto type = GENERATE(
        asio::cancellation_type::terminal,
        asio::cancellation_type::partial,
        asio::cancellation_type::total
    );
    asio::cancellation_signal cancel;
    boost::system::error_code code;
    int completions = 0;
    const auto note = [&](const auto& result) {
        ++completions;
        code = result.error().code();
    };
    SECTION("a request that waits for a permit")
    {
        sessions.service.async_acquire(id, asio::bind_cancellation_slot(cancel.slot(), note));
        sessions.settle();
        REQUIRE(completions == 0);
        cancel.emit(type);
        sessions.settle();
        CHECK(completions == 1);
        CHECK(code == asio::error::operation_aborted);
        CHECK(sessions.metrics().requests_shed == 1);
    }
    SECTION("one that has its turn, and waits for a permit")
    {
        sessions.service.async_acquire_exclusive(
            id, 1h, asio::bind_cancellation_slot(cancel.slot(), note)
        );
        sessions.settle();
        REQUIRE(completions == 0);
        cancel.emit(type);
        sessions.settle();
        CHECK(completions == 1);
        CHECK(code == asio::error::operation_aborted);
    }
    SECTION("one that has effects, by terminal alone")
    {
        for (int i = 0; i < 10; ++i) {
            (void)sessions.add();
        }
        sessions.service.async_cleanup(
            CleanupScope::all, asio::bind_cancellation_slot(cancel.slot(), note)
        );
        cancel.emit(type);
        sessions.settle();
        CHECK(completions == 1);
        const bool is_cancelled = type == asio::cancellation_type::terminal;
        CHECK((code == asio::error::operation_aborted) == is_cancelled);
        CHECK((sessions.metrics().live > 1) == is_cancelled);
    }
    SECTION("but not a drain")
    {
        sessions.service.async_drain(1s, asio::bind_cancellation_slot(cancel.slot(), note));
        sessions.settle();
        cancel.emit(type);
        sessions.settle();
        CHECK(completions == 0);
        sessions.pass(3s);
        CHECK(completions == 1);
        CHECK_FALSE(code);
    }
    CHECK(sessions.metrics().leased == 1);
}

TEST_CASE("session_service: a signal may outlive the service and its context", "[async][service]")
{
    asio::cancellation_signal cancel;
    bool is_completed = false;
    {
        ManualService sessions(plain_options().max_in_flight(1));
        const auto id = sessions.establish();
        const auto held = sessions.acquire(id);
        sessions.service.async_acquire(
            id,
            asio::bind_cancellation_slot(
                cancel.slot(), [&](const Result<SessionLease>&) { is_completed = true; }
            )
        );
        sessions.settle();
    }
    cancel.emit(asio::cancellation_type::terminal);
    CHECK_FALSE(is_completed);
}

namespace {

/// What became of a coroutine.
struct Seen {
    bool has_begun = false;
    boost::system::error_code code;
};

/// Awaits an operation and drops what it gives. Cancelled before, it begins the operation all the
/// same, which finds itself cancelled; afterwards, it ends well: Asio's `co_spawn` would not.
template <class T>
asio::awaitable<void> discard(asio::awaitable<Result<T>> operation, Seen& seen)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    seen.has_begun = true;
    co_await asio::post(asio::use_awaitable);
    co_await asio::this_coro::throw_if_cancelled(true);
    try {
        (void)co_await std::move(operation);
    } catch (const boost::system::system_error& error) {
        seen.code = error.code();
    }
    co_await asio::this_coro::throw_if_cancelled(false);
}

/// Every operation there is, as a coroutine that drops what it gets.
template <class Visit>
void for_each_coroutine(Visit visit)
{
    const auto add = [&](const char* name, auto start) {
        visit(name, [start](SessionService& service, const SessionId& id, Seen& seen) {
            return discard(start(service, id), seen);
        });
    };
    add("create", [](auto& service, const auto&) {
        return service.create(CreateOptions().principal("ada"));
    });
    add("acquire", [](auto& service, const auto& id) { return service.acquire(id); });
    add("acquire, for a peer", [](auto& service, const auto& id) {
        return service.acquire(id, AcquireOptions().peer("192.0.2.1"));
    });
    add("acquire_exclusive",
        [](auto& service, const auto& id) { return service.acquire_exclusive(id); });
    add("acquire_weak", [](auto& service, const auto& id) { return service.acquire_weak(id); });
    add("peek", [](auto& service, const auto& id) { return service.peek(id); });
    add("touch", [](auto& service, const auto& id) { return service.touch(id); });
    add("rotate", [](auto& service, const auto& id) {
        return service.rotate(id, RotateOptions().principal("ada"));
    });
    add("remove", [](auto& service, const auto& id) { return service.remove(id); });
    add("remove_by_principal",
        [](auto& service, const auto&) { return service.remove_by_principal("eve"); });
    add("list", [](auto& service, const auto&) { return service.list(); });
    add("count", [](auto& service, const auto&) { return service.count(SessionFilter()); });
    add("remove_matching", [](auto& service, const auto&) {
        return service.remove_matching(SessionFilter().principal("eve"));
    });
    add("in_flight", [](auto& service, const auto&) { return service.in_flight(); });
    add("snapshot", [](auto& service, const auto& id) { return service.snapshot(id); });
    add("commit", [](auto& service, const auto& id) {
        return service.commit(id, 1, Attributes{{"a", "b"}});
    });
    add("modify", [](auto& service, const auto& id) {
        return service.modify(id, [](Attributes& data) { data.set("a", "b"); });
    });
    add("cleanup", [](auto& service, const auto&) { return service.cleanup(CleanupScope::all); });
    add("metrics", [](auto& service, const auto&) { return service.metrics(); });
    add("health", [](auto& service, const auto&) { return service.health(); });
}

} // namespace

TEST_CASE(
    "session_service: an operation that is cancelled, before it starts or later, leaves all in "
    "order",
    "[async][service]"
)
{
    // How much of it runs before: with the smallest batches, operations of several turns are
    // suspended between them.
    const int steps = GENERATE(range(0, 12));
    const auto policy = GENERATE(WhenFull::evict_idle, WhenFull::wait);
    const auto shards = GENERATE(std::size_t{1}, std::size_t{3});
    for_each_coroutine([&](const char* name, auto start) {
        CAPTURE(name, steps, shards);
        ManualService sessions(plain_options()
                                   .max_sessions(6)
                                   .max_sessions_per_principal(2)
                                   .when_full(policy)
                                   .shards(shards)
                                   .cleanup_batch(1)
                                   .max_in_flight(1));
        const auto id = sessions.establish();
        for (const auto* principal : {"eve", "eve", "ada", "ada"}) {
            (void)sessions.add(CreateOptions().principal(principal));
            sessions.clock->advance(1ms);
        }
        asio::cancellation_signal cancel;
        bool has_ended = false;
        Seen seen;
        asio::co_spawn(
            sessions.context,
            start(sessions.service, id, seen),
            asio::bind_cancellation_slot(
                cancel.slot(),
                [&](const std::exception_ptr& failure) {
                    has_ended = true;
                    CHECK_FALSE(failure);
                }
            )
        );
        sessions.context.restart();
        while (!seen.has_begun) {
            sessions.context.poll_one();
        }
        for (int i = 0; i < steps; ++i) {
            sessions.context.poll_one();
        }
        cancel.emit(asio::cancellation_type::terminal);
        sessions.settle();
        CHECK(has_ended);
        CHECK((!seen.code || seen.code == asio::error::operation_aborted));
        // Nothing is held by who is gone, and no place, permit or turn in line is lost.
        CHECK(sessions.metrics().leased == 0);
        CHECK(sessions.run(sessions.service.cleanup(CleanupScope::all)).has_value());
        sessions.settle();
        for (int i = 0; i < 6; ++i) {
            auto options = CreateOptions().principal("user " + std::to_string(i));
            const auto created = sessions.run(sessions.service.create(std::move(options)));
            REQUIRE(created.has_value());
            CHECK(sessions.run(sessions.service.acquire_exclusive(created->id)).has_value());
        }
        CHECK(sessions.metrics().live == 6);
    });
}

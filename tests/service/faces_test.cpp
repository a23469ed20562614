#include "service/manual_service.hpp"
#include "support/completion_probe.hpp"
#include "support/context_threads.hpp"
#include "support/tracking_executor.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

/// Calls `visit(name, initiate)` for each operation, where `initiate(service, id, token)` starts
/// it.
template <class Visit>
void for_each_operation(Visit visit)
{
    visit("create", [](SessionService& service, const SessionId&, auto&& token) {
        return service.async_create(CreateOptions(), std::forward<decltype(token)>(token));
    });
    visit("create, refused", [](SessionService& service, const SessionId&, auto&& token) {
        auto wish = CreateOptions().idle_timeout(0s);
        return service.async_create(wish, std::forward<decltype(token)>(token));
    });
    visit("acquire", [](SessionService& service, const SessionId& id, auto&& token) {
        return service.async_acquire(id, std::forward<decltype(token)>(token));
    });
    visit("acquire, for a peer", [](SessionService& service, const SessionId& id, auto&& token) {
        auto wish = AcquireOptions().peer("192.0.2.1");
        return service.async_acquire(id, wish, std::forward<decltype(token)>(token));
    });
    visit("acquire, refused", [](SessionService& service, const SessionId&, auto&& token) {
        return service.async_acquire(SessionId(), std::forward<decltype(token)>(token));
    });
    visit("acquire_exclusive", [](SessionService& service, const SessionId& id, auto&& token) {
        return service.async_acquire_exclusive(id, 1h, std::forward<decltype(token)>(token));
    });
    visit(
        "acquire_exclusive, refused",
        [](SessionService& service, const SessionId&, auto&& token) {
            const SessionId nobody;
            return service.async_acquire_exclusive(
                nobody, 1h, std::forward<decltype(token)>(token)
            );
        }
    );
    visit("acquire_weak", [](SessionService& service, const SessionId& id, auto&& token) {
        return service.async_acquire_weak(id, std::forward<decltype(token)>(token));
    });
    visit("acquire_weak, refused", [](SessionService& service, const SessionId&, auto&& token) {
        return service.async_acquire_weak(SessionId(), std::forward<decltype(token)>(token));
    });
    visit("peek", [](SessionService& service, const SessionId& id, auto&& token) {
        return service.async_peek(id, std::forward<decltype(token)>(token));
    });
    visit("touch", [](SessionService& service, const SessionId& id, auto&& token) {
        return service.async_touch(id, std::forward<decltype(token)>(token));
    });
    visit("rotate", [](SessionService& service, const SessionId& id, auto&& token) {
        return service.async_rotate(id, RotateOptions(), std::forward<decltype(token)>(token));
    });
    visit("rotate, refused", [](SessionService& service, const SessionId& id, auto&& token) {
        auto wish = RotateOptions().principal(std::string(257, 'p'));
        return service.async_rotate(id, wish, std::forward<decltype(token)>(token));
    });
    visit("remove", [](SessionService& service, const SessionId& id, auto&& token) {
        return service.async_remove(id, std::forward<decltype(token)>(token));
    });
    visit("remove_by_principal", [](SessionService& service, const SessionId&, auto&& token) {
        return service.async_remove_by_principal("alice", std::forward<decltype(token)>(token));
    });
    visit("list", [](SessionService& service, const SessionId&, auto&& token) {
        return service.async_list(ListOptions(), std::forward<decltype(token)>(token));
    });
    visit("count", [](SessionService& service, const SessionId&, auto&& token) {
        return service.async_count(SessionFilter(), std::forward<decltype(token)>(token));
    });
    visit("remove_matching", [](SessionService& service, const SessionId&, auto&& token) {
        return service.async_remove_matching(SessionFilter(), std::forward<decltype(token)>(token));
    });
    visit("snapshot", [](SessionService& service, const SessionId& id, auto&& token) {
        return service.async_snapshot(id, std::forward<decltype(token)>(token));
    });
    visit("commit", [](SessionService& service, const SessionId& id, auto&& token) {
        return service.async_commit(id, 1, Attributes(), std::forward<decltype(token)>(token));
    });
    visit("commit, refused", [](SessionService& service, const SessionId& id, auto&& token) {
        Attributes large{{"n", std::string(200'000, 'v')}};
        return service.async_commit(id, 1, std::move(large), std::forward<decltype(token)>(token));
    });
    visit("modify", [](SessionService& service, const SessionId& id, auto&& token) {
        const auto change = [](Attributes& data) { data.set("k", "v"); };
        return service.async_modify(id, change, std::forward<decltype(token)>(token));
    });
    visit("modify, refused", [](SessionService& service, const SessionId&, auto&& token) {
        const auto change = [](Attributes&) {};
        return service.async_modify(SessionId(), change, std::forward<decltype(token)>(token));
    });
    visit("cleanup", [](SessionService& service, const SessionId&, auto&& token) {
        return service.async_cleanup(CleanupScope::all, std::forward<decltype(token)>(token));
    });
    visit("metrics", [](SessionService& service, const SessionId&, auto&& token) {
        return service.async_metrics(std::forward<decltype(token)>(token));
    });
    visit("in_flight", [](SessionService& service, const SessionId&, auto&& token) {
        return service.async_in_flight(std::forward<decltype(token)>(token));
    });
    visit("health", [](SessionService& service, const SessionId&, auto&& token) {
        return service.async_health(std::forward<decltype(token)>(token));
    });
    visit("drain", [](SessionService& service, const SessionId&, auto&& token) {
        return service.async_drain(1s, std::forward<decltype(token)>(token));
    });
}

/// Whether a result is what the operation of this name should give.
template <class T>
bool is_expected(const std::string& name, const Result<T>& result)
{
    return result.has_value() != name.ends_with("refused");
}

} // namespace

TEST_CASE(
    "session_service: a handler is called once, on its executor, never inline", "[async][service]"
)
{
    for_each_operation([](const std::string& name, auto initiate) {
        INFO(name);
        for (const std::size_t shards : {1U, 5U}) {
            auto options = plain_options().shards(shards);
            ManualService sessions(options);
            const auto id = sessions.establish(CreateOptions().principal("alice"));

            asio::io_context other;
            const TrackingExecutor executor(other.get_executor());
            CompletionProbe probe;
            bool was_expected = false;
            bool was_on_executor = false;
            auto handler = probe.handler([&](auto result) {
                was_expected = is_expected(name, result);
                was_on_executor = executor.running_in_this_thread();
            });
            probe.initiate([&] {
                initiate(sessions.service, id, asio::bind_executor(executor, std::move(handler)));
            });
            // The handler's context has been told that work is coming: it would not return early.
            sessions.settle();
            CHECK(probe.completions() == 0);
            poll_until(other, [&] { return probe.completions() > 0; });
            sessions.settle();
            run_ready(other);
            CHECK(probe.completions() == 1);
            CHECK(probe.inline_completions() == 0);
            CHECK(probe.live_handlers() == 0);
            CHECK(was_expected);
            CHECK(was_on_executor);
        }
    });
}

TEST_CASE(
    "session_service: an operation in flight keeps its handler's context running",
    "[async][service]"
)
{
    for_each_operation([](const std::string& name, auto initiate) {
        INFO(name);
        ManualService sessions;
        const auto id = sessions.establish();
        asio::io_context other;
        bool is_done = false;
        const ContextThreads background(sessions.context, 1);
        initiate(sessions.service, id, asio::bind_executor(other, [&](auto) { is_done = true; }));
        other.run_for(default_limit);
        CHECK(is_done);
    });
}

TEST_CASE("session_service: every operation gives a future", "[async][service]")
{
    for_each_operation([](const std::string& name, auto initiate) {
        INFO(name);
        ManualService sessions;
        const auto id = sessions.establish();
        auto future = initiate(sessions.service, id, asio::use_future);
        sessions.settle();
        REQUIRE(future.wait_for(0s) == std::future_status::ready);
        CHECK(is_expected(name, future.get()));
    });
}

TEST_CASE("session_service: every operation can be deferred and gives tuples", "[async][service]")
{
    for_each_operation([](const std::string& name, auto initiate) {
        INFO(name);
        ManualService sessions;
        const auto id = sessions.establish();
        auto operation = initiate(sessions.service, id, asio::deferred);
        sessions.settle();
        // Nothing happens before it is started.
        CHECK(sessions.metrics().created == 1);
        auto future = std::move(operation)(asio::as_tuple(asio::use_future));
        sessions.settle();
        REQUIRE(future.wait_for(0s) == std::future_status::ready);
        CHECK(is_expected(name, std::get<0>(future.get())));
    });
}

TEST_CASE("session_service: every operation can be awaited by either face", "[async][service]")
{
    for_each_operation([](const std::string& name, auto initiate) {
        INFO(name);
        ManualService sessions;
        const auto id = sessions.establish();
        CHECK(is_expected(name, sessions.run(initiate(sessions.service, id, asio::use_awaitable))));
    });
}

TEST_CASE("session_service: a handler's cancellation changes nothing", "[async][service]")
{
    for_each_operation([](const std::string& name, auto initiate) {
        INFO(name);
        ManualService sessions;
        const auto id = sessions.establish();
        asio::cancellation_signal signal;
        CompletionProbe probe;
        bool was_expected = false;
        auto handler =
            probe.handler([&](auto result) { was_expected = is_expected(name, result); });
        auto slotted = asio::bind_cancellation_slot(signal.slot(), std::move(handler));
        initiate(sessions.service, id, std::move(slotted));
        signal.emit(asio::cancellation_type::all);
        sessions.settle();
        signal.emit(asio::cancellation_type::all);
        sessions.settle();
        CHECK(probe.completions() == 1);
        CHECK(was_expected);
    });
}

TEST_CASE("session_service: arguments may be gone when the operation runs", "[async][service]")
{
    auto options = plain_options().shards(3);
    ManualService sessions(options);
    std::future<Result<CreatedSession>> created;
    {
        const auto id =
            std::make_unique<SessionId>(SessionId::parse(std::string(100, 'i')).value());
        auto wish = std::make_unique<CreateOptions>();
        wish->adopt(*id).principal(std::string(100, 'p')).attributes({{"n", std::string(99, 'v')}});
        created = sessions.service.async_create(*wish, asio::use_future);
    }
    sessions.settle();
    const auto session = created.get().value();
    CHECK(session.lease.info().principal_text() == std::string(100, 'p'));

    std::future<Result<ExclusiveLease>> exclusive;
    std::future<Result<WeakLease>> weak;
    {
        const auto id =
            std::make_unique<SessionId>(SessionId::parse(std::string(100, 'i')).value());
        exclusive = sessions.service.async_acquire_exclusive(*id, 1h, asio::use_future);
        weak = sessions.service.async_acquire_weak(*id, asio::use_future);
    }
    sessions.settle();
    CHECK(exclusive.get().has_value());
    CHECK(weak.get().has_value());

    std::future<Result<std::size_t>> removed;
    std::future<Result<SessionPage>> page;
    {
        const std::string principal(100, 'p');
        auto wish = ListOptions().filter(SessionFilter().principal(principal));
        page = sessions.service.async_list(wish, asio::use_future);
        removed = sessions.service.async_remove_by_principal(principal, asio::use_future);
    }
    sessions.settle();
    CHECK(page.get().has_value());
    CHECK(removed.get().value() == 1);
}

namespace {

/// Calls the service in every way and counts where the caller found itself off its executor.
asio::awaitable<void>
walk(SessionService& service, TrackingExecutor executor, std::atomic<int>& strays, int rounds)
{
    const auto look = [&] { strays += executor.running_in_this_thread() ? 0 : 1; };
    for (int i = 0; i < rounds; ++i) {
        const auto created = co_await service.create();
        look();
        auto id = created->id;
        (void)co_await service.acquire(id);
        look();
        auto exclusive = co_await service.acquire_exclusive(id);
        look();
        auto weak = co_await service.acquire_weak(id);
        look();
        (void)co_await weak->touch();
        look();
        exclusive->release();
        weak->release();
        (void)co_await service.peek(id);
        look();
        (void)co_await service.touch(id);
        look();
        const auto fresh = co_await service.rotate(id);
        look();
        (void)co_await service.snapshot(*fresh);
        look();
        (void)co_await service.commit(*fresh, 1, Attributes());
        look();
        const std::function<void(Attributes&)> change = [&](Attributes&) { look(); };
        (void)co_await service.modify(*fresh, change);
        look();
        (void)co_await service.list();
        look();
        (void)co_await service.metrics();
        look();
        (void)co_await service.health();
        look();
        (void)co_await service.cleanup();
        look();
        (void)co_await service.remove_by_principal("nobody");
        look();
        (void)co_await service.remove(*fresh);
        look();
        (void)co_await created->lease.closed();
        look();
    }
}

} // namespace

TEST_CASE(
    "session_service: a coroutine stays on its own executor, contended or not", "[async][service]"
)
{
    asio::thread_pool background(2);
    asio::thread_pool callers(2);
    auto options = plain_options().shards(2);
    std::atomic<int> strays{0};
    {
        SessionService service(background.get_executor(), options);
        std::vector<std::shared_ptr<CoroResult<void>>> walks;
        for (int i = 0; i < 4; ++i) {
            const TrackingExecutor executor(callers.get_executor());
            walks.push_back(spawn_coro(executor, walk(service, executor, strays, 50)));
        }
        for (const auto& result : walks) {
            poll_until([&] { return result->is_done(); });
            CHECK_NOTHROW(result->take());
        }
    }
    CHECK(strays == 0);
}

namespace {

/// After each call, stands still until somebody else's call has been answered. Were it still inside
/// the service, nobody's would be.
asio::awaitable<int> block_after_each_call(SessionService& service, SessionId id, int rounds)
{
    int blocked = 0;
    for (int i = 0; i < rounds; ++i) {
        (void)co_await service.touch(id);
        auto other = service.async_peek(id, asio::use_future);
        if (other.wait_for(default_limit) != std::future_status::ready) {
            ++blocked;
            break;
        }
    }
    co_return blocked;
}

asio::awaitable<void> keep_busy(SessionService& service, SessionId id, std::atomic<bool>& is_over)
{
    while (!is_over) {
        (void)co_await service.touch(id);
    }
}

} // namespace

TEST_CASE(
    "session_service: a caller that computes after a call holds nobody up", "[async][service]"
)
{
    asio::thread_pool pool(4);
    SessionService service(pool.get_executor());
    const auto id = service.async_create(CreateOptions(), asio::use_future).get().value().id;
    std::atomic<bool> is_over{false};
    const auto noise = spawn_coro(pool.get_executor(), keep_busy(service, id, is_over));
    const auto first = spawn_coro(pool.get_executor(), block_after_each_call(service, id, 300));
    const auto second = spawn_coro(pool.get_executor(), block_after_each_call(service, id, 300));
    poll_until([&] { return first->is_done() && second->is_done(); }, 25s);
    is_over = true;
    poll_until([&] { return noise->is_done(); });
    CHECK(first->take() == 0);
    CHECK(second->take() == 0);
}

namespace {

asio::awaitable<void> count_ticks(int& ticks, const bool& is_over)
{
    while (!is_over) {
        ++ticks;
        co_await asio::post(asio::use_awaitable);
    }
}

asio::awaitable<void>
call_in_a_loop(SessionService& service, SessionId id, int calls, bool& is_over)
{
    for (int i = 0; i < calls; ++i) {
        (void)co_await service.peek(id);
    }
    is_over = true;
}

} // namespace

TEST_CASE(
    "session_service: a loop of calls neither overflows the stack nor starves others",
    "[async][service]"
)
{
    ManualService sessions;
    const auto id = sessions.establish();
    int ticks = 0;
    bool is_over = false;
    const auto ticker = spawn_coro(sessions.context.get_executor(), count_ticks(ticks, is_over));
    sessions.run(call_in_a_loop(sessions.service, id, 100'000, is_over));
    CHECK(ticks >= 100);
    sessions.settle();
    CHECK(ticker->is_done());
}

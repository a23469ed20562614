#include "async/inside.hpp"
#include "sojourn/async/confined.hpp"
#include "support/completion_probe.hpp"
#include "support/context_threads.hpp"
#include "support/counting_allocator.hpp"
#include "support/run_coro.hpp"
#include "support/tracking_executor.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <algorithm>
#include <array>
#include <future>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace asio = boost::asio;

namespace sojourn::tests {

namespace {

struct Failure : std::runtime_error {
    Failure() : std::runtime_error("thrown in a turn") {}
};

int add_one(int& value)
{
    return ++value;
}

int read_it(int& value) noexcept
{
    return value;
}

void set_to_seven(int& value)
{
    value = 7;
}

int throw_failure(int& /*value*/)
{
    throw Failure();
}

void throw_an_int(int& /*value*/)
{
    throw 5; // NOLINT(hicpp-exception-baseclass): that is the point
}

std::unique_ptr<int> copy_out(int& value)
{
    return std::make_unique<int>(value);
}

/// A result that cannot be made from nothing.
struct Precise {
    explicit Precise(int v) noexcept : value(v) {}

    int value;
};

Precise precisely(int& value) noexcept
{
    return Precise(value);
}

template <class F>
using SignatureOf = detail::CallSignatureOf<F, int>;

static_assert(std::is_same_v<SignatureOf<int (*)(int&)>, void(std::exception_ptr, int)>);
static_assert(std::is_same_v<SignatureOf<int (*)(int&) noexcept>, void(int)>);
static_assert(std::is_same_v<SignatureOf<void (*)(int&)>, void(std::exception_ptr)>);
static_assert(std::is_same_v<SignatureOf<void (*)(int&) noexcept>, void()>);

/// What a coroutine saw of its calls, to be checked afterwards in the main thread.
struct Seen {
    int value = 0;
    int by_pointer = 0;
    int precise = 0;
    bool caught_exception = false;
    bool caught_int = false;
    bool was_inside = false;
};

asio::awaitable<Seen> use_coroutine_face(Confined<int>& confined)
{
    Seen seen;
    const auto look = [&] { seen.was_inside |= confined.running_in_this_thread(); };
    co_await confined.call(&set_to_seven);
    look();
    seen.value = co_await confined.call(&add_one);
    look();
    const auto pointer = co_await confined.call(&copy_out);
    look();
    seen.by_pointer = *pointer;
    const auto precise = co_await confined.call(&precisely);
    seen.precise = precise.value;
    try {
        co_await confined.call(&throw_failure);
    } catch (const Failure&) {
        seen.caught_exception = true;
    }
    look();
    try {
        co_await confined.call(&throw_an_int);
    } catch (int) {
        seen.caught_int = true;
    }
    look();
    co_return seen;
}

asio::awaitable<Seen> use_asio_face(Confined<int>& confined)
{
    Seen seen;
    const auto look = [&] { seen.was_inside |= confined.running_in_this_thread(); };
    co_await confined.async_call(&set_to_seven, asio::use_awaitable);
    look();
    seen.value = co_await confined.async_call(&add_one, asio::deferred);
    look();
    auto [failure, pointer] =
        co_await confined.async_call(&copy_out, asio::as_tuple(asio::use_awaitable));
    look();
    seen.by_pointer = failure ? 0 : *pointer;
    const auto precise = co_await confined.async_call(&precisely, asio::use_awaitable);
    seen.precise = precise.value;
    try {
        co_await confined.async_call(&throw_failure, asio::use_awaitable);
    } catch (const Failure&) {
        seen.caught_exception = true;
    }
    look();
    auto [thrown] =
        co_await confined.async_call(&throw_an_int, asio::as_tuple(asio::use_awaitable));
    seen.caught_int = thrown != nullptr;
    look();
    co_return seen;
}

void check(const Seen& seen)
{
    CHECK(seen.value == 8);
    CHECK(seen.by_pointer == 8);
    CHECK(seen.precise == 8);
    CHECK(seen.caught_exception);
    CHECK(seen.caught_int);
    CHECK_FALSE(seen.was_inside);
}

/// Both faces, and a future, from a coroutine on `executor`, which has threads of its own.
void check_both_faces_on(const asio::any_io_executor& executor)
{
    Confined<int> confined(executor, 0);
    check(run_coro_on(executor, use_coroutine_face(confined)));
    check(run_coro_on(executor, use_asio_face(confined)));
    auto future = confined.async_call(&add_one, asio::use_future);
    REQUIRE(future.wait_for(default_limit) == std::future_status::ready);
    CHECK(future.get() == 9);
}

asio::awaitable<int> call_add_one(Confined<int>& confined)
{
    co_return co_await confined.call(&add_one);
}

} // namespace

TEST_CASE("confined: both faces work on an io_context with one thread", "[async][confined]")
{
    asio::io_context context;
    const ContextThreads threads(context, 1);
    check_both_faces_on(context.get_executor());
}

TEST_CASE("confined: both faces work on an io_context with four threads", "[async][confined]")
{
    asio::io_context context;
    const ContextThreads threads(context, 4);
    check_both_faces_on(context.get_executor());
}

TEST_CASE("confined: both faces work on a thread_pool", "[async][confined]")
{
    asio::thread_pool pool(2);
    check_both_faces_on(pool.get_executor());
    pool.join();
}

TEST_CASE("confined: both faces work on a strand", "[async][confined]")
{
    asio::thread_pool pool(2);
    check_both_faces_on(asio::make_strand(pool));
    pool.join();
}

TEST_CASE("confined: both faces work on a strand of an any_io_executor", "[async][confined]")
{
    asio::thread_pool pool(2);
    check_both_faces_on(asio::make_strand(asio::any_io_executor(pool.get_executor())));
    pool.join();
}

TEST_CASE("confined: both faces work on an executor of another library", "[async][confined]")
{
    asio::thread_pool pool(2);
    check_both_faces_on(TrackingExecutor(pool.get_executor()));
    pool.join();
}

TEST_CASE("confined: an idle strand runs a call at once, without the context", "[async][confined]")
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 4);
    CHECK(confined.try_call(&add_one) == 5);
    CHECK(context.poll() == 0);
    CHECK(confined.counts().ran_inline == 1);
}

TEST_CASE("confined: try_call gives nothing when the strand is busy", "[async][confined]")
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    bool got_something = true;
    bool was_inside = false;
    while_inside(confined, [&] {
        got_something = confined.try_call(&add_one).has_value();
        was_inside = confined.running_in_this_thread();
    });
    CHECK_FALSE(got_something);
    CHECK(was_inside);
    CHECK_FALSE(confined.running_in_this_thread());
    CHECK(confined.try_call(&read_it) == 0);
}

TEST_CASE(
    "confined: try_call lets an exception out and leaves the strand free", "[async][confined]"
)
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    CHECK_THROWS_AS(confined.try_call(&throw_failure), Failure);
    CHECK(confined.try_call(&add_one) == 1);
}

TEST_CASE(
    "confined: try_call gives nothing when this thread's budget is spent", "[async][confined]"
)
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    renew_inline_budget();
    int runs = 0;
    while (runs <= inline_completion_budget && confined.try_call(&add_one)) {
        ++runs;
    }
    CHECK(runs == inline_completion_budget);
    // The awaited call that follows goes through the executor and fills the budget again.
    CHECK(run_coro(context, call_add_one(confined)) == inline_completion_budget + 1);
    CHECK(confined.try_call(&read_it) == inline_completion_budget + 1);
}

TEST_CASE("confined: try_turn runs at an idle strand, and nowhere else", "[async][confined]")
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    const auto set = [](int& value) noexcept { value = 7; };
    CHECK(confined.try_turn(set));
    CHECK(confined.try_call(&read_it) == 7);
    bool is_inside = false;
    const auto look = [&](int&) noexcept {
        is_inside = confined.running_in_this_thread();
        CHECK_FALSE(confined.try_turn(set));
    };
    CHECK(confined.try_turn(look));
    CHECK(is_inside);
    CHECK_FALSE(confined.running_in_this_thread());
    // It is no call, and is counted as none.
    CHECK(confined.counts().ran_inline == 1);
}

namespace {

/// Notes where its preparation ran, and how often.
struct Prepared {
    Confined<int>* confined;
    int* prepared;

    void prepare() const { *prepared += confined->running_in_this_thread() ? 1000 : 1; }

    int operator()(int& value) const { return value = *prepared; }
};

} // namespace

TEST_CASE("confined: a function prepares itself outside the turn, once a call", "[async][confined]")
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    int prepared = 0;
    for (int i = 1; i < 3; ++i) {
        const Prepared function{&confined, &prepared};
        CHECK(run_coro(context, confined.call(function)) == i);
    }
}

TEST_CASE(
    "confined: a handler is called once and never from inside the initiating function",
    "[async][confined]"
)
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    CompletionProbe idle;
    idle.initiate([&] { confined.async_call(&add_one, idle.handler()); });
    CHECK(idle.completions() == 0);

    CompletionProbe busy;
    while_inside(confined, [&] {
        busy.initiate([&] { confined.async_call(&add_one, busy.handler()); });
    });
    CHECK(busy.completions() == 0);

    run_ready(context);
    CHECK(idle.completions() == 1);
    CHECK(idle.inline_completions() == 0);
    CHECK(idle.live_handlers() == 0);
    CHECK(busy.completions() == 1);
    CHECK(busy.inline_completions() == 0);
    CHECK(busy.live_handlers() == 0);
}

TEST_CASE("confined: a handler is never called inside somebody else's call", "[async][confined]")
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    CompletionProbe probe;
    std::atomic<bool> was_inside{false};
    const auto handler = [&] {
        return probe.handler([&](std::exception_ptr, int) {
            was_inside = was_inside || confined.running_in_this_thread();
        });
    };
    const ContextThreads threads(context, 2);
    // The context's threads are there to call the handlers too early, if anything lets them.
    while_inside(confined, [&] {
        for (int i = 0; i < 200; ++i) {
            confined.async_call(&add_one, handler());
        }
    });
    poll_until([&] { return probe.completions() == 200; });
    CHECK(confined.try_call(&read_it) == 200);
    poll_until([&] { return probe.live_handlers() == 0; });
    CHECK_FALSE(was_inside.load());
}

TEST_CASE("confined: a handler runs on its associated executor", "[async][confined]")
{
    asio::io_context home;
    asio::io_context other;
    Confined<int> confined(home.get_executor(), 0);
    const TrackingExecutor theirs(other.get_executor());
    CompletionProbe probe;
    int on_theirs = 0;
    int value = 0;
    const auto handler = [&] {
        return asio::bind_executor(theirs, probe.handler([&](std::exception_ptr, int result) {
            on_theirs += theirs.running_in_this_thread() ? 1 : 0;
            value = result;
        }));
    };
    confined.async_call(&add_one, handler());
    while_inside(confined, [&] { confined.async_call(&add_one, handler()); });

    poll_until([&] {
        run_ready(home);
        run_ready(other);
        return probe.completions() == 2;
    });
    CHECK(on_theirs == 2);
    CHECK(value == 2);
}

TEST_CASE(
    "confined: a type-erased handler runs on its associated executor, and once", "[async][confined]"
)
{
    asio::io_context home;
    asio::io_context other;
    Confined<int> confined(home.get_executor(), 0);
    const TrackingExecutor theirs(other.get_executor());
    CompletionProbe probe;
    int on_theirs = 0;
    const auto handler = [&] {
        auto plain = probe.handler([&](std::exception_ptr, int) {
            on_theirs +=
                theirs.running_in_this_thread() && !confined.running_in_this_thread() ? 1 : 0;
        });
        return asio::any_completion_handler<void(std::exception_ptr, int)>(
            asio::bind_executor(theirs, std::move(plain))
        );
    };
    probe.initiate([&] { confined.async_call(&add_one, handler()); });
    while_inside(confined, [&] {
        probe.initiate([&] { confined.async_call(&add_one, handler()); });
    });
    poll_until([&] {
        run_ready(home);
        run_ready(other);
        return probe.completions() == 2;
    });
    CHECK(on_theirs == 2);
    CHECK(probe.inline_completions() == 0);
    CHECK(probe.live_handlers() == 0);
}

TEST_CASE(
    "confined: a handler that is begun on the home's thread is not called at once either",
    "[async][confined]"
)
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    CompletionProbe plain;
    CompletionProbe erased;
    asio::post(context, [&] {
        plain.initiate([&] { confined.async_call(&add_one, plain.handler()); });
        erased.initiate([&] {
            confined.async_call(
                &add_one,
                asio::any_completion_handler<void(std::exception_ptr, int)>(erased.handler())
            );
        });
    });
    run_ready(context);
    CHECK(plain.completions() == 1);
    CHECK(plain.inline_completions() == 0);
    CHECK(erased.completions() == 1);
    CHECK(erased.inline_completions() == 0);
}

TEST_CASE(
    "confined: a handler needs only its own executor, not the home, to run", "[async][confined]"
)
{
    asio::io_context home;
    asio::io_context other;
    Confined<int> confined(home.get_executor(), 0);
    CompletionProbe probe;
    confined.async_call(&add_one, asio::bind_executor(other.get_executor(), probe.handler()));
    // `run` returns when there is no work left, so this also shows that the call is work.
    other.run_for(default_limit);
    CHECK(probe.completions() == 1);
}

TEST_CASE("confined: a queued call keeps its handler's context running", "[async][confined]")
{
    asio::io_context home;
    asio::io_context other;
    Confined<int> confined(home.get_executor(), 0);
    CompletionProbe probe;
    bool ran_out_of_work = true;
    while_inside(confined, [&] {
        confined.async_call(&add_one, asio::bind_executor(other.get_executor(), probe.handler()));
        other.restart();
        other.poll();
        ran_out_of_work = other.stopped();
    });
    CHECK_FALSE(ran_out_of_work);
    poll_until([&] {
        run_ready(home);
        run_ready(other);
        return probe.completions() == 1;
    });
    other.restart();
    other.poll();
    CHECK(other.stopped());
}

TEST_CASE(
    "confined: a handler's allocator is used, and its memory is free when it is called",
    "[async][confined]"
)
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    AllocationLedger ledger;
    CompletionProbe probe;
    std::vector<int> live_when_called;
    const auto handler = [&] {
        return asio::bind_allocator(
            CountingAllocator<int>(ledger), probe.handler([&](std::exception_ptr, int) {
                live_when_called.push_back(ledger.live.load());
            })
        );
    };
    confined.async_call(&add_one, handler());
    CHECK(ledger.made.load() > 0);
    run_ready(context);
    while_inside(confined, [&] { confined.async_call(&add_one, handler()); });
    run_ready(context);
    CHECK(live_when_called == std::vector{0, 0});
    CHECK(ledger.live.load() == 0);
    CHECK(probe.completions() == 2);
}

TEST_CASE("confined: a call that cannot be allocated throws and is not run", "[async][confined]")
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    AllocationLedger ledger;
    ledger.failing = 1;
    CompletionProbe probe;
    const auto initiate = [&] {
        confined.async_call(
            &add_one, asio::bind_allocator(CountingAllocator<int>(ledger), probe.handler())
        );
    };
    CHECK_THROWS_AS(initiate(), std::bad_alloc);
    CHECK(probe.live_handlers() == 0);
    CHECK(confined.try_call(&read_it) == 0);
    initiate();
    run_ready(context);
    CHECK(probe.completions() == 1);
}

TEST_CASE("confined: arguments may die after the initiation", "[async][confined]")
{
    asio::io_context context;
    auto confined = std::make_unique<Confined<int>>(context.get_executor(), 0);
    std::string got;
    while_inside(*confined, [&] {
        const std::string text(1000, 'x');
        auto function = [text](int&) { return text; };
        confined->async_call(function, [&](std::exception_ptr, const std::string& result) {
            got = result;
        });
    });
    confined.reset();
    run_ready(context);
    CHECK(got == std::string(1000, 'x'));
}

namespace {

/// Whether the caller, in the thread in which it goes on after a call, finds the strand free.
asio::awaitable<bool> finds_strand_free(Confined<int>& confined)
{
    co_await confined.call(&add_one);
    const auto result = confined.try_call(&read_it);
    co_return result.has_value() && !confined.running_in_this_thread();
}

} // namespace

TEST_CASE("confined: a caller that was suspended goes on outside the strand", "[async][confined]")
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    renew_inline_budget();
    auto caller = spawn_coro(context.get_executor(), finds_strand_free(confined));
    while_inside(confined, [&] { run_ready(context); });
    CHECK_FALSE(caller->is_done());
    run_ready(context);
    REQUIRE(caller->is_done());
    CHECK(caller->take());
    CHECK(confined.counts().suspended == 1);
}

namespace {

asio::awaitable<bool> goes_on_through(Confined<int>& confined, const TrackingExecutor& executor)
{
    const bool before = executor.running_in_this_thread();
    co_await confined.call(&add_one);
    co_return before&& executor.running_in_this_thread();
}

} // namespace

TEST_CASE("confined: a suspended caller is resumed on its own executor", "[async][confined]")
{
    asio::io_context home;
    asio::io_context other;
    Confined<int> confined(home.get_executor(), 0);
    const TrackingExecutor theirs(other.get_executor());
    auto caller = spawn_coro(theirs, goes_on_through(confined, theirs));
    while_inside(confined, [&] { run_ready(other); });
    CHECK(confined.counts().suspended == 1);
    CHECK_FALSE(caller->is_done());
    run_ready(home);
    CHECK_FALSE(caller->is_done());
    run_ready(other);
    REQUIRE(caller->is_done());
    CHECK(caller->take());
}

TEST_CASE("confined: a suspended caller keeps its context running", "[async][confined]")
{
    asio::io_context home;
    asio::io_context other;
    Confined<int> confined(home.get_executor(), 0);
    auto caller = spawn_coro(other.get_executor(), call_add_one(confined));
    bool ran_out_of_work = true;
    while_inside(confined, [&] {
        run_ready(other);
        ran_out_of_work = other.stopped();
    });
    CHECK_FALSE(ran_out_of_work);
    run_ready(other);
    REQUIRE(caller->is_done());
    CHECK(caller->take() == 1);
    CHECK(other.stopped());
}

namespace {

asio::awaitable<void>
compute_after_call(Confined<int>& confined, Signal& computing, const Signal& may_end)
{
    co_await confined.call(&add_one);
    computing.set();
    may_end.wait();
}

} // namespace

TEST_CASE("confined: a caller that computes after its call holds up nobody", "[async][confined]")
{
    asio::thread_pool pool(2);
    Confined<int> confined(pool.get_executor(), 0);
    Signal computing;
    Signal may_end;
    std::shared_ptr<CoroResult<void>> caller;
    // Suspended first, so that it goes on wherever completions come from.
    while_inside(confined, [&] {
        caller = spawn_coro(pool.get_executor(), compute_after_call(confined, computing, may_end));
        poll_until([&] { return confined.counts().suspended == 1; });
    });
    computing.wait();
    std::vector<std::future<int>> others(200);
    while_inside(confined, [&] {
        for (auto& other : others) {
            other = confined.async_call(&add_one, asio::use_future);
        }
    });
    bool all_ready = true;
    for (auto& other : others) {
        all_ready = all_ready && other.wait_for(default_limit) == std::future_status::ready;
    }
    CHECK(all_ready);
    CHECK_FALSE(caller->is_done());
    may_end.set();
    poll_until([&] { return caller->is_done(); });
    pool.join();
    CHECK(confined.try_call(&read_it) == 201);
}

namespace {

/// The stack's depth, as far as it can be told from inside a function.
std::uintptr_t stack_position()
{
    return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

struct Depths {
    std::uintptr_t lowest = UINTPTR_MAX;
    std::uintptr_t highest = 0;

    void note()
    {
        lowest = std::min(lowest, stack_position());
        highest = std::max(highest, stack_position());
    }
};

asio::awaitable<void>
call_many_times(Confined<int>& confined, int times, Depths& inside, Depths& outside)
{
    const auto function = [&inside](int& value) {
        inside.note();
        ++value;
    };
    for (int i = 0; i < times; ++i) {
        co_await confined.call(function);
        outside.note();
    }
}

asio::awaitable<int> wait_many_times(int times, const std::atomic<bool>& others_are_done)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    int waits = 0;
    while (waits < times && !others_are_done.load()) {
        timer.expires_after(std::chrono::microseconds(1));
        co_await timer.async_wait(asio::use_awaitable);
        ++waits;
    }
    co_return waits;
}

/// Calls itself again from its completion handler, as a careless loop of callbacks does.
class CallbackLoop {
public:
    CallbackLoop(Confined<int>& confined, int times) : confined_(confined), left_(times) {}

    void go_on()
    {
        depths.note();
        if (left_-- > 0) {
            confined_.async_call(&add_one, [this](std::exception_ptr, int) { go_on(); });
        }
    }

    Depths depths;

private:
    Confined<int>& confined_;
    int left_;
};

} // namespace

TEST_CASE(
    "confined: a million calls in a loop neither grow the stack nor starve a timer",
    "[async][confined]"
)
{
    constexpr int calls = 1'000'000;
    constexpr int waits = 100;
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    Depths inside;
    Depths outside;
    std::atomic<bool> calls_are_done{false};
    auto waiter = spawn_coro(context.get_executor(), wait_many_times(waits, calls_are_done));
    run_coro(context, call_many_times(confined, calls, inside, outside));
    calls_are_done = true;
    poll_until(context, [&] { return waiter->is_done(); });
    CHECK(confined.try_call(&read_it) == calls);
    CHECK(inside.highest - inside.lowest < 16 * 1024);
    CHECK(outside.highest - outside.lowest < 16 * 1024);
    CHECK(waiter->take() == waits);
    CHECK(total(confined.counts()) == calls + 1);
}

TEST_CASE(
    "confined: a hundred thousand callbacks in a row do not grow the stack", "[async][confined]"
)
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    CallbackLoop loop(confined, 100'000);
    // The first is called from here; what counts is how deep the others go.
    asio::post(context, [&] { loop.go_on(); });
    context.run();
    CHECK(confined.try_call(&read_it) == 100'000);
    CHECK(loop.depths.highest - loop.depths.lowest < 16 * 1024);
}

TEST_CASE("confined: the cooperative budget is exact", "[async][confined]")
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    Depths ignored;
    renew_inline_budget();
    auto caller =
        spawn_coro(context.get_executor(), call_many_times(confined, 1000, ignored, ignored));
    std::vector<int> seen;
    while (!caller->is_done()) {
        context.restart();
        REQUIRE(context.poll_one() == 1);
        renew_inline_budget();
        const auto value = confined.try_call(&read_it);
        renew_inline_budget();
        seen.push_back(value.value_or(-1));
    }
    // So many run at once; the next goes through the executor first, and so many follow it.
    constexpr int first = inline_completion_budget;
    constexpr int step = inline_completion_budget + 1;
    std::vector<int> expected;
    for (int count = first; count < 1000; count += step) {
        expected.push_back(count);
    }
    expected.push_back(1000);
    CHECK(seen == expected);
}

TEST_CASE("confined: callers on one thread share the budget fairly", "[async][confined]")
{
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    Depths ignored;
    std::array<std::shared_ptr<CoroResult<void>>, 4> callers;
    for (auto& caller : callers) {
        caller = spawn_coro(
            context.get_executor(), call_many_times(confined, 100'000, ignored, ignored)
        );
    }
    poll_until(context, [&] { return callers[0]->is_done(); });
    // The others had as many turns, so they are within one budget of their end.
    CHECK(
        confined.try_call(&read_it).value_or(400'000) >=
        4 * (100'000 - 2 * inline_completion_budget)
    );
    poll_until(context, [&] {
        return std::ranges::all_of(callers, [](const auto& caller) { return caller->is_done(); });
    });
}

// Cancellation. A turn is not cancelled: a call that was begun completes with its result.

namespace {

constexpr std::array cancellation_types{
    asio::cancellation_type::terminal,
    asio::cancellation_type::partial,
    asio::cancellation_type::total,
    asio::cancellation_type::all,
};

asio::awaitable<int> call_after_reset(Confined<int>& confined)
{
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    const int result = co_await confined.call(&add_one);
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() == asio::cancellation_type::none ? -result : result;
}

/// Whether the call was aborted.
asio::awaitable<bool> emit_then_call(
    Confined<int>& confined, asio::cancellation_signal& signal, asio::cancellation_type type
)
{
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    signal.emit(type);
    bool was_aborted = false;
    try {
        co_await confined.call(&add_one);
    } catch (const boost::system::system_error& error) {
        was_aborted = error.code() == asio::error::operation_aborted;
    }
    // Else 1.83's co_spawn trips over the cancellation when it completes.
    co_await asio::this_coro::reset_cancellation_state();
    co_return was_aborted;
}

} // namespace

TEST_CASE(
    "confined: a suspended call completes with its result whatever is emitted", "[async][confined]"
)
{
    const auto type = GENERATE(from_range(cancellation_types));
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    asio::cancellation_signal signal;
    std::optional<int> result;
    asio::co_spawn(
        context,
        call_after_reset(confined),
        asio::bind_cancellation_slot(
            signal.slot(),
            [&](std::exception_ptr failure, int value) { result = failure ? 0 : value; }
        )
    );
    while_inside(confined, [&] {
        run_ready(context);
        signal.emit(type);
        run_ready(context);
    });
    CHECK_FALSE(result.has_value());
    signal.emit(type);
    run_ready(context);
    // Positive: it was cancelled, as the coroutine can tell, and has its result all the same.
    CHECK(result == 1);
    signal.emit(type);
    CHECK(confined.try_call(&read_it) == 1);
}

namespace {

/// Calls until the budget is spent, and once more. `calls` tells how far it got.
asio::awaitable<int> call_beyond_budget(Confined<int>& confined, int& calls)
{
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    int result = 0;
    for (; calls <= inline_completion_budget; ++calls) {
        result = co_await confined.call(&add_one);
    }
    const auto state = co_await asio::this_coro::cancellation_state;
    const bool was_cancelled = state.cancelled() != asio::cancellation_type::none;
    // Else 1.83's co_spawn trips over the cancellation when it completes.
    co_await asio::this_coro::reset_cancellation_state();
    co_return was_cancelled ? result : -result;
}

} // namespace

TEST_CASE(
    "confined: a coroutine cancelled while it waits for its budget is not left in the queue",
    "[async][confined]"
)
{
    // It resumes at a busy strand, so its call is queued; then it must suspend, cancelled or not.
    const auto type = GENERATE(from_range(cancellation_types));
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    asio::cancellation_signal signal;
    int calls = 0;
    std::optional<int> result;
    renew_inline_budget();
    asio::co_spawn(
        context,
        call_beyond_budget(confined, calls),
        asio::bind_cancellation_slot(
            signal.slot(),
            [&](const std::exception_ptr& failure, int value) { result = failure ? 0 : value; }
        )
    );
    while (calls < inline_completion_budget) {
        REQUIRE(context.run_one_for(default_limit) == 1);
    }
    signal.emit(type);
    while_inside(confined, [&] { run_ready(context); });
    CHECK_FALSE(result.has_value());
    run_ready(context);
    CHECK(result == inline_completion_budget + 1);
    CHECK(confined.try_call(&read_it) == inline_completion_budget + 1);
}

TEST_CASE("confined: a cancelled coroutine does not begin another call", "[async][confined]")
{
    const auto type = GENERATE(from_range(cancellation_types));
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    asio::cancellation_signal signal;
    bool was_aborted = false;
    asio::co_spawn(
        context,
        emit_then_call(confined, signal, type),
        asio::bind_cancellation_slot(
            signal.slot(),
            [&](std::exception_ptr failure, bool result) { was_aborted = !failure && result; }
        )
    );
    run_ready(context);
    CHECK(was_aborted);
    CHECK(confined.try_call(&add_one) == 1);
}

TEST_CASE("confined: a handler's cancellation slot is left alone", "[async][confined]")
{
    const auto type = GENERATE(from_range(cancellation_types));
    asio::io_context context;
    Confined<int> confined(context.get_executor(), 0);
    asio::cancellation_signal signal;
    CompletionProbe probe;
    std::vector<int> results;
    const auto handler = [&] {
        return asio::bind_cancellation_slot(
            signal.slot(), probe.handler([&](std::exception_ptr failure, int value) {
                results.push_back(failure ? 0 : value);
            })
        );
    };
    signal.emit(type);
    while_inside(confined, [&] {
        confined.async_call(&add_one, handler());
        signal.emit(type);
    });
    signal.emit(type);
    run_ready(context);
    signal.emit(type);
    run_ready(context);
    CHECK(results == std::vector{1});
    CHECK(probe.completions() == 1);
    CHECK_FALSE(signal.slot().has_handler());
}

// Nudges.

namespace {

class Counter {
public:
    explicit Counter(std::atomic<int>& runs) : runs_(runs) {}

    void nudged() noexcept
    {
        runs_.fetch_add(1);
        if (then) {
            std::exchange(then, nullptr)();
        }
    }

    std::function<void()> then;

private:
    std::atomic<int>& runs_;
};

} // namespace

TEST_CASE("confined: a nudge of an idle strand is answered at once", "[async][confined]")
{
    asio::io_context context;
    std::atomic<int> runs{0};
    Confined<Counter> confined(context.get_executor(), runs);
    confined.nudge();
    CHECK(runs == 1);
    confined.nudge();
    CHECK(runs == 2);
    CHECK(context.poll() == 0);
}

TEST_CASE(
    "confined: nudges of a busy strand are answered together, before it is idle",
    "[async][confined]"
)
{
    asio::io_context context;
    std::atomic<int> runs{0};
    Confined<Counter> confined(context.get_executor(), runs);
    int meanwhile = -1;
    while_inside(confined, [&] {
        for (int i = 0; i < 10; ++i) {
            confined.nudge();
        }
        meanwhile = runs.load();
    });
    CHECK(meanwhile == 0);
    CHECK(runs == 1);
}

TEST_CASE("confined: a nudge from inside the answer to a nudge is answered", "[async][confined]")
{
    asio::io_context context;
    std::atomic<int> runs{0};
    Confined<Counter> confined(context.get_executor(), runs);
    const auto again = [&](Counter& counter) { counter.then = [&] { confined.nudge(); }; };
    confined.async_call(again, [](std::exception_ptr) {});
    confined.nudge();
    CHECK(runs == 2);
}

} // namespace sojourn::tests

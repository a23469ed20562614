// The ends of confined values and of contexts, in every order that is allowed, with calls in
// flight. ASan, run with Asio's recycling off, and LSan are the judges of most of these.

#include "async/inside.hpp"
#include "sojourn/async/confined.hpp"
#include "support/completion_probe.hpp"
#include "support/face.hpp"
#include "support/run_coro.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace asio = boost::asio;

namespace sojourn::tests {

namespace {

/// More than one drain's worth, so that a part of it is left to the strand.
constexpr int many = 100;
constexpr int drained_at_once = 64;

/// What is confined, and what outlives it.
struct CallLog {
    int calls = 0;
    int nudges = 0;
    int values_alive = 0;
    int guards_alive = 0;
    int finished = 0;
};

class Value {
public:
    explicit Value(CallLog& log) : log_(log) { ++log_.values_alive; }

    Value(const Value&) = delete;
    Value& operator=(const Value&) = delete;
    Value(Value&&) = delete;
    Value& operator=(Value&&) = delete;

    ~Value() { --log_.values_alive; }

    void nudged() noexcept { ++log_.nudges; }

    void call() { ++log_.calls; }

private:
    CallLog& log_;
};

using SharedConfined = std::shared_ptr<Confined<Value>>;

/// Held by whoever waits; calls back when destroyed, as a session's lease does.
class CallGuard {
public:
    CallGuard(SharedConfined confined, CallLog& log) : confined_(std::move(confined)), log_(&log)
    {
        ++log_->guards_alive;
    }

    CallGuard(CallGuard&& other) noexcept
        : confined_(std::move(other.confined_)), log_(std::exchange(other.log_, nullptr))
    {
    }

    CallGuard(const CallGuard&) = delete;
    CallGuard& operator=(const CallGuard&) = delete;
    CallGuard& operator=(CallGuard&&) = delete;

    ~CallGuard()
    {
        if (log_ != nullptr) {
            --log_->guards_alive;
            confined_->nudge();
        }
    }

    [[nodiscard]] CallLog& log() const noexcept { return *log_; }

private:
    SharedConfined confined_;
    CallLog* log_;
};

void use(Value& value)
{
    value.call();
}

/// Keeps the confined value by its guard.
asio::awaitable<void> call_with_guard(SharedConfined confined, CallGuard guard)
{
    co_await confined->call(&use);
    ++guard.log().finished;
}

/// Keeps nothing.
asio::awaitable<void> call_plainly(Confined<Value>& confined, CallLog& log)
{
    co_await confined.call(&use);
    ++log.finished;
}

/// Puts `many` calls of callers on `theirs` in the queue; 64 are run, the rest is left to the home.
void queue_calls(asio::io_context& theirs, const SharedConfined& confined, CallLog& log, Face face)
{
    while_inside(*confined, [&] {
        for (int i = 0; i < many; ++i) {
            if (face == Face::coroutine) {
                spawn_coro(
                    theirs.get_executor(), call_with_guard(confined, CallGuard(confined, log))
                );
            } else {
                auto finish = [guard = CallGuard(confined, log)](std::exception_ptr) {
                    ++guard.log().finished;
                };
                confined->async_call(
                    &use, asio::bind_executor(theirs.get_executor(), std::move(finish))
                );
            }
        }
        run_ready(theirs);
    });
}

} // namespace

TEST_CASE(
    "confined: may be destroyed while calls wait, which then complete",
    "[async][confined][lifetime]"
)
{
    const auto face = GENERATE(Face::coroutine, Face::handler);
    CallLog log;
    asio::io_context context;
    auto confined = std::make_unique<Confined<Value>>(context.get_executor(), log);
    while_inside(*confined, [&] {
        for (int i = 0; i < many; ++i) {
            if (face == Face::coroutine) {
                spawn_coro(context.get_executor(), call_plainly(*confined, log));
            } else {
                confined->async_call(&use, [&](std::exception_ptr) { ++log.finished; });
            }
        }
        run_ready(context);
    });
    CHECK(log.calls == drained_at_once);
    confined.reset();
    CHECK(log.values_alive == 1);
    run_ready(context);
    CHECK(log.calls == many);
    CHECK(log.finished == many);
    CHECK(log.values_alive == 0);
}

TEST_CASE(
    "confined: may be destroyed while a caller waits for its budget", "[async][confined][lifetime]"
)
{
    CallLog log;
    asio::io_context context;
    auto confined = std::make_unique<Confined<Value>>(context.get_executor(), log);
    renew_inline_budget();
    while (spend_inline_budget()) {
    }
    spawn_coro(context.get_executor(), call_plainly(*confined, log));
    while (context.poll_one() == 1 && log.values_alive == 1 && log.calls == 0) {
        confined.reset();
    }
    CHECK_FALSE(confined);
    CHECK(log.calls == 1);
    run_ready(context);
    CHECK(log.finished == 1);
    CHECK(log.values_alive == 0);
}

TEST_CASE(
    "confined: the context ends before the value, with calls waiting", "[async][confined][lifetime]"
)
{
    const auto face = GENERATE(Face::coroutine, Face::handler);
    CallLog log;
    SharedConfined confined;
    {
        asio::io_context context;
        confined = std::make_shared<Confined<Value>>(context.get_executor(), log);
        queue_calls(context, confined, log, face);
        CHECK(log.calls == drained_at_once);
        CHECK(log.guards_alive == many);
    }
    CHECK(log.calls == drained_at_once);
    CHECK(log.finished == 0);
    CHECK(log.guards_alive == 0);
    CHECK(log.nudges > 0);
    CHECK(log.values_alive == 1);
    confined.reset();
    CHECK(log.values_alive == 0);
}

TEST_CASE(
    "confined: the value goes before the context, with calls waiting", "[async][confined][lifetime]"
)
{
    const auto face = GENERATE(Face::coroutine, Face::handler);
    CallLog log;
    {
        asio::io_context context;
        auto confined = std::make_shared<Confined<Value>>(context.get_executor(), log);
        queue_calls(context, confined, log, face);
        confined.reset();
        CHECK(log.values_alive == 1);
    }
    CHECK(log.finished == 0);
    CHECK(log.guards_alive == 0);
    CHECK(log.values_alive == 0);
}

TEST_CASE(
    "confined: the context is stopped and never run again, with calls waiting",
    "[async][confined][lifetime]"
)
{
    const auto face = GENERATE(Face::coroutine, Face::handler);
    CallLog log;
    std::optional<asio::io_context> context(std::in_place);
    auto confined = std::make_shared<Confined<Value>>(context->get_executor(), log);
    queue_calls(*context, confined, log, face);
    context->stop();
    CHECK(context->run() == 0);
    // The drain that nobody runs keeps the strand busy.
    CHECK_FALSE(confined->try_call([](Value&) { return 0; }).has_value());
    context.reset();
    CHECK(log.guards_alive == 0);
    CHECK(log.finished == 0);
}

TEST_CASE(
    "confined: a strand that others use too does not change the end", "[async][confined][lifetime]"
)
{
    // What a context destroys first depends on what was first used in it.
    const auto face = GENERATE(Face::coroutine, Face::handler);
    CallLog log;
    {
        asio::io_context context;
        auto strand = asio::make_strand(context);
        asio::post(strand, [] {});
        auto confined = std::make_shared<Confined<Value>>(strand, log);
        auto second = std::make_shared<Confined<Value>>(context.get_executor(), log);
        queue_calls(context, confined, log, face);
        queue_calls(context, second, log, face);
    }
    CHECK(log.guards_alive == 0);
    CHECK(log.values_alive == 0);
}

TEST_CASE("confined: the home ends before the callers' context", "[async][confined][lifetime]")
{
    // The caller's own context must outlive its calls; the value may go at any time.
    enum class ValueGoes { first, between, last };
    const auto value_goes = GENERATE(ValueGoes::first, ValueGoes::between, ValueGoes::last);
    const auto face = GENERATE(Face::coroutine, Face::handler);
    const bool theirs_runs_on = GENERATE(false, true);
    CallLog log;
    std::optional<asio::io_context> theirs(std::in_place);
    std::optional<asio::io_context> home(std::in_place);
    auto confined = std::make_shared<Confined<Value>>(home->get_executor(), log);
    queue_calls(*theirs, confined, log, face);
    CHECK(log.guards_alive == many);

    if (value_goes == ValueGoes::first) {
        confined.reset();
    }
    home.reset();
    if (value_goes == ValueGoes::between) {
        confined.reset();
    }
    if (theirs_runs_on) {
        run_ready(*theirs);
        // Those whose calls were run go on; the others were let go with the home.
        CHECK(log.finished == drained_at_once);
        CHECK(log.guards_alive == 0);
        CHECK(theirs->stopped());
    }
    theirs.reset();
    CHECK(log.guards_alive == 0);
    confined.reset();
    CHECK(log.values_alive == 0);
}

TEST_CASE(
    "confined: two values whose callers hold each other end with their context",
    "[async][confined][lifetime]"
)
{
    CallLog log;
    {
        asio::io_context context;
        auto one = std::make_shared<Confined<Value>>(context.get_executor(), log);
        auto two = std::make_shared<Confined<Value>>(context.get_executor(), log);
        while_inside(*one, [&] {
            for (int i = 0; i < many; ++i) {
                spawn_coro(context.get_executor(), call_with_guard(one, CallGuard(two, log)));
            }
            run_ready(context);
        });
        while_inside(*two, [&] {
            for (int i = 0; i < many; ++i) {
                spawn_coro(context.get_executor(), call_with_guard(two, CallGuard(one, log)));
            }
            run_ready(context);
        });
    }
    CHECK(log.guards_alive == 0);
    CHECK(log.values_alive == 0);
}

TEST_CASE(
    "confined: a nudge that waits for a lost drain ends with the context",
    "[async][confined][lifetime]"
)
{
    // The drain holds the last reference, and the nudge in the queue holds none.
    CallLog log;
    {
        asio::io_context context;
        const auto strand = asio::make_strand(context);
        auto confined = std::make_unique<Confined<Value>>(context.get_executor(), log);
        while_inside(*confined, [&] {
            for (int i = 0; i < drained_at_once; ++i) {
                confined->async_call(&use, [](std::exception_ptr) {});
            }
            confined->nudge();
        });
        CHECK(log.calls == drained_at_once);
        CHECK(log.nudges == 0);
        confined.reset();
        CHECK(log.values_alive == 1);
    }
    CHECK(log.values_alive == 0);
}

TEST_CASE(
    "confined: a nudge that waits for a lost drain is answered when the context ends",
    "[async][confined][lifetime]"
)
{
    CallLog log;
    std::optional<asio::io_context> context(std::in_place);
    Confined<Value> confined(context->get_executor(), log);
    while_inside(confined, [&] {
        for (int i = 0; i < drained_at_once; ++i) {
            confined.async_call(&use, [](std::exception_ptr) {});
        }
        confined.nudge();
    });
    CHECK(log.nudges == 0);
    context.reset();
    CHECK(log.nudges == 1);
    confined.nudge();
    CHECK(log.nudges == 2);
}

TEST_CASE("confined: works on after its context has ended", "[async][confined][lifetime]")
{
    CallLog log;
    std::optional<asio::io_context> home(std::in_place);
    asio::io_context theirs;
    const auto confined = std::make_shared<Confined<Value>>(home->get_executor(), log);
    home.reset();

    const auto count = [&](Value&) { return log.calls; };
    renew_inline_budget();
    CHECK(confined->try_call(count) == 0);
    confined->nudge();
    CHECK(log.nudges == 1);
    run_coro(theirs, call_plainly(*confined, log));
    CHECK(log.finished == 1);

    CompletionProbe probe;
    confined->async_call(&use, asio::bind_executor(theirs.get_executor(), probe.handler()));
    run_ready(theirs);
    CHECK(probe.completions() == 1);
    CHECK(log.calls == 2);

    // Whoever is inside runs all that others left, as there is no strand to leave it to.
    queue_calls(theirs, confined, log, Face::coroutine);
    run_ready(theirs);
    CHECK(log.calls == 2 + many);
    CHECK(log.finished == 1 + many);
    CHECK(log.guards_alive == 0);
}

TEST_CASE(
    "confined: a handler without a context to run on is destroyed", "[async][confined][lifetime]"
)
{
    CallLog log;
    std::optional<asio::io_context> home(std::in_place);
    Confined<Value> confined(home->get_executor(), log);
    home.reset();
    CompletionProbe probe;
    CHECK_THROWS_AS(confined.async_call(&use, probe.handler()), asio::execution::bad_executor);
    asio::any_completion_handler<void(std::exception_ptr)> erased(probe.handler());
    CHECK_THROWS_AS(confined.async_call(&use, std::move(erased)), asio::execution::bad_executor);
    CHECK(probe.completions() == 0);
    CHECK(log.calls == 0);
    CHECK(probe.live_handlers() == 0);
    const auto nothing = [](Value&) { return true; };
    CHECK(confined.try_call(nothing) == true);
}

TEST_CASE("confined: what a turn leaves is dropped when nobody is inside", "[async][confined]")
{
    CallLog log;
    asio::io_context home;
    auto confined = std::make_shared<Confined<Value>>(home.get_executor(), log);
    auto parting = std::make_shared<int>(7);
    const std::weak_ptr<int> seen = parting;
    bool was_inside = true;

    while_inside(*confined, [&] {
        // A turn that is queued now runs before the strand is idle.
        confined->async_call(
            [&](Value&) { was_inside = was_inside && !seen.expired(); },
            asio::bind_executor(home, asio::detached)
        );
        confined->drop_after_turn(std::move(parting));
        CHECK_FALSE(seen.expired());
    });
    CHECK(was_inside);
    CHECK(seen.expired());

    // The next takes its place at once.
    const auto first = std::make_shared<int>(1);
    const auto second = std::make_shared<int>(2);
    while_inside(*confined, [&] {
        confined->drop_after_turn(first);
        confined->drop_after_turn(second);
        CHECK(first.use_count() == 1);
        CHECK(second.use_count() == 2);
    });
    CHECK(second.use_count() == 1);
    run_ready(home);
}

TEST_CASE("confined: a turn may leave what holds the confined value", "[async][confined]")
{
    CallLog log;
    asio::io_context home;
    auto confined = std::make_shared<Confined<Value>>(home.get_executor(), log);
    auto& inside = *confined;
    const auto leave_it = [&](Value&) {
        inside.drop_after_turn(std::move(confined));
        return true;
    };
    renew_inline_budget();
    CHECK(inside.try_call(leave_it) == true);
    CHECK(confined == nullptr);
    CHECK(log.values_alive == 0);
}

namespace {

/// A turn that takes hold of an object where its caller may be suspended.
struct Keeping {
    std::shared_ptr<int> object;
    std::shared_ptr<int> kept;

    void keep() noexcept { kept = object; }

    long operator()(Value& /*value*/) const noexcept { return object.use_count(); }
};

} // namespace

TEST_CASE("confined: a turn keeps what it needs only where its caller waits", "[async][confined]")
{
    CallLog log;
    asio::io_context home;
    auto confined = std::make_shared<Confined<Value>>(home.get_executor(), log);
    const auto object = std::make_shared<int>(7);

    // This one, and the function's own.
    Keeping inline_turn{object, nullptr};
    CHECK(run_coro(home, confined->call(std::move(inline_turn))) == 2);

    long references = 0;
    const auto wait = [&]() -> asio::awaitable<void> {
        Keeping turn{object, nullptr};
        references = co_await confined->call(std::move(turn));
    };
    while_inside(*confined, [&] {
        asio::co_spawn(home, wait, asio::detached);
        run_ready(home);
    });
    run_ready(home);
    CHECK(references == 3);
    CHECK(object.use_count() == 1);
}

TEST_CASE("confined: a thread_pool ends with calls waiting", "[async][confined][lifetime]")
{
    // The home never runs a thing once it is stopped; the callers are its own.
    CallLog log;
    {
        asio::thread_pool pool(1);
        auto confined = std::make_shared<Confined<Value>>(pool.get_executor(), log);
        pool.stop();
        pool.join();
        while_inside(*confined, [&] {
            for (int i = 0; i < many; ++i) {
                auto finish = [guard = CallGuard(confined, log)](std::exception_ptr) {
                    ++guard.log().finished;
                };
                confined->async_call(&use, std::move(finish));
            }
        });
        CHECK(log.calls == drained_at_once);
    }
    CHECK(log.finished == 0);
    CHECK(log.guards_alive == 0);
    CHECK(log.values_alive == 0);
}

} // namespace sojourn::tests

// Confined values under threads. What these find, they find with TSan, or by a wrong total.

#include "async/inside.hpp"
#include "sojourn/async/confined.hpp"
#include "support/completion_probe.hpp"
#include "support/context_threads.hpp"
#include "support/run_coro.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

namespace asio = boost::asio;

namespace sojourn::tests {

namespace {

/// Not atomic on purpose: only the strand protects it.
struct ConfinedTally {
    std::uint64_t count = 0;
    bool is_inside = false;
    bool overlapped = false;
};

std::uint64_t add(ConfinedTally& tally)
{
    tally.overlapped |= std::exchange(tally.is_inside, true);
    ++tally.count;
    tally.is_inside = false;
    return tally.count;
}

using Callers = std::vector<std::shared_ptr<CoroResult<bool>>>;

/// True if the caller was never inside after a call, and the counts it got only rose.
asio::awaitable<bool> add_often(Confined<ConfinedTally>& confined, int times)
{
    bool is_right = true;
    std::uint64_t last = 0;
    for (int i = 0; i < times; ++i) {
        const auto count = co_await confined.call(&add);
        is_right = is_right && count > last && !confined.running_in_this_thread();
        last = count;
    }
    co_return is_right;
}

Callers gather(
    const asio::any_io_executor& executor, Confined<ConfinedTally>& confined, int size, int times
)
{
    Callers crowd;
    for (int i = 0; i < size; ++i) {
        crowd.push_back(spawn_coro(executor, add_often(confined, times)));
    }
    return crowd;
}

void check(Callers& crowd)
{
    poll_until([&] {
        return std::ranges::all_of(crowd, [](const auto& one) { return one->is_done(); });
    });
    bool all_are_right = true;
    for (const auto& one : crowd) {
        all_are_right = one->take() && all_are_right;
    }
    CHECK(all_are_right);
}

void check(Confined<ConfinedTally>& confined, std::uint64_t calls)
{
    // In a turn, so that whoever counted last is done with it.
    ConfinedTally tally;
    CallCounts counts;
    while_inside(confined, [] {});
    while_inside(confined, [&] { counts = confined.counts(); });
    const auto copy = [](ConfinedTally& value) { return value; };
    poll_until([&] {
        renew_inline_budget();
        const auto got = confined.try_call(copy);
        tally = got.value_or(ConfinedTally());
        return got.has_value();
    });
    CHECK(tally.count == calls);
    CHECK_FALSE(tally.overlapped);
    CHECK(total(counts) == calls + 2);
}

} // namespace

TEST_CASE(
    "confined: contended calls of many coroutines give the exact total and count",
    "[async][confined]"
)
{
    asio::io_context context;
    Confined<ConfinedTally> confined(context.get_executor());
    ContextThreads threads(context, 4);
    auto crowd = gather(context.get_executor(), confined, 16, 2000);
    check(crowd);
    threads.finish();
    check(confined, 16 * 2000);
}

TEST_CASE(
    "confined: callers on other contexts than the home's give the exact total", "[async][confined]"
)
{
    asio::io_context home;
    asio::io_context one;
    asio::thread_pool two(2);
    Confined<ConfinedTally> confined(home.get_executor());
    ContextThreads home_threads(home, 1);
    ContextThreads one_threads(one, 2);
    auto on_one = gather(one.get_executor(), confined, 8, 2000);
    auto on_two = gather(two.get_executor(), confined, 8, 2000);
    auto on_strand = gather(asio::make_strand(two.get_executor()), confined, 2, 2000);
    check(on_one);
    check(on_two);
    check(on_strand);
    home_threads.finish();
    one_threads.finish();
    two.join();
    check(confined, 18 * 2000);
}

TEST_CASE(
    "confined: contended calls with handlers complete once each and give the exact total",
    "[async][confined]"
)
{
    constexpr int threads_count = 3;
    constexpr int calls = 3000;
    asio::io_context context;
    asio::thread_pool other(2);
    Confined<ConfinedTally> confined(context.get_executor());
    ContextThreads context_threads(context, 2);
    CompletionProbe probe;
    std::atomic<int> inside{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < threads_count; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < calls; ++j) {
                auto handler = probe.handler([&](std::exception_ptr, std::uint64_t) {
                    inside += confined.running_in_this_thread() ? 1 : 0;
                });
                if (j % 2 == 0) {
                    confined.async_call(&add, std::move(handler));
                } else {
                    confined.async_call(
                        &add, asio::bind_executor(other.get_executor(), std::move(handler))
                    );
                }
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    poll_until([&] { return probe.live_handlers() == 0; });
    context_threads.finish();
    other.join();
    CHECK(probe.completions() == threads_count * calls);
    CHECK(inside == 0);
    check(confined, threads_count * calls);
}

TEST_CASE("confined: a call is combined while its caller spins", "[async][confined]")
{
    if (std::thread::hardware_concurrency() < 2) {
        WARN("not shown: takes two processors");
        return;
    }
    asio::io_context context;
    Confined<ConfinedTally> confined(context.get_executor());
    const ContextThreads threads(context, 2);
    std::uint64_t calls = 0;
    const TimeLimit limit(std::chrono::seconds(5));
    while (confined.counts().combined == 0 && !limit.is_over()) {
        auto crowd = gather(context.get_executor(), confined, 2, 1000);
        check(crowd);
        calls += 2 * 1000;
    }
    if (confined.counts().combined == 0) {
        WARN("not shown: the two threads did not run at the same time");
    }
    check(confined, calls);
}

namespace {

using ContextStrand = asio::strand<asio::io_context::executor_type>;

asio::awaitable<bool> goes_on_in(Confined<ConfinedTally>& confined, ContextStrand strand)
{
    co_await confined.call(&add);
    co_return strand.running_in_this_thread();
}

} // namespace

TEST_CASE(
    "confined: a caller whose call is run by another thread goes on in its own", "[async][confined]"
)
{
    // The holder is inside in its own thread; the caller is suspended, and the holder runs its
    // call.
    asio::io_context home;
    asio::io_context other;
    Confined<ConfinedTally> confined(home.get_executor());
    const ContextThreads home_threads(home, 1);
    const ContextThreads other_threads(other, 1);
    Signal is_inside;
    Signal may_leave;
    std::jthread holder([&] {
        while_inside(confined, [&] {
            is_inside.set();
            may_leave.wait();
        });
    });
    is_inside.wait();
    // Not a TrackingExecutor: TSan does not know the fences by which Asio counts references to one.
    const auto theirs = asio::make_strand(other);
    auto caller = spawn_coro(theirs, goes_on_in(confined, theirs));
    poll_until([&] { return confined.counts().suspended == 1; });
    may_leave.set();
    holder.join();
    poll_until([&] { return caller->is_done(); });
    CHECK(caller->take());
}

namespace {

/// An executor that calls back when a caller begins to wait: the moment between its spinning and
/// its suspension.
class WatchedExecutor {
public:
    struct Watch {
        std::atomic<bool> is_armed{false};
        std::function<void()> when_waiting;
    };

    WatchedExecutor(asio::any_io_executor inner, std::shared_ptr<Watch> watch)
        : inner_(std::move(inner)), watch_(std::move(watch))
    {
    }

    template <class Function>
    void execute(Function&& function) const
    {
        inner_.execute(std::forward<Function>(function));
    }

    template <class Property>
        requires asio::can_query_v<const asio::any_io_executor&, Property>
    [[nodiscard]] decltype(auto) query(const Property& property) const
    {
        return asio::query(inner_, property);
    }

    template <class Property>
        requires asio::can_prefer_v<const asio::any_io_executor&, Property>
    [[nodiscard]] WatchedExecutor prefer(const Property& property) const
    {
        tell(property);
        return {asio::prefer(inner_, property), watch_};
    }

    template <class Property>
        requires asio::can_require_v<const asio::any_io_executor&, Property>
    [[nodiscard]] WatchedExecutor require(const Property& property) const
    {
        tell(property);
        return {asio::require(inner_, property), watch_};
    }

    [[nodiscard]] bool operator==(const WatchedExecutor& other) const noexcept
    {
        return inner_ == other.inner_;
    }

private:
    template <class Property>
    void tell(const Property& /*property*/) const
    {
        using Tracked =
            asio::execution::prefer_only<asio::execution::outstanding_work_t::tracked_t>;
        if constexpr (std::is_same_v<Property, Tracked>) {
            // A work guard: what a caller takes before it is suspended.
            if (watch_->is_armed.exchange(false)) {
                watch_->when_waiting();
            }
        }
    }

    asio::any_io_executor inner_;
    std::shared_ptr<Watch> watch_;
};

} // namespace

TEST_CASE(
    "confined: a call that is run just as its caller suspends is counted once and completes",
    "[async][confined]"
)
{
    asio::io_context context;
    Confined<ConfinedTally> confined(context.get_executor());
    Signal is_inside;
    Signal may_leave;
    std::jthread holder([&] {
        while_inside(confined, [&] {
            is_inside.set();
            may_leave.wait();
        });
    });
    is_inside.wait();
    const auto watch = std::make_shared<WatchedExecutor::Watch>();
    bool came_here = false;
    watch->when_waiting = [&] {
        came_here = true;
        may_leave.set();
        // The holder has left, so it has run the call.
        while_inside(confined, [] {});
    };
    auto caller =
        spawn_coro(WatchedExecutor(context.get_executor(), watch), add_often(confined, 1));
    watch->is_armed = true;
    poll_until(context, [&] { return caller->is_done(); });
    holder.join();
    CHECK(came_here);
    CHECK(caller->take());
    CallCounts counts;
    while_inside(confined, [&] { counts = confined.counts(); });
    // The holder, the hook, the caller, and this.
    CHECK(total(counts) == 4);
    CHECK(counts.combined == 1);
}

namespace {

/// Takes in what was announced, as a table takes in the leases given back to it.
class Collector {
public:
    explicit Collector(std::atomic<std::uint64_t>& announced) : announced_(announced) {}

    void nudged() noexcept
    {
        collected += announced_.exchange(0, std::memory_order_acquire);
        ++turns;
    }

    std::uint64_t collected = 0;
    std::uint64_t turns = 0;

private:
    std::atomic<std::uint64_t>& announced_;
};

/// Announces and nudges when destroyed.
class Announcement {
public:
    Announcement(Confined<Collector>& confined, std::atomic<std::uint64_t>& announced)
        : confined_(confined), announced_(announced)
    {
    }

    Announcement(const Announcement&) = delete;
    Announcement& operator=(const Announcement&) = delete;
    Announcement(Announcement&&) = delete;
    Announcement& operator=(Announcement&&) = delete;

    ~Announcement()
    {
        announced_.fetch_add(1, std::memory_order_release);
        confined_.nudge();
    }

private:
    Confined<Collector>& confined_;
    std::atomic<std::uint64_t>& announced_;
};

} // namespace

TEST_CASE("confined: nudges from many threads are never lost", "[async][confined]")
{
    constexpr int producers = 4;
    constexpr int each = 20'000;
    asio::io_context context;
    std::atomic<std::uint64_t> announced{0};
    Confined<Collector> confined(context.get_executor(), announced);
    ContextThreads threads(context, 1);
    std::vector<std::jthread> all;
    for (int i = 0; i < producers; ++i) {
        all.emplace_back([&] {
            for (int j = 0; j < each; ++j) {
                const Announcement announcement(confined, announced);
            }
        });
    }
    // After each pause, all that was announced has been collected, without one more nudge.
    for (auto& thread : all) {
        thread.join();
    }
    threads.finish();
    const auto read = [](Collector& collector) {
        return std::pair(collector.collected, collector.turns);
    };
    renew_inline_budget();
    const auto got = confined.try_call(read);
    REQUIRE(got.has_value());
    CHECK(got->first == producers * each);
    CHECK(got->second <= producers * each);
}

TEST_CASE("confined: a lone nudge is never left behind by a turn that ends", "[async][confined]")
{
    // The window is small: a nudge against the end of one turn, again and again.
    constexpr int rounds = 2000;
    asio::io_context context;
    std::atomic<std::uint64_t> announced{0};
    Confined<Collector> confined(context.get_executor(), announced);
    ContextThreads threads(context, 1);
    std::atomic<int> round{0};
    std::atomic<int> finished{0};
    std::jthread other([&] {
        for (int i = 1; i <= rounds; ++i) {
            poll_until([&] { return round.load() >= i; });
            confined.nudge();
            finished = i;
        }
    });
    for (int i = 1; i <= rounds; ++i) {
        announced.fetch_add(1);
        round = i;
        confined.nudge();
        poll_until([&] { return finished.load() >= i; });
        // Both nudges have returned; whatever was left to the executor comes soon, or this throws.
        poll_until([&] { return announced.load() == 0; });
    }
    other.join();
    threads.finish();
    CHECK(finished == rounds);
}

} // namespace sojourn::tests

// The semaphore against a number: so many permits, of which so many are held.

#include "linearizability/recording.hpp"
#include "support/context_threads.hpp"
#include "support/seed.hpp"

#include <sojourn/async/async_semaphore.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using boost::asio::awaitable;
using namespace sojourn;
using namespace sojourn::tests;

namespace {

constexpr std::size_t threads = 3;
constexpr int seeds = 3;
constexpr int batches = is_sanitized ? 30 : 100;
constexpr unsigned clients = 4;
constexpr int steps = 12;
constexpr std::size_t usual_limit = 2;

struct SemaphoreSpecification {
    enum class Verb : std::uint8_t { acquire, acquire_at_once, try_acquire, release, resize };

    struct Call {
        Verb verb{};
        /// Of `resize`.
        std::size_t limit = 0;
    };

    enum class Answer : std::uint8_t { done, refused };

    struct State {
        std::size_t limit = usual_limit;
        std::size_t held = 0;

        friend auto operator<=>(const State&, const State&) = default;
    };

    [[nodiscard]] static std::optional<State>
    apply(const State& state, const Call& call, const std::optional<Answer>& answer)
    {
        auto next = state;
        const bool is_free = state.held < state.limit;
        switch (call.verb) {
        case Verb::release:
            --next.held;
            return next;
        case Verb::resize:
            next.limit = call.limit;
            return next;
        default:
            break;
        }
        if (answer == Answer::refused) {
            // As it says, `try_acquire` may fail for no good reason.
            const bool may_refuse = call.verb == Verb::try_acquire || !is_free;
            return may_refuse ? std::optional(next) : std::nullopt;
        }
        ++next.held;
        return is_free ? std::optional(next) : std::nullopt;
    }

    [[nodiscard]] static std::string text(const State& state)
    {
        return std::to_string(state.held) + " of " + std::to_string(state.limit) + " held";
    }

    [[nodiscard]] static std::string text(const Call& call, const std::optional<Answer>& answer)
    {
        const std::string told = !answer ? "?" : *answer == Answer::done ? "done" : "refused";
        switch (call.verb) {
        case Verb::acquire:
            return "acquire() -> " + told;
        case Verb::acquire_at_once:
            return "acquire(0) -> " + told;
        case Verb::try_acquire:
            return "try_acquire() -> " + told;
        case Verb::release:
            return "release()";
        default:
            return "resize(" + std::to_string(call.limit) + ")";
        }
    }
};

using Verb = SemaphoreSpecification::Verb;
using SemaphoreHistory = History<SemaphoreSpecification>;

SemaphoreSpecification::Answer told(const Result<Permit>& result)
{
    if (result) {
        return SemaphoreSpecification::Answer::done;
    }
    if (!(result.error() == errc::overloaded) && !(result.error() == errc::timed_out)) {
        throw boost::system::system_error(result.error().code());
    }
    return SemaphoreSpecification::Answer::refused;
}

class Client {
public:
    Client(AsyncSemaphore& semaphore, StampClock& clock, unsigned number, std::uint64_t seed)
        : semaphore_(semaphore), clock_(clock), number_(number), random_(seed)
    {
    }

    [[nodiscard]] awaitable<void> run()
    {
        for (int i = 0; i < steps; ++i) {
            co_await step();
            if (random_() % 4 == 0) {
                co_await asio::post(asio::use_awaitable);
            }
        }
        while (!permits_.empty()) {
            release();
        }
    }

    void resize(std::size_t limit)
    {
        const auto begun = clock_.now();
        const auto resized = semaphore_.resize(limit);
        const auto ended = clock_.now();
        resized.value();
        note({Verb::resize, limit}, SemaphoreSpecification::Answer::done, begun, ended);
    }

    [[nodiscard]] const SemaphoreHistory& history() const noexcept { return history_; }

private:
    [[nodiscard]] awaitable<void> step()
    {
        switch (random_() % 8) {
        case 0:
        case 1:
            // Who has one would wait for himself.
            if (permits_.empty()) {
                co_await acquire(Duration::max());
            }
            break;
        case 2:
            co_await acquire(Duration::zero());
            break;
        case 3:
            try_acquire();
            break;
        case 4:
            if (random_() % 4 == 0) {
                resize(1 + random_() % 3);
            }
            break;
        default:
            release();
            break;
        }
    }

    [[nodiscard]] awaitable<void> acquire(Duration limit)
    {
        const auto verb = limit == Duration::zero() ? Verb::acquire_at_once : Verb::acquire;
        const auto begun = clock_.now();
        Result<Permit> permit = errc::stopping;
        if (random_() % 2 == 0) {
            permit = co_await semaphore_.acquire(limit);
        } else {
            permit = co_await semaphore_.async_acquire(limit, asio::use_awaitable);
        }
        const auto ended = clock_.now();
        keep(verb, std::move(permit), begun, ended);
    }

    void try_acquire()
    {
        const auto begun = clock_.now();
        auto permit = semaphore_.try_acquire();
        const auto ended = clock_.now();
        keep(Verb::try_acquire, std::move(permit), begun, ended);
    }

    void keep(Verb verb, Result<Permit> permit, Stamp begun, Stamp ended)
    {
        note({verb}, told(permit), begun, ended);
        if (permit) {
            permits_.push_back(*std::move(permit));
        }
    }

    void release()
    {
        if (!permits_.empty()) {
            auto permit = std::move(permits_.front());
            permits_.pop_front();
            const auto begun = clock_.now();
            permit.release();
            const auto ended = clock_.now();
            note({Verb::release}, SemaphoreSpecification::Answer::done, begun, ended);
        }
    }

    void note(
        const SemaphoreSpecification::Call& call,
        SemaphoreSpecification::Answer answer,
        Stamp begun,
        Stamp ended
    )
    {
        history_.push_back({number_, call, answer, begun, ended});
    }

    AsyncSemaphore& semaphore_;
    StampClock& clock_;
    const unsigned number_;
    std::mt19937_64 random_;
    std::deque<Permit> permits_;
    SemaphoreHistory history_;
};

/// What some clients saw. At the end the semaphore is as it was.
SemaphoreHistory
record(const asio::any_io_executor& executor, AsyncSemaphore& semaphore, std::uint64_t seed)
{
    StampClock clock;
    std::deque<Client> all;
    AtOnce at_once(executor);
    for (unsigned i = 0; i < clients; ++i) {
        all.emplace_back(semaphore, clock, i, seed + i);
    }
    for (auto& client : all) {
        at_once.start(client.run());
    }
    at_once.finish();
    all.front().resize(usual_limit);
    SemaphoreHistory history;
    for (const auto& client : all) {
        history.insert(history.end(), client.history().begin(), client.history().end());
    }
    return history;
}

Tally check_semaphore(const asio::any_io_executor& executor, std::uint64_t seed)
{
    const SemaphoreSpecification specification;
    AsyncSemaphore semaphore(executor, SemaphoreOptions().permits(usual_limit));
    Tally tally;
    for (std::uint64_t i = 0; i < batches; ++i) {
        const auto history = record(executor, semaphore, seed + 100 * i);
        tally.count(history);
        const auto found = LinearizabilityChecker(specification).check(history);
        const auto fault = complaint(specification, found, history);
        INFO("seed " << seed << '\n' << fault);
        REQUIRE(fault.empty());
    }
    return tally;
}

} // namespace

TEST_CASE("linearizability: what clients do with a semaphore has an order", "[linearizability]")
{
    const auto first_seed = announced_seed();
    Tally all;
    for (std::uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
        {
            asio::io_context context;
            const ContextThreads running(context, threads);
            all += check_semaphore(context.get_executor(), seed);
        }
        asio::thread_pool pool(threads);
        all += check_semaphore(pool.get_executor(), seed);
    }
    all.print();
    CHECK(all.overlapping > all.operations / 50);
}

TEST_CASE("linearizability: a semaphore with one permit too many is caught", "[linearizability]")
{
    // What it says of itself is wrong from the beginning.
    const auto seed = announced_seed();
    const SemaphoreSpecification specification;
    asio::thread_pool pool(threads);
    AsyncSemaphore semaphore(pool.get_executor(), SemaphoreOptions().permits(usual_limit + 1));
    int faults = 0;
    // Somebody has to make use of it, when all others are taken.
    for (std::uint64_t i = 0; i < batches; ++i) {
        const auto history = record(pool.get_executor(), semaphore, seed + 100 * i);
        const auto verdict = LinearizabilityChecker(specification).check(history).verdict;
        faults += verdict == Verdict::not_linearizable ? 1 : 0;
        semaphore.resize(usual_limit + 1).value();
    }
    CHECK(faults > 0);
}

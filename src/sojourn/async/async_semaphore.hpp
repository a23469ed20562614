/// @file
/// A semaphore for coroutines: so many may do something at once, the others wait in line, and the
/// line is bounded. For what must not be overrun, such as connections to a database, and what has
/// to be shed when it is. It is no lock for data; `Confined` is.

#ifndef SOJOURN_ASYNC_ASYNC_SEMAPHORE_HPP
#define SOJOURN_ASYNC_ASYNC_SEMAPHORE_HPP

#include "sojourn/async/clock.hpp"
#include "sojourn/async/permit.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/core/semaphore_metrics.hpp"
#include "sojourn/core/semaphore_options.hpp"
#include "sojourn/core/time.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace sojourn {

/// A number of permits, and a queue of those who wait for one: first come, first served.
///
/// A permit that is given back is handed to whoever has waited longest and never raced for: as long
/// as anybody waits, `try_acquire` fails. No permit is lost: what nobody takes delivery of, for
/// whatever reason, is given back by the `Permit`'s destructor.
///
/// Errors are values, in coroutines and handlers alike: `overloaded` if `max_waiters` wait already,
/// with the time that others waited on average as `retry_after`; `timed_out` if the deadline came
/// first; `stopping` once the semaphore is closed; and one equal to
/// `boost::asio::error::operation_aborted` if the wait was cancelled.
///
/// *Thread safety*: all members, from any thread. *Lifetime*: may be destroyed before or after its
/// execution context, with waits in progress and permits held; but, as with any object, not while
/// another thread is inside one of its members or about to enter one, which includes an awaitable
/// that was not awaited yet. The destructor closes it, so whoever waits completes with `stopping`.
/// If the execution context is destroyed first, the handlers of all who wait are destroyed and the
/// semaphore is closed; while that happens no other thread may use it or release a permit. If a
/// handler belongs to another execution context, that one must outlive the wait. A wait
/// keeps the executor of its handler busy, and one with a deadline the semaphore's too; if nobody
/// waits, nothing does. *Executor*: a coroutine continues on its own executor and a handler runs on
/// its associated one, else on the semaphore's. *Completion*: exactly once, by `post`: never inside
/// the initiating function and never inside a call of somebody else, such as the one that gave the
/// permit back. A coroutine for which a permit is free, or that is refused at once, is not
/// suspended (but for every `inline_completion_budget` times, so that others get their turn).
/// *Cancellation*: a wait ends for `terminal`, `partial` and `total` alike, and has had no effect.
/// A cancellation that comes when the permit has been granted comes too late: the permit is
/// delivered. A coroutine that was cancelled before does not begin to wait: Asio throws then, as it
/// does for any operation. *Exceptions*: `bad_alloc` from `acquire` and the initiating functions,
/// and then nothing has been taken; if there is no memory to complete a handler with, it is
/// destroyed. *Complexity*: O(1), O(log n) for a wait with a deadline, in one turn. *Example*: the
/// `semaphore` region of examples/05_semaphore.cpp.
class AsyncSemaphore {
public:
    /// Makes a semaphore whose deadlines are watched on `executor`, which may be of any kind.
    ///
    /// *Exceptions*: `boost::system::system_error` with `errc::invalid_options` and a text that
    /// names the first bad option; `bad_alloc`.
    explicit AsyncSemaphore(
        const boost::asio::any_io_executor& executor,
        SemaphoreOptions options = SemaphoreOptions(),
        std::shared_ptr<Clock> clock = std::make_shared<SystemClock>()
    );

    AsyncSemaphore(const AsyncSemaphore&) = delete;
    AsyncSemaphore& operator=(const AsyncSemaphore&) = delete;
    AsyncSemaphore(AsyncSemaphore&&) = delete;
    AsyncSemaphore& operator=(AsyncSemaphore&&) = delete;

    /// Closes.
    ~AsyncSemaphore();

    /// Takes a permit if one is free and nobody waits. Never blocks and takes no memory.
    ///
    /// Like `std::mutex::try_lock` it may fail for no good reason: if other threads were inside the
    /// semaphore for as long as this one tried, some tens of microseconds. Where that must not be,
    /// await `acquire(Duration::zero())`.
    ///
    /// *Errors*: `overloaded`, with a `retry_after` of at least a millisecond; `stopping`.
    [[nodiscard]] Result<Permit> try_acquire() noexcept;

    /// Takes a permit, and waits for one if there is none, for no longer than
    /// `SemaphoreOptions::max_wait`.
    ///
    /// *Errors*: `overloaded`; `timed_out`; `stopping`; `operation_aborted`.
    [[nodiscard]] boost::asio::awaitable<Result<Permit>> acquire();

    /// The same with a limit of its own, which replaces the default. At the deadline the wait ends
    /// with `timed_out`, even if a permit comes back in the same instant. With a limit of zero or
    /// less, one that is free is taken and none is waited for; `Duration::max()` waits for ever.
    [[nodiscard]] boost::asio::awaitable<Result<Permit>> acquire(Duration limit);

    /// Refuses all who wait and all who come, with `stopping`. Permits that are held stay valid,
    /// and giving them back opens nothing. Final; may be called more than once.
    void close() noexcept;

    /// Changes how many permits there are. More go to those who wait, at once; of fewer, as many as
    /// are held too many vanish when they are given back, and until then nobody gets one.
    ///
    /// *Errors*: `invalid_options` if there would be more than `SemaphoreOptions::most`, as for the
    /// option `permits`; nothing is changed then.
    Result<void> resize(std::size_t permits) noexcept;

    /// The counters, taken in one turn, so the ledger holds in every snapshot.
    [[nodiscard]] boost::asio::awaitable<SemaphoreMetrics> metrics();

    /// `acquire` with any completion token, completing with `void(Result<Permit>)`.
    ///
    /// *Exceptions*: `bad_alloc`; `boost::asio::execution::bad_executor` if the execution context
    /// is gone and the token brings no executor, or one that only a context can complete (that of
    /// an `any_completion_handler`).
    template <boost::asio::completion_token_for<void(Result<Permit>)> Token>
    auto async_acquire(Token&& token)
    {
        return initiate(default_limit(), token);
    }

    /// The same with a limit of its own.
    template <boost::asio::completion_token_for<void(Result<Permit>)> Token>
    auto async_acquire(Duration limit, Token&& token)
    {
        return initiate(limit, token);
    }

    /// `metrics` with any completion token, completing with `void(SemaphoreMetrics)`.
    ///
    /// *Exceptions*: `bad_alloc`; `bad_executor` if the execution context is gone.
    template <boost::asio::completion_token_for<void(SemaphoreMetrics)> Token>
    auto async_metrics(Token&& token)
    {
        return boost::asio::async_initiate<Token, void(SemaphoreMetrics)>(
            [state = state_](auto handler) { start_metrics(state, std::move(handler)); }, token
        );
    }

private:
    using State = std::shared_ptr<SemaphoreState>;
    using Handler = boost::asio::any_completion_handler<void(Result<Permit>)>;
    using MetricsHandler = boost::asio::any_completion_handler<void(SemaphoreMetrics)>;

    template <class Token>
    auto initiate(Duration limit, Token& token) const
    {
        // A token may start the operation later, when this object is gone.
        return boost::asio::async_initiate<Token, void(Result<Permit>)>(
            [state = state_](auto handler, Duration length) {
                using Own = boost::asio::
                    associated_executor_t<decltype(handler), boost::asio::any_io_executor>;
                const boost::asio::any_io_executor home = home_of(*state);
                if constexpr (std::is_constructible_v<boost::asio::any_io_executor, const Own&>) {
                    const boost::asio::any_io_executor own(
                        boost::asio::get_associated_executor(handler, home)
                    );
                    start_acquire(state, length, own, Handler(std::move(handler)));
                } else {
                    // Nothing can be posted to the executor of a type-erased handler.
                    start_acquire_by_home(state, length, home, Handler(std::move(handler)));
                }
            },
            token,
            limit
        );
    }

    [[nodiscard]] Duration default_limit() const noexcept;
    static const boost::asio::any_io_executor& home_of(const SemaphoreState& state) noexcept;
    static void start_acquire(
        const State& state,
        Duration limit,
        const boost::asio::any_io_executor& executor,
        Handler handler
    );
    static void start_acquire_by_home(
        const State& state,
        Duration limit,
        const boost::asio::any_io_executor& home,
        Handler handler
    );
    static void start_metrics(const State& state, MetricsHandler handler);

    State state_;
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_ASYNC_SEMAPHORE_HPP

/// @file
/// Runs one coroutine to its end and gives back what it returned, or throws what it threw.

#ifndef SOJOURN_TESTS_SUPPORT_RUN_CORO_HPP
#define SOJOURN_TESTS_SUPPORT_RUN_CORO_HPP

#include "support/poll_until.hpp"
#include "support/time_limit.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace sojourn::tests {

/// What a spawned coroutine came to. `done` is set last, by the thread that ran it.
template <class T>
class CoroResult {
public:
    using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    [[nodiscard]] bool is_done() const noexcept { return done_.load(std::memory_order_acquire); }

    /// Rethrows what the coroutine threw. Only once it is done.
    T take()
    {
        if (exception_) {
            std::rethrow_exception(exception_);
        }
        if constexpr (!std::is_void_v<T>) {
            return std::move(*value_);
        }
    }

    void finish(std::exception_ptr exception, std::optional<Value> value)
    {
        exception_ = std::move(exception);
        value_ = std::move(value);
        done_.store(true, std::memory_order_release);
    }

private:
    std::optional<Value> value_;
    std::exception_ptr exception_;
    std::atomic<bool> done_{false};
};

/// Starts `coroutine` on `executor`. The result outlives both.
template <class Executor, class T>
std::shared_ptr<CoroResult<T>>
spawn_coro(const Executor& executor, boost::asio::awaitable<T> coroutine)
{
    auto result = std::make_shared<CoroResult<T>>();
    if constexpr (std::is_void_v<T>) {
        boost::asio::co_spawn(executor, std::move(coroutine), [result](std::exception_ptr failure) {
            result->finish(std::move(failure), std::nullopt);
        });
    } else {
        boost::asio::co_spawn(
            executor,
            std::move(coroutine),
            [result](std::exception_ptr failure, T value) {
                result->finish(std::move(failure), std::move(value));
            }
        );
    }
    return result;
}

/// Runs `coroutine` on `context`, in this thread (others may run the context too).
template <class T>
T run_coro(
    boost::asio::io_context& context,
    boost::asio::awaitable<T> coroutine,
    TimeLimit::clock::duration limit = default_limit,
    Location where = Location::current()
)
{
    const TimeLimit until(limit);
    const auto result = spawn_coro(context.get_executor(), std::move(coroutine));
    while (!result->is_done()) {
        if (until.is_over()) {
            throw TimedOut("the coroutine did not finish", where);
        }
        context.restart();
        // In slices: the coroutine may end in another thread, which would not wake this one.
        context.run_one_for(std::chrono::milliseconds(20));
    }
    return result->take();
}

/// Runs `coroutine` on an executor that has threads of its own, and waits for it in this one.
template <class T>
T run_coro_on(
    const boost::asio::any_io_executor& executor,
    boost::asio::awaitable<T> coroutine,
    TimeLimit::clock::duration limit = default_limit,
    Location where = Location::current()
)
{
    const auto result = spawn_coro(executor, std::move(coroutine));
    poll_until([&] { return result->is_done(); }, limit, where);
    return result->take();
}

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_SUPPORT_RUN_CORO_HPP

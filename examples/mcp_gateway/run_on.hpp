/// @file
/// Work that belongs on another strand, or that goes on without whoever asked for it.

#ifndef MCP_GATEWAY_RUN_ON_HPP
#define MCP_GATEWAY_RUN_ON_HPP

#include <sojourn/http_server/as_result.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace mcp_gateway {

/// Runs the work and keeps what it gave: `co_spawn` itself could not return a T that has no
/// default.
template <class T>
[[nodiscard]] boost::asio::awaitable<void>
run_into(boost::asio::awaitable<T> work, std::optional<T>& result)
{
    result.emplace(co_await std::move(work));
}

/// Runs the work on an executor, and goes on where the caller was with what it gave.
template <class T>
[[nodiscard]] boost::asio::awaitable<T>
run_on(boost::asio::any_io_executor executor, boost::asio::awaitable<T> work)
{
    std::optional<T> result;
    auto running = run_into(std::move(work), result);
    co_await boost::asio::co_spawn(executor, std::move(running), boost::asio::use_awaitable);
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): it is filled, or something was thrown
    co_return *std::move(result);
}

/// What work came to that somebody may wait for.
template <class T>
struct Outcome {
    explicit Outcome(const boost::asio::any_io_executor& executor)
        : is_there(executor, boost::asio::steady_timer::time_point::max())
    {
    }

    std::optional<T> result;
    std::exception_ptr failure;
    bool has_ended = false;
    /// Never expires; cancelled once it has ended.
    boost::asio::steady_timer is_there;
};

template <class T>
[[nodiscard]] boost::asio::awaitable<void>
run_into_outcome(boost::asio::awaitable<T> work, std::shared_ptr<Outcome<T>> outcome)
{
    // Two statements: g++ 12 destroys twice what is made within an awaited expression.
    auto running = run_into(std::move(work), outcome->result);
    co_await std::move(running);
}

/// Runs the work to its end, on the caller's executor, which must be a strand or belong to one
/// thread, and gives what it gave. *Cancellation*: terminal; nothing, and the work goes on, so all
/// that it needs must be its own. What it gives is destroyed then.
template <class T>
[[nodiscard]] boost::asio::awaitable<std::optional<T>> run_to_end(boost::asio::awaitable<T> work)
{
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto outcome = std::make_shared<Outcome<T>>(executor);
    boost::asio::co_spawn(
        executor,
        run_into_outcome(std::move(work), outcome),
        [outcome](const std::exception_ptr& thrown) {
            outcome->failure = thrown;
            outcome->has_ended = true;
            outcome->is_there.cancel();
        }
    );
    if (!outcome->has_ended) {
        co_await outcome->is_there.async_wait(sojourn::http_server::as_result);
    }
    if (outcome->failure) {
        std::rethrow_exception(outcome->failure);
    }
    co_return std::move(outcome->result);
}

} // namespace mcp_gateway

#endif // MCP_GATEWAY_RUN_ON_HPP

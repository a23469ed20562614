/// @file
/// Work that belongs on another strand.

#ifndef MCP_GATEWAY_RUN_ON_HPP
#define MCP_GATEWAY_RUN_ON_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

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

} // namespace mcp_gateway

#endif // MCP_GATEWAY_RUN_ON_HPP

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

/// Runs the work on an executor, and goes on where the caller was with what it gave.
template <class T>
[[nodiscard]] boost::asio::awaitable<T>
run_on(boost::asio::any_io_executor executor, boost::asio::awaitable<T> work)
{
    // co_spawn itself could not return a T that has no default.
    std::optional<T> result;
    co_await boost::asio::co_spawn(
        executor,
        [](boost::asio::awaitable<T> running,
           std::optional<T>& to_fill) -> boost::asio::awaitable<void> {
            to_fill.emplace(co_await std::move(running));
        }(std::move(work), result),
        boost::asio::use_awaitable
    );
    co_return *std::move(result);
}

} // namespace mcp_gateway

#endif // MCP_GATEWAY_RUN_ON_HPP

/// @file
/// Work that is of no use once its session has ended.

#ifndef MCP_GATEWAY_WHILE_SESSION_LIVES_HPP
#define MCP_GATEWAY_WHILE_SESSION_LIVES_HPP

#include "mcp_gateway/hold.hpp"

#include <sojourn/http_server/as_result.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace mcp_gateway {

/// Runs the work, and gives what it gave; nothing if the session ended meanwhile, which cancels it.
/// To be called on this strand. *Cancellation*: that of the work.
template <class T>
[[nodiscard]] boost::asio::awaitable<std::optional<T>> while_session_lives(
    boost::asio::any_io_executor strand, const Hold& hold, boost::asio::awaitable<T> work
)
{
    namespace asio = boost::asio;

    struct State {
        asio::cancellation_signal work;
        asio::cancellation_signal watch;
        bool has_ended = false;
    };

    const auto state = std::make_shared<State>();
    asio::co_spawn(
        strand,
        [](asio::awaitable<sojourn::Result<void>> closed,
           std::shared_ptr<State> shared) -> asio::awaitable<void> {
            const auto is_over = co_await std::move(closed);
            if (is_over) {
                shared->has_ended = true;
                shared->work.emit(asio::cancellation_type::terminal);
            }
        }(hold.closed(), state),
        asio::bind_cancellation_slot(state->watch.slot(), [](const std::exception_ptr&) {})
    );
    if (state->has_ended) {
        co_return std::optional<T>();
    }
    // In a coroutine of its own, since only such a one can be cancelled alone; so who cancels the
    // caller must be told to cancel that one.
    auto outer = (co_await asio::this_coro::cancellation_state).slot();
    if (outer.is_connected()) {
        outer.assign([state](asio::cancellation_type type) { state->work.emit(type); });
    }
    std::optional<T> result;
    const auto [exception] = co_await asio::co_spawn(
        strand,
        [](asio::awaitable<T> running, std::optional<T>& to_fill) -> asio::awaitable<void> {
            to_fill.emplace(co_await std::move(running));
        }(std::move(work), result),
        asio::bind_cancellation_slot(state->work.slot(), sojourn::http_server::as_result)
    );
    if (outer.is_connected()) {
        outer.clear();
    }
    state->watch.emit(asio::cancellation_type::terminal);
    if (state->has_ended) {
        result.reset();
    } else if (exception) {
        std::rethrow_exception(exception);
    }
    co_return std::move(result);
}

} // namespace mcp_gateway

#endif // MCP_GATEWAY_WHILE_SESSION_LIVES_HPP

/// @file
/// Work that is of no use once its session has ended.

#ifndef MCP_GATEWAY_WHILE_SESSION_LIVES_HPP
#define MCP_GATEWAY_WHILE_SESSION_LIVES_HPP

#include "mcp_gateway/hold.hpp"
#include "mcp_gateway/run_on.hpp"

#include <sojourn/http_server/as_result.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace mcp_gateway {

/// What its two sides know of each other.
struct SessionLifeWatch {
    boost::asio::cancellation_signal work;
    boost::asio::cancellation_signal watch;
    bool has_ended = false;
};

/// Cancels the work once the session has ended.
[[nodiscard]] inline boost::asio::awaitable<void> watch_session_life(
    boost::asio::awaitable<sojourn::Result<void>> closed, std::shared_ptr<SessionLifeWatch> state
)
{
    const auto is_over = co_await std::move(closed);
    if (is_over) {
        state->has_ended = true;
        state->work.emit(boost::asio::cancellation_type::terminal);
    }
}

/// Runs the work, and gives what it gave; nothing if the session ended meanwhile, which cancels it.
/// To be called on this strand. *Cancellation*: that of the work.
template <class T>
[[nodiscard]] boost::asio::awaitable<std::optional<T>> while_session_lives(
    boost::asio::any_io_executor strand, const Hold& hold, boost::asio::awaitable<T> work
)
{
    namespace asio = boost::asio;

    const auto state = std::make_shared<SessionLifeWatch>();
    asio::co_spawn(
        strand,
        watch_session_life(hold.closed(), state),
        asio::bind_cancellation_slot(state->watch.slot(), [](const std::exception_ptr&) {})
    );
    if (state->has_ended) {
        co_return std::optional<T>();
    }
    // In a coroutine of its own, since only such a one can be cancelled alone; so who cancels the
    // caller must be told to cancel that one.
    const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
    auto outer = cancellation.slot();
    if (outer.is_connected()) {
        outer.assign([state](asio::cancellation_type type) { state->work.emit(type); });
    }
    std::optional<T> result;
    auto running = run_into(std::move(work), result);
    auto token = asio::bind_cancellation_slot(state->work.slot(), sojourn::http_server::as_result);
    const auto [exception] = co_await asio::co_spawn(strand, std::move(running), token);
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

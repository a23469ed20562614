/// @file
/// The way of events from an exchange with the upstream to the connection that a client reads them
/// on.

#ifndef MCP_GATEWAY_MAILBOX_HPP
#define MCP_GATEWAY_MAILBOX_HPP

#include <sojourn/http_server/as_result.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace mcp_gateway {

/// Events that are ready to be sent. Holds few: who reads slowly slows down the upstream.
///
/// *Thread safety*: all members, any thread.
class Mailbox {
public:
    using Text = std::shared_ptr<const std::string>;

    explicit Mailbox(const boost::asio::any_io_executor& executor) : channel_(executor, capacity) {}

    /// Adds an event once there is room. False if nobody takes any more.
    [[nodiscard]] boost::asio::awaitable<bool> put(Text text)
    {
        const auto [error] = co_await channel_.async_send(
            boost::system::error_code(), std::move(text), sojourn::http_server::as_result
        );
        co_return !error;
    }

    /// Waits for an event; null if there are no more, or `wake` was called. *Cancellation*: any
    /// type; null.
    [[nodiscard]] boost::asio::awaitable<Text> take()
    {
        auto [error, text] = co_await channel_.async_receive(sojourn::http_server::as_result);
        co_return std::move(text);
    }

    /// Has `take` give null if it waits. Without memory it does nothing.
    void wake() noexcept
    {
        try {
            static_cast<void>(channel_.try_send(boost::system::error_code(), nullptr));
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
            // Who waits is not woken, and waits for the next event.
        }
    }

    /// From now on nothing is added; what there is may be taken.
    void close() noexcept
    {
        try {
            channel_.close();
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
            // No memory to wake who takes. Its client will go at last.
        }
    }

    /// Closes it, and throws away what is there: nobody takes any more. A channel that is closed
    /// wakes who takes and not who puts; so each that waits to put is given the room it waits for.
    void discard() noexcept
    {
        close();
        try {
            while (channel_.try_receive([](const auto&, const auto&) {})) {
            }
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
            // No memory. The stream waits until its session ends.
        }
    }

    [[nodiscard]] bool is_open() const { return channel_.is_open(); }

private:
    static constexpr std::size_t capacity = 16;

    boost::asio::experimental::concurrent_channel<void(boost::system::error_code, Text)> channel_;
};

} // namespace mcp_gateway

#endif // MCP_GATEWAY_MAILBOX_HPP

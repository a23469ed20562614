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

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace mcp_gateway {

/// Events that are ready to be sent. Holds few, and of large ones fewer: who reads slowly slows
/// down the upstream.
///
/// *Thread safety*: all members, any thread; `put`, one at a time.
class Mailbox {
public:
    using Text = std::shared_ptr<const std::string>;

    /// Bytes of events beyond which none is added. An event counts for a sixteenth of them at
    /// least, and one alone may be larger.
    static constexpr std::size_t max_bytes = std::size_t{256} * 1024;

    explicit Mailbox(const boost::asio::any_io_executor& executor)
        : channel_(executor, std::numeric_limits<std::size_t>::max()), room_(executor, 1)
    {
    }

    /// Adds an event once there is room. False if nobody takes any more.
    [[nodiscard]] boost::asio::awaitable<bool> put(Text text)
    {
        while (held_bytes_ >= max_bytes && is_open()) {
            co_await room_.async_receive(sojourn::http_server::as_result);
        }
        held_bytes_ += weight_of(*text);
        co_return channel_.try_send(boost::system::error_code(), std::move(text));
    }

    /// Waits for an event; null if there are no more, or `wake` was called. *Cancellation*: any
    /// type; null.
    [[nodiscard]] boost::asio::awaitable<Text> take()
    {
        auto [error, text] = co_await channel_.async_receive(sojourn::http_server::as_result);
        if (text) {
            held_bytes_ -= weight_of(*text);
            room_.try_send(boost::system::error_code());
        }
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
            room_.close();
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
            // No memory to wake who waits. Its client will go at last, or its session end.
        }
    }

    /// Closes it, and throws away what is there: nobody takes any more.
    void discard() noexcept
    {
        close();
        try {
            while (channel_.try_receive([](const auto&, const auto&) {})) {
            }
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
            // It goes with the mailbox.
        }
    }

    [[nodiscard]] bool is_open() const { return channel_.is_open(); }

private:
    using Error = boost::system::error_code;

    static std::size_t weight_of(const std::string& text)
    {
        return std::max(text.size(), max_bytes / 16);
    }

    /// Null for `wake`.
    boost::asio::experimental::concurrent_channel<void(Error, Text)> channel_;
    /// Says that something was taken. When it is closed, who waits for it is woken.
    boost::asio::experimental::concurrent_channel<void(Error)> room_;
    std::atomic<std::size_t> held_bytes_ = 0;
};

} // namespace mcp_gateway

#endif // MCP_GATEWAY_MAILBOX_HPP

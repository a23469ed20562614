/// @file
/// An upstream of which a test says each byte. Blocks, and every wait has a limit.

#ifndef SOJOURN_TESTS_MCP_GATEWAY_SCRIPTED_UPSTREAM_HPP
#define SOJOURN_TESTS_MCP_GATEWAY_SCRIPTED_UPSTREAM_HPP

#include "mcp_gateway/upstream.hpp"
#include "support/time_limit.hpp"

#include <sojourn/http_server/message.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace sojourn::tests {

/// The head of a stream that ends with its connection.
inline constexpr std::string_view stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

/// A whole answer.
[[nodiscard]] std::string json_answer(std::string_view body, std::string_view fields = {});

/// An event with these lines of data.
[[nodiscard]] std::string event_of(std::string_view data);

/// A request that the upstream got, and its connection.
class ScriptedExchange {
public:
    ScriptedExchange(
        std::unique_ptr<boost::asio::io_context> context,
        boost::asio::ip::tcp::socket socket,
        http_server::Request request
    );

    [[nodiscard]] const http_server::Request& request() const { return request_; }

    void send(std::string_view bytes, Location where = Location::current());

    /// Of this text again and again, sends the bytes from the one number up to the other, until
    /// nothing is taken for so long; returns the number that it got to.
    std::size_t flood(
        std::string_view text, std::size_t from, std::size_t to, std::chrono::milliseconds patience
    );

    /// Closes the connection.
    void end() { socket_.close(); }

    /// Waits until the other side closes it.
    void await_end(Location where = Location::current());

private:
    // Its own, so that it can be moved and outlive the upstream.
    std::unique_ptr<boost::asio::io_context> context_;
    boost::asio::ip::tcp::socket socket_;
    http_server::Request request_;
};

class ScriptedUpstream {
public:
    ScriptedUpstream();

    [[nodiscard]] mcp_gateway::UpstreamAddress address() const;

    /// The next request that comes.
    [[nodiscard]] ScriptedExchange next(Location where = Location::current());

private:
    boost::asio::io_context context_;
    boost::asio::ip::tcp::acceptor acceptor_;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_MCP_GATEWAY_SCRIPTED_UPSTREAM_HPP

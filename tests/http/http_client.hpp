/// @file
/// A client of one connection, which sends what a test wants, however wrong it is. Blocks, and
/// every wait has a limit.

#ifndef SOJOURN_TESTS_HTTP_HTTP_CLIENT_HPP
#define SOJOURN_TESTS_HTTP_HTTP_CLIENT_HPP

#include "support/time_limit.hpp"

#include <sojourn/http_server/message.hpp>
#include <sojourn/http_server/protocol.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <string>
#include <string_view>

namespace sojourn::tests {

namespace http = boost::beast::http;
using http_server::Request;
using http_server::Response;

/// A request as a well-behaved client makes it. An empty cookie is none.
[[nodiscard]] Request request_for(
    http::verb method,
    std::string_view target,
    std::string_view cookie = {},
    std::string_view body = {}
);

/// The cookie that a response gives, as a client sends it back: "name=value".
[[nodiscard]] std::string cookie_of(const Response& response);

class HttpClient {
public:
    /// Connects. Throws `boost::system::system_error` if nobody listens.
    explicit HttpClient(const http_server::Protocol::endpoint& server);

    /// Sends a request and returns the response to it.
    Response ask(const Request& request, Location where = Location::current());

    /// Sends these bytes.
    void send(std::string_view bytes, Location where = Location::current());

    /// Receives one response.
    Response receive(Location where = Location::current());

    /// Receives this many bytes.
    std::string receive_bytes(std::size_t count, Location where = Location::current());

    /// Receives until the server closes the connection, or resets it.
    std::string receive_rest(Location where = Location::current());

    /// Says that nothing more will be sent.
    void end_sending();

private:
    boost::asio::io_context context_;
    http_server::Socket socket_;
    boost::beast::flat_buffer buffer_;
};

/// Sends these bytes over a connection of their own, and returns all that comes back.
std::string answer_to(
    const http_server::Protocol::endpoint& server,
    std::string_view bytes,
    Location where = Location::current()
);

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_HTTP_HTTP_CLIENT_HPP

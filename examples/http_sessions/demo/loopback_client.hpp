/// @file
/// A client such as a browser: it keeps its connection and its cookie.

#ifndef HTTP_SESSIONS_DEMO_LOOPBACK_CLIENT_HPP
#define HTTP_SESSIONS_DEMO_LOOPBACK_CLIENT_HPP

#include "../message.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <string>

namespace http_sessions {

/// *Thread safety*: one coroutine at a time, on the executor given.
class LoopbackClient {
public:
    LoopbackClient(
        const boost::asio::any_io_executor& executor, boost::asio::ip::tcp::endpoint server
    );

    /// Sends a request and returns the answer to it. Throws `boost::system::system_error` if there
    /// is none within 10 seconds.
    boost::asio::awaitable<Response>
    ask(http::verb method, std::string target, std::string body = {});

    [[nodiscard]] bool has_cookie() const noexcept { return !cookie_.empty(); }

    /// Becomes a stranger.
    void forget_cookie() { cookie_.clear(); }

private:
    void keep_cookie_of(const Response& response);

    boost::asio::ip::tcp::endpoint server_;
    boost::beast::tcp_stream stream_;
    boost::beast::flat_buffer buffer_;
    std::string cookie_;
    bool is_connected_ = false;
};

} // namespace http_sessions

#endif // HTTP_SESSIONS_DEMO_LOOPBACK_CLIENT_HPP

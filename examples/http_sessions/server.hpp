/// @file
/// This program's server: its API behind the library's HTTP server.

#ifndef HTTP_SESSIONS_SERVER_HPP
#define HTTP_SESSIONS_SERVER_HPP

#include "api.hpp"
#include "server_options.hpp"

#include <sojourn/http_server/server.hpp>
#include <sojourn/service/session_service.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>

namespace http_sessions {

[[nodiscard]] inline sojourn::http_server::Acceptor
listen(const boost::asio::any_io_executor& executor, const ServerOptions& options)
{
    return {executor, sojourn::http_server::Protocol::endpoint(options.listen)};
}

/// An HTTP server in front of a session service. *Thread safety* and the rest: see
/// `sojourn::http_server::Server`. *Lifetime*: the service must outlive it.
class Server {
public:
    /// Listens, and accepts nobody yet. Throws `boost::system::system_error` if it cannot.
    Server(
        const boost::asio::any_io_executor& executor,
        sojourn::SessionService& service,
        const ServerOptions& options
    )
        : api_(service, options),
          server_(
              executor,
              api_,
              listen(executor, options),
              options.limits,
              options.threads > 1 ? sojourn::http_server::Threads::many
                                  : sojourn::http_server::Threads::one
          )
    {
    }

    [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return server_.tcp_endpoint(); }

    void start() { server_.start(); }

    [[nodiscard]] boost::asio::awaitable<std::size_t> stop() { return server_.stop(); }

    void hurry() { server_.hurry(); }

private:
    Api api_;
    sojourn::http_server::Server server_;
};

} // namespace http_sessions

#endif // HTTP_SESSIONS_SERVER_HPP

/// @file
/// From a request to its answer. All that a request does to a session goes through the service.

#ifndef HTTP_SESSIONS_API_HPP
#define HTTP_SESSIONS_API_HPP

#include "message.hpp"
#include "route.hpp"
#include "server_options.hpp"

#include <sojourn/http_server/responder.hpp>
#include <sojourn/service/session_service.hpp>

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <string>

namespace http_sessions {

/// The resources of this server.
///
/// *Thread safety*: all members, any thread. *Lifetime*: the service must outlive it, and it must
/// outlive every coroutine it made.
class Api : public sojourn::http_server::Responder {
public:
    Api(sojourn::SessionService& service, const ServerOptions& options);

    /// Answers a request of this peer. Throws only `bad_alloc`.
    [[nodiscard]] boost::asio::awaitable<Reply>
    answer(const Request& request, const std::string& peer) override;

    /// From here on the server is not ready, whatever its service says: it ends.
    void begin_to_end() noexcept override { is_ending_.store(true, std::memory_order_relaxed); }

private:
    [[nodiscard]] sojourn::Result<sojourn::SessionId> read_cookie(const Request& request) const;
    boost::asio::awaitable<Reply> greet(const Request& request);
    boost::asio::awaitable<Reply> greet_holder(sojourn::SessionId id);
    boost::asio::awaitable<Reply> create_session(const Request& request, const std::string& peer);
    boost::asio::awaitable<Reply> use_session(const Request& request, Route route);
    boost::asio::awaitable<Response>
    set_attribute(const Request& request, std::string_view name, sojourn::SessionId id);
    boost::asio::awaitable<Response> rotate_session(sojourn::SessionId id);
    boost::asio::awaitable<Response> delete_session(sojourn::SessionId id);
    boost::asio::awaitable<Reply> readiness();
    boost::asio::awaitable<Reply> statistics();

    sojourn::SessionService& service_;
    Sessions sessions_;
    sojourn::http::SessionCookie cookie_;
    std::atomic<bool> is_ending_{false};
};

} // namespace http_sessions

#endif // HTTP_SESSIONS_API_HPP

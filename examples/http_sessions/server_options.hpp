/// @file
/// All that can be set about the server.

#ifndef HTTP_SESSIONS_SERVER_OPTIONS_HPP
#define HTTP_SESSIONS_SERVER_OPTIONS_HPP

#include <sojourn/admin/options.hpp>
#include <sojourn/core/service_options.hpp>
#include <sojourn/http/session_cookie.hpp>
#include <sojourn/http_server/limits.hpp>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <optional>

namespace http_sessions {

/// Whether clients have sessions. A server without is there to be compared with: what it does not
/// do is what sessions cost.
enum class Sessions : std::uint8_t { on, off };

struct ServerOptions {
    /// Where to listen; port 0 is any that is free.
    boost::asio::ip::tcp::endpoint listen{boost::asio::ip::address_v4::loopback(), 8080};
    /// Threads that serve.
    unsigned threads = 1;
    Sessions sessions = Sessions::on;
    /// Where all come from one address, as behind a proxy, no rate would be fair to them.
    sojourn::ServiceOptions service =
        sojourn::ServiceOptions().creation_rate(sojourn::RateLimit::unlimited());
    sojourn::http::SessionCookie cookie;
    sojourn::http_server::Limits limits;
    /// For those who run it; none if there are no options.
    std::optional<sojourn::admin::Options> admin;
};

} // namespace http_sessions

#endif // HTTP_SESSIONS_SERVER_OPTIONS_HPP

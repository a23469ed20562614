/// @file
/// The answers this server gives, in one place: which status a refusal has, and what goes with it.

#ifndef HTTP_SESSIONS_REPLY_HPP
#define HTTP_SESSIONS_REPLY_HPP

#include "message.hpp"

#include <sojourn/core/error.hpp>
#include <sojourn/service/session_lease.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace http_sessions {

/// A response, and the lease of the session it is about, to be held until it has been written: a
/// session's idle time begins when its client has the answer, not while a slow client still reads.
class Reply {
public:
    // No aggregate: g++ 12 miscompiles those in a co_await expression.
    explicit Reply(Response to_send, sojourn::SessionLease held = {})
        : response(std::move(to_send)), lease(std::move(held))
    {
    }

    Response response;
    sojourn::SessionLease lease;
};

/// A response with a JSON body.
[[nodiscard]] Response json_response(http::status status, std::string body);

/// 204.
[[nodiscard]] Response empty_response();

/// A refusal with `{"error": name}`.
[[nodiscard]] Response refusal(http::status status, std::string_view name);

/// 400, naming what was wrong.
[[nodiscard]] Response bad_request(std::string_view field, std::string_view message);

/// 401. One answer for every request that shows no session: nobody learns whether a cookie was
/// missing, malformed, unknown or expired.
[[nodiscard]] Response no_session();

/// 503, to be tried again after this time.
[[nodiscard]] Response unavailable(std::string_view name, sojourn::Duration retry_after);

/// The answer to an error of the session service.
[[nodiscard]] Response refusal(const sojourn::Error& error);

/// 200, and the same to everybody.
[[nodiscard]] Response greeting();

/// The greeting to who holds this session, or showed one that there is not; any other error is
/// refused.
[[nodiscard]] Reply greeting_to(sojourn::Result<sojourn::SessionLease> lease);

} // namespace http_sessions

#endif // HTTP_SESSIONS_REPLY_HPP

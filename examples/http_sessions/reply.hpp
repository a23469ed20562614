/// @file
/// The answers this server gives, in one place: which status a refusal has, and what goes with it.

#ifndef HTTP_SESSIONS_REPLY_HPP
#define HTTP_SESSIONS_REPLY_HPP

#include "message.hpp"

#include <sojourn/core/error.hpp>
#include <sojourn/service/session_lease.hpp>

namespace http_sessions {

/// 401. One answer for every request that shows no session: nobody learns whether a cookie was
/// missing, malformed, unknown or expired.
[[nodiscard]] Response no_session();

/// The answer to an error of the session service.
[[nodiscard]] Response refusal(const sojourn::Error& error);

/// 200, and the same to everybody.
[[nodiscard]] Response greeting();

/// The greeting to who holds this session, or showed one that there is not; any other error is
/// refused.
[[nodiscard]] Reply greeting_to(sojourn::Result<sojourn::SessionLease> lease);

} // namespace http_sessions

#endif // HTTP_SESSIONS_REPLY_HPP

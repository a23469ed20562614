/// @file
/// Private header. What a page of somebody else can make a browser ask of an admin endpoint, told
/// from what its user wants.

#ifndef SOJOURN_ADMIN_CROSS_SITE_HPP
#define SOJOURN_ADMIN_CROSS_SITE_HPP

#include "sojourn/admin/options.hpp"
#include "sojourn/http_server/message.hpp"

#include <optional>
#include <string_view>

namespace sojourn::admin {

/// Why a request is refused that may be none of the user's own; nothing if it may be served.
///
/// Any page can make its browser send requests to wherever the browser's machine gets to, without
/// being allowed to read the answers, and some of ours need no body and change much. By DNS
/// rebinding it can read them, too: its own name then leads to the endpoint. Where a token is
/// needed no page has it; but a Unix socket may be forwarded to a port, and then nobody asks for
/// one. So
///
/// - `Sec-Fetch-Site`, in which newer browsers say who asks (W3C Fetch Metadata), must not name
///   another site;
/// - `Origin`, which all browsers send with what may change something (RFC 6454), must be the
///   server that `Host` names;
/// - `Host` must be `localhost` or an address, unless a token is needed: only a name can be
/// rebound.
///
/// What is no browser sends neither of the first two, and is not affected. *Exceptions*:
/// `bad_alloc`.
[[nodiscard]] std::optional<std::string_view>
cross_site_objection(const http_server::Request& request, const Options& options);

} // namespace sojourn::admin

#endif // SOJOURN_ADMIN_CROSS_SITE_HPP

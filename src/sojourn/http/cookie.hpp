/// @file
/// A cookie as a client sends it: RFC 6265bis, draft 20, section 4.2.

#ifndef SOJOURN_HTTP_COOKIE_HPP
#define SOJOURN_HTTP_COOKIE_HPP

#include <optional>
#include <string_view>

namespace sojourn::http {

/// One cookie of a request: views into the field that it came in. Both are what a client sent, and
/// may be any bytes.
struct Cookie {
    /// Empty if the client sent a value alone, as browsers do with a cookie that has no name.
    std::string_view name;
    /// Without the blanks around it. Quotes are a part of it.
    std::string_view value;

    friend bool operator==(const Cookie&, const Cookie&) = default;
};

/// Takes the first cookie off the value of a `Cookie` field; nothing once none is left. Reads what
/// any client may send, so nothing is an error: empty pairs are passed over, and the space behind a
/// semicolon may be missing, or be more than one. Names are compared as they are: `Id` is not `id`.
///
/// To read a request, call it until it gives nothing, for each of its `Cookie` fields: HTTP/2 may
/// split one into many. One name may come several times, from several paths or domains; the client
/// does not say which. Who takes the first trusts whoever could set one; see `SessionCookie`.
///
/// Linear in what it takes.
[[nodiscard]] std::optional<Cookie> take_cookie(std::string_view& cookies) noexcept;

} // namespace sojourn::http

#endif // SOJOURN_HTTP_COOKIE_HPP

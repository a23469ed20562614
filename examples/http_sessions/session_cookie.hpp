/// @file
/// The cookie that carries a session id: read from a request, written into a response. Pure text.
///
/// The rules are those of RFC 6265bis. A name that begins with `__Host-` makes the browser insist
/// that the cookie came over TLS, from this very host, for all of its paths.

#ifndef HTTP_SESSIONS_SESSION_COOKIE_HPP
#define HTTP_SESSIONS_SESSION_COOKIE_HPP

#include <sojourn/core/error.hpp>
#include <sojourn/core/session_id.hpp>

#include <boost/beast/http/fields.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace http_sessions {

/// Over what a browser may send the cookie.
enum class CookieTransport : std::uint8_t {
    /// TLS, and plain http to the browser's own machine.
    secure,
    /// Plain http too: anybody on the way can take the session.
    insecure,
};

class SessionCookie {
public:
    static constexpr std::string_view default_name = "__Host-id";
    static constexpr std::string_view default_insecure_name = "id";

    /// Precondition: `objection` has none.
    explicit SessionCookie(
        std::string name = std::string(default_name),
        CookieTransport transport = CookieTransport::secure
    );

    /// Why a cookie cannot be named so, such as "must be ..."; nothing if it can.
    [[nodiscard]] static std::optional<std::string_view>
    objection(std::string_view name, CookieTransport transport);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// The session id of a request. *Errors*: `invalid_id` if the cookie is missing, is there more
    /// than once, or does not hold what could be an id that we issued. A cookie that is there twice
    /// was planted by somebody, and which one is ours cannot be told.
    [[nodiscard]] sojourn::Result<sojourn::SessionId> read(const boost::beast::http::fields& header
    ) const;

    /// The value of `Set-Cookie` that gives the client this id.
    [[nodiscard]] std::string give(const sojourn::SessionId& id) const;

    /// The value of `Set-Cookie` that takes the client's cookie away.
    [[nodiscard]] std::string take_away() const;

private:
    [[nodiscard]] std::string with_rules(std::string text) const;

    std::string name_;
    CookieTransport transport_;
};

} // namespace http_sessions

#endif // HTTP_SESSIONS_SESSION_COOKIE_HPP

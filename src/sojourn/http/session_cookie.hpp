/// @file
/// The cookie that carries a session id: read from a request, written into a response. Pure text,
/// for any HTTP library.

#ifndef SOJOURN_HTTP_SESSION_COOKIE_HPP
#define SOJOURN_HTTP_SESSION_COOKIE_HPP

#include "sojourn/core/error.hpp"
#include "sojourn/core/session_id.hpp"
#include "sojourn/http/set_cookie.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sojourn::http {

/// Over what a browser may send the cookie.
enum class CookieTransport : std::uint8_t {
    /// TLS, and plain http to the browser's own machine.
    secure,
    /// Plain http too: anybody on the way can take the session.
    insecure,
};

/// Which cookie of a server is the session's, and how it is given.
///
/// As OWASP's Session Management Cheat Sheet asks: the name says nothing of who made it; scripts do
/// not see it; it is for one host; and it ends with the browser, since how long the session lives
/// is for the server to say. A name that begins with `__Host-` makes the browser insist that the
/// cookie came over TLS, from this very host, for all of its paths.
///
/// Immutable, so any number of threads may use one.
class SessionCookie {
public:
    static constexpr std::string_view default_name = "__Host-id";
    static constexpr std::string_view default_insecure_name = "id";
    /// Bytes in the longest name. Each request carries it.
    static constexpr std::size_t max_name_length = 64;

    /// Precondition: `objection` has none.
    explicit SessionCookie(
        std::string name = std::string(default_name),
        CookieTransport transport = CookieTransport::secure,
        SameSite same_site = SameSite::lax
    );

    /// Why there cannot be such a cookie, such as "a cookie's name must be ..."; nothing if there
    /// can. *Exceptions*: `bad_alloc`.
    [[nodiscard]] static std::optional<std::string_view>
    objection(std::string_view name, CookieTransport transport, SameSite same_site = SameSite::lax);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// Reads one request: `look_in` each of its `Cookie` fields, then ask for the `id`. Views into
    /// the fields are kept, and one of the cookie.
    class Reader {
    public:
        explicit Reader(const SessionCookie& cookie) noexcept : name_(cookie.name()) {}

        explicit Reader(SessionCookie&& cookie) = delete;

        /// Linear in the field's length.
        void look_in(std::string_view cookies) noexcept;

        /// *Errors*: `invalid_id` if the cookie is missing, was there more than once, or does not
        /// hold what could be an id that was issued here. A cookie that is there twice was planted
        /// by somebody, from a neighbouring host or path, and which one is ours cannot be told.
        [[nodiscard]] Result<SessionId> id() const;

    private:
        std::string_view name_;
        std::string_view value_;
        std::size_t found_ = 0;
    };

    /// The same for a request with one `Cookie` field.
    [[nodiscard]] Result<SessionId> read(std::string_view cookies) const;

    /// The value of the `Set-Cookie` field that gives the client this id. Send it with
    /// `Cache-Control: no-store`. *Exceptions*: `bad_alloc`.
    [[nodiscard]] std::string give(const SessionId& id) const;

    /// The value of the `Set-Cookie` field that takes the client's cookie away. *Exceptions*:
    /// `bad_alloc`.
    [[nodiscard]] std::string take_away() const;

private:
    std::string name_;
    CookieTransport transport_;
    SameSite same_site_;
};

} // namespace sojourn::http

#endif // SOJOURN_HTTP_SESSION_COOKIE_HPP

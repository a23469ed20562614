/// @file
/// A cookie as a server gives it: RFC 6265bis, draft 20, sections 4.1 and 5.

#ifndef SOJOURN_HTTP_SET_COOKIE_HPP
#define SOJOURN_HTTP_SET_COOKIE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sojourn::http {

/// With which requests a browser sends the cookie.
enum class SameSite : std::uint8_t {
    /// Only with those that the site itself began: who follows a link from elsewhere arrives
    /// without it.
    strict,
    /// Also with links from elsewhere, if they only read.
    lax,
    /// With all; only for a `Secure` cookie. What protects against forged requests is then the
    /// server's own.
    none,
};

/// The value of a `Set-Cookie` field, with chained setters.
class SetCookie {
public:
    /// Bytes in the longest name and value together, and in the longest path or domain: what is
    /// longer, a browser ignores.
    static constexpr std::size_t max_name_and_value = 4096;
    static constexpr std::size_t max_attribute = 1024;
    /// The longest that a browser keeps one.
    static constexpr std::chrono::seconds longest_age = std::chrono::days(400);

    explicit SetCookie(std::string name, std::string value = {})
        : name_(std::move(name)), value_(std::move(value))
    {
    }

    /// Sent over TLS only, and over plain http to the browser's own machine. Default no.
    SetCookie& secure(bool on) noexcept
    {
        is_secure_ = on;
        return *this;
    }

    /// Hidden from the page's scripts. Default yes, unlike a browser's: whoever must read it there
    /// knows that he must.
    SetCookie& http_only(bool on) noexcept
    {
        is_http_only_ = on;
        return *this;
    }

    /// Default lax. Always written, since browsers differ in what they take for granted.
    SetCookie& same_site(SameSite rule) noexcept
    {
        same_site_ = rule;
        return *this;
    }

    /// Sent for this path and what lies below it. Default "/": all. The default of a browser would
    /// be the folder of the request. It is no protection: pages of one host can read each other.
    SetCookie& path(std::string text)
    {
        path_ = std::move(text);
        return *this;
    }

    /// Sent to this host and those below it. Default empty: only to the host that gave it.
    SetCookie& domain(std::string text)
    {
        domain_ = std::move(text);
        return *this;
    }

    /// How long the browser keeps it, at most `longest_age`; zero takes it away. Default nothing:
    /// until the browser is closed.
    SetCookie& max_age(std::optional<std::chrono::seconds> length) noexcept
    {
        max_age_ = length;
        return *this;
    }

    /// Why a browser that follows the draft would not keep this cookie, or not as it is meant, such
    /// as "a cookie's name must be ..."; nothing if there is no such reason in it.
    ///
    /// A name that begins with `__Secure-` or `__Host-`, in letters of either case, is a promise
    /// that the browser enforces: the first that the cookie is secure, the second also that it
    /// is for one host and all of its paths. Linear in the texts.
    [[nodiscard]] std::optional<std::string_view> objection() const noexcept;

    /// The field's value. Precondition: there is no `objection`; otherwise what is written may be
    /// more than one cookie, or field. *Exceptions*: `bad_alloc`.
    [[nodiscard]] std::string text() const;

private:
    [[nodiscard]] bool keeps_its_promise() const noexcept;

    std::string name_;
    std::string value_;
    std::string path_ = "/";
    std::string domain_;
    std::optional<std::chrono::seconds> max_age_;
    SameSite same_site_ = SameSite::lax;
    bool is_secure_ = false;
    bool is_http_only_ = true;
};

} // namespace sojourn::http

#endif // SOJOURN_HTTP_SET_COOKIE_HPP

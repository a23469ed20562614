#include "session_cookie.hpp"

#include "token.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/field.hpp>

#include <utility>

namespace http_sessions {

namespace {

/// Takes the text before the next separator off `text`, and the separator with it.
std::string_view take_until(std::string_view& text, char separator) noexcept
{
    const auto end = text.find(separator);
    const auto part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
}

std::string_view without_blanks(std::string_view text) noexcept
{
    constexpr std::string_view blanks = " \t";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

} // namespace

SessionCookie::SessionCookie(std::string name, CookieTransport transport)
    : name_(std::move(name)), transport_(transport)
{
}

std::optional<std::string_view>
SessionCookie::objection(std::string_view name, CookieTransport transport)
{
    constexpr std::size_t name_length_max = 64;
    if (!is_token(name) || name.size() > name_length_max) {
        return "must be 1 to 64 letters, digits and characters of !#$%&'*+-.^_`|~";
    }
    // Browsers look at the prefix without regard to case, and drop such a cookie if it is not
    // Secure.
    if (transport == CookieTransport::insecure &&
        (boost::beast::iequals(name.substr(0, 7), "__Host-") ||
         boost::beast::iequals(name.substr(0, 9), "__Secure-"))) {
        return "must not begin with __Host- or __Secure- when cookies are insecure";
    }
    return std::nullopt;
}

sojourn::Result<sojourn::SessionId> SessionCookie::read(const boost::beast::http::fields& header
) const
{
    std::optional<std::string_view> found;
    // Beast finds fields by comparing names, letter by letter, in a tree; of the few that a request
    // has, the numbers of all are compared sooner.
    for (const auto& line : header) {
        if (line.name() != boost::beast::http::field::cookie) {
            continue;
        }
        std::string_view cookies = line.value();
        while (!cookies.empty()) {
            auto value = take_until(cookies, ';');
            const auto name = take_until(value, '=');
            if (without_blanks(name) != name_) {
                continue;
            }
            if (found) {
                return sojourn::errc::invalid_id;
            }
            found = without_blanks(value);
        }
    }
    return sojourn::SessionId::parse_issued(found.value_or(""));
}

std::string SessionCookie::give(const sojourn::SessionId& id) const
{
    return with_rules(name_ + "=" + std::string(id.text()));
}

std::string SessionCookie::take_away() const
{
    return with_rules(name_ + "=; Max-Age=0");
}

std::string SessionCookie::with_rules(std::string text) const
{
    if (transport_ == CookieTransport::secure) {
        text += "; Secure";
    }
    return text + "; HttpOnly; SameSite=Lax; Path=/";
}

} // namespace http_sessions

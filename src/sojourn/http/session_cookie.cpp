#include "sojourn/http/session_cookie.hpp"

#include "sojourn/detail/assert.hpp"
#include "sojourn/http/cookie.hpp"

#include <chrono>
#include <utility>

namespace sojourn::http {

namespace {

using namespace std::chrono_literals;

SetCookie
with_rules(std::string name, std::string value, CookieTransport transport, SameSite same_site)
{
    SetCookie cookie(std::move(name), std::move(value));
    cookie.secure(transport == CookieTransport::secure).same_site(same_site);
    return cookie;
}

} // namespace

SessionCookie::SessionCookie(std::string name, CookieTransport transport, SameSite same_site)
    : name_(std::move(name)), transport_(transport), same_site_(same_site)
{
    SOJOURN_ASSERT(!objection(name_, transport_, same_site_));
}

std::optional<std::string_view>
SessionCookie::objection(std::string_view name, CookieTransport transport, SameSite same_site)
{
    if (name.size() > max_name_length) {
        return "a session cookie's name must be at most 64 characters";
    }
    return with_rules(std::string(name), {}, transport, same_site).objection();
}

void SessionCookie::Reader::look_in(std::string_view cookies) noexcept
{
    while (const auto cookie = take_cookie(cookies)) {
        if (cookie->name == name_) {
            value_ = cookie->value;
            ++found_;
        }
    }
}

Result<SessionId> SessionCookie::Reader::id() const
{
    if (found_ != 1) {
        return errc::invalid_id;
    }
    return SessionId::parse_issued(value_);
}

Result<SessionId> SessionCookie::read(std::string_view cookies) const
{
    Reader reader(*this);
    reader.look_in(cookies);
    return reader.id();
}

std::string SessionCookie::give(const SessionId& id) const
{
    return with_rules(name_, std::string(id.text()), transport_, same_site_).text();
}

std::string SessionCookie::take_away() const
{
    return with_rules(name_, {}, transport_, same_site_).max_age(0s).text();
}

} // namespace sojourn::http

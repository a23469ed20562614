#include "sojourn/http/set_cookie.hpp"

#include "sojourn/detail/assert.hpp"
#include "sojourn/http/letter_case.hpp"
#include "sojourn/http/token.hpp"

#include <algorithm>

namespace sojourn::http {

namespace {

using namespace std::chrono_literals;

/// Whether the text begins with the prefix, in letters of either case.
constexpr bool begins_with(std::string_view text, std::string_view prefix) noexcept
{
    return is_same_text(text.substr(0, prefix.size()), prefix);
}

/// RFC 6265bis' cookie-octet: no blanks, quotes, commas, semicolons, backslashes, nothing beyond
/// ASCII.
constexpr bool is_cookie_octet(char character) noexcept
{
    constexpr std::string_view excluded = "\",;\\";
    return character >= '!' && character <= '~' &&
           excluded.find(character) == std::string_view::npos;
}

constexpr bool is_path_character(char character) noexcept
{
    return character >= '!' && character <= '~' && character != ';';
}

/// Labels of letters, digits and inner hyphens, with dots between them.
constexpr bool is_domain(std::string_view text) noexcept
{
    char before = '.';
    for (const char character : text) {
        const bool ends_a_label = character == '.' && is_alphanumeric(before);
        const bool is_inside_one = character == '-' && before != '.';
        if (!is_alphanumeric(character) && !ends_a_label && !is_inside_one) {
            return false;
        }
        before = character;
    }
    return is_alphanumeric(before) && text.size() <= SetCookie::max_attribute;
}

constexpr std::string_view to_attribute(SameSite rule) noexcept
{
    switch (rule) {
    case SameSite::strict:
        return "; SameSite=Strict";
    case SameSite::none:
        return "; SameSite=None";
    case SameSite::lax:
        break;
    }
    return "; SameSite=Lax";
}

} // namespace

/// What the prefix of its name promises.
bool SetCookie::keeps_its_promise() const noexcept
{
    if (begins_with(name_, "__host-")) {
        return is_secure_ && path_ == "/" && domain_.empty();
    }
    return is_secure_ || !begins_with(name_, "__secure-");
}

std::optional<std::string_view> SetCookie::objection() const noexcept
{
    if (!is_token(name_)) {
        return "a cookie's name must be letters, digits and characters of !#$%&'*+-.^_`|~";
    }
    if (!std::ranges::all_of(value_, is_cookie_octet)) {
        return "a cookie's value must be visible ASCII characters other than \" , ; and \\";
    }
    if (name_.size() + value_.size() > max_name_and_value) {
        return "a cookie's name and value must be at most 4096 bytes together";
    }
    if (!path_.starts_with('/') || path_.size() > max_attribute ||
        !std::ranges::all_of(path_, is_path_character)) {
        return "a cookie's path must begin with / and be at most 1024 visible ASCII characters, "
               "none of them ;";
    }
    if (!domain_.empty() && !is_domain(domain_)) {
        return "a cookie's domain must be at most 1024 letters, digits, hyphens and dots, with a "
               "letter or a digit beside each dot";
    }
    if (max_age_ && (*max_age_ < 0s || *max_age_ > longest_age)) {
        return "a cookie's age must be from 0 to 400 days";
    }
    if (same_site_ == SameSite::none && !is_secure_) {
        return "a cookie for all sites must be secure";
    }
    if (!keeps_its_promise()) {
        return "a cookie whose name begins with __Secure- must be secure, and with __Host- it "
               "must also have the path / and no domain";
    }
    return std::nullopt;
}

std::string SetCookie::text() const
{
    SOJOURN_ASSERT(!objection());
    auto text = name_ + "=" + value_;
    if (max_age_) {
        text += "; Max-Age=" + std::to_string(max_age_->count());
    }
    if (!domain_.empty()) {
        text += "; Domain=" + domain_;
    }
    if (is_secure_) {
        text += "; Secure";
    }
    if (is_http_only_) {
        text += "; HttpOnly";
    }
    return text.append(to_attribute(same_site_)) + "; Path=" + path_;
}

} // namespace sojourn::http

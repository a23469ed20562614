/// @file
/// RFC 9110's `token`: what names of fields, methods and cookies are made of.

#ifndef SOJOURN_HTTP_TOKEN_HPP
#define SOJOURN_HTTP_TOKEN_HPP

#include <algorithm>
#include <string_view>

namespace sojourn::http {

/// Whether it is one of `A-Z a-z 0-9`, in whatever locale.
[[nodiscard]] constexpr bool is_alphanumeric(char character) noexcept
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9');
}

/// Whether the text is a `token` (RFC 9110, section 5.6.2): one or more letters, digits and
/// characters of ``!#$%&'*+-.^_`|~``.
[[nodiscard]] constexpr bool is_token(std::string_view text) noexcept
{
    return !text.empty() && std::ranges::all_of(text, [](char character) {
        constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
        return is_alphanumeric(character) || marks.find(character) != std::string_view::npos;
    });
}

} // namespace sojourn::http

#endif // SOJOURN_HTTP_TOKEN_HPP

/// @file
/// RFC 9110's `token`: what names of fields, methods and cookies are made of.

#ifndef HTTP_SESSIONS_TOKEN_HPP
#define HTTP_SESSIONS_TOKEN_HPP

#include <algorithm>
#include <string_view>

namespace http_sessions {

[[nodiscard]] constexpr bool is_alphanumeric(char character) noexcept
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9');
}

[[nodiscard]] constexpr bool is_token(std::string_view text) noexcept
{
    return !text.empty() && std::ranges::all_of(text, [](char character) {
        constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
        return is_alphanumeric(character) || marks.find(character) != std::string_view::npos;
    });
}

} // namespace http_sessions

#endif // HTTP_SESSIONS_TOKEN_HPP

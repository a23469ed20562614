#include "sojourn/http/cookie.hpp"

namespace sojourn::http {

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

std::optional<Cookie> take_cookie(std::string_view& cookies) noexcept
{
    while (!cookies.empty()) {
        const auto pair = without_blanks(take_until(cookies, ';'));
        if (pair.empty()) {
            continue;
        }
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos) {
            return Cookie{.name = {}, .value = pair};
        }
        return Cookie{
            .name = without_blanks(pair.substr(0, equals)),
            .value = without_blanks(pair.substr(equals + 1)),
        };
    }
    return std::nullopt;
}

} // namespace sojourn::http

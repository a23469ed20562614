/// @file
/// Numbers as the protocols write them: RFC 9110's `DIGIT`, in the one way there is.

#ifndef SOJOURN_HTTP_DECIMAL_HPP
#define SOJOURN_HTTP_DECIMAL_HPP

#include <charconv>
#include <concepts>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>

namespace sojourn::http {

/// Reads what `std::to_string` writes, and nothing else: no signs, no blanks, no leading zeros, no
/// more than the type holds. So a number has one text.
template <std::unsigned_integral Number>
[[nodiscard]] std::optional<Number> parse_decimal(std::string_view text) noexcept
{
    Number number = 0;
    const char* const end = std::to_address(text.end());
    const auto [stopped, error] = std::from_chars(std::to_address(text.begin()), end, number);
    const bool has_leading_zero = text.size() > 1 && text.front() == '0';
    if (error != std::errc() || stopped != end || has_leading_zero) {
        return std::nullopt;
    }
    return number;
}

} // namespace sojourn::http

#endif // SOJOURN_HTTP_DECIMAL_HPP

/// @file
/// ASCII without regard to the case of letters, in whatever locale: how names of fields, schemes
/// and hosts are compared.

#ifndef SOJOURN_HTTP_LETTER_CASE_HPP
#define SOJOURN_HTTP_LETTER_CASE_HPP

#include <algorithm>
#include <string_view>

namespace sojourn::http {

/// The small letter, if it is a capital one of `A-Z`; else what it was.
[[nodiscard]] constexpr char to_lower(char letter) noexcept
{
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

/// Whether the texts differ in nothing but the case of letters.
[[nodiscard]] constexpr bool is_same_text(std::string_view left, std::string_view right) noexcept
{
    return std::ranges::equal(left, right, {}, to_lower, to_lower);
}

} // namespace sojourn::http

#endif // SOJOURN_HTTP_LETTER_CASE_HPP

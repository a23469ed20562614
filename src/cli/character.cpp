#include "cli/character.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sojourn::cli {

namespace {

/// How long a character is that begins with this byte: Unicode's table 3-6.
std::size_t length_by(unsigned char first) noexcept
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xE0) {
        return 2;
    }
    return first < 0xF0 ? 3 : 4;
}

} // namespace

Character first_character(std::string_view text) noexcept
{
    const auto first = static_cast<unsigned char>(text.front());
    const auto bytes = length_by(first);
    // The first byte of several spends one bit for each of them, and one more.
    char32_t code = bytes == 1 ? first : first & (0x7FU >> bytes);
    for (const char next : text.substr(1, bytes - 1)) {
        code = (code << 6U) | (static_cast<unsigned char>(next) & 0x3FU);
    }
    return {code, bytes};
}

bool is_unseen(char32_t code) noexcept
{
    constexpr std::array<std::pair<char32_t, char32_t>, 7> ranges{{
        {0x0000, 0x001F},
        {0x007F, 0x009F},
        {0x061C, 0x061C},
        {0x200B, 0x200F},
        {0x2028, 0x202E},
        {0x2060, 0x206F},
        {0xFEFF, 0xFEFF},
    }};
    return std::ranges::any_of(ranges, [code](const auto& range) {
        return range.first <= code && code <= range.second;
    });
}

} // namespace sojourn::cli

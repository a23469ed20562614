#include "sojourn/core/session_reference.hpp"

#include <ranges>
#include <string_view>

namespace sojourn {

std::string to_string(SessionReference reference)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text(16, '0');
    auto rest = reference.value();
    for (auto& digit : std::views::reverse(text)) {
        digit = digits[rest & 0xFU];
        rest >>= 4U;
    }
    return text;
}

} // namespace sojourn

#include "sojourn/core/session_reference.hpp"

#include <cstddef>
#include <ranges>

namespace sojourn {

namespace {

constexpr std::string_view digits = "0123456789abcdef";
constexpr std::size_t length = 16;

} // namespace

std::optional<SessionReference> SessionReference::parse(std::string_view text) noexcept
{
    if (text.size() != length) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    for (const char character : text) {
        const auto digit = digits.find(character);
        if (digit == std::string_view::npos) {
            return std::nullopt;
        }
        value = value << 4U | digit;
    }
    return SessionReference(value);
}

std::string to_string(SessionReference reference)
{
    std::string text(length, '0');
    auto rest = reference.value();
    for (auto& digit : std::views::reverse(text)) {
        digit = digits[rest & 0xFU];
        rest >>= 4U;
    }
    return text;
}

} // namespace sojourn

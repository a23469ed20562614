#include "sojourn/core/session_id.hpp"

#include <algorithm>

namespace sojourn {

namespace {

constexpr std::string_view base64url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr bool is_visible(char character) noexcept
{
    return character >= '!' && character <= '~';
}

bool is_base64url(char character) noexcept
{
    return base64url.find(character) != std::string_view::npos;
}

} // namespace

SessionId::SessionId(std::string_view valid_text)
{
    if (valid_text.size() > std::tuple_size_v<decltype(detail::InplaceText::text)>) {
        text_ = std::make_shared<const std::string>(valid_text);
        return;
    }
    auto& inplace = std::get<detail::InplaceText>(text_);
    std::ranges::copy(valid_text, inplace.text.begin());
    inplace.length = static_cast<std::uint8_t>(valid_text.size());
}

Result<SessionId> SessionId::parse(std::string_view text)
{
    if (text.empty() || text.size() > max_length || !std::ranges::all_of(text, is_visible)) {
        return errc::invalid_id;
    }
    return SessionId(text);
}

Result<SessionId> SessionId::parse_issued(std::string_view text)
{
    if (text.size() != issued_length || !std::ranges::all_of(text, is_base64url)) {
        return errc::invalid_id;
    }
    return SessionId(text);
}

SessionId SessionId::from_entropy(std::span<const std::byte, entropy_bytes> bytes) noexcept
{
    // RFC 4648, section 5, without padding. 32 bytes are 42 full digits and one of four bits.
    detail::InplaceText inplace;
    std::uint32_t bits = 0;
    int bit_count = 0;
    std::size_t length = 0;
    for (const std::byte byte : bytes) {
        bits = (bits << 8U) | std::to_integer<std::uint32_t>(byte);
        bit_count += 8;
        while (bit_count >= 6) {
            bit_count -= 6;
            inplace.text[length++] = base64url[(bits >> static_cast<unsigned>(bit_count)) & 0x3FU];
        }
    }
    inplace.text[length++] = base64url[(bits << static_cast<unsigned>(6 - bit_count)) & 0x3FU];
    inplace.length = static_cast<std::uint8_t>(length);
    SessionId id;
    *std::get_if<detail::InplaceText>(&id.text_) = inplace;
    return id;
}

std::string_view SessionId::text() const noexcept
{
    if (const auto* inplace = std::get_if<detail::InplaceText>(&text_)) {
        return {inplace->text.data(), inplace->length};
    }
    const auto& longer = *std::get_if<std::shared_ptr<const std::string>>(&text_);
    return longer ? std::string_view(*longer) : std::string_view();
}

bool operator==(const SessionId& left, const SessionId& right) noexcept
{
    const auto a = left.text();
    const auto b = right.text();
    if (a.size() != b.size()) {
        return false;
    }
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference |= static_cast<unsigned>(
            static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i])
        );
    }
    return difference == 0;
}

} // namespace sojourn

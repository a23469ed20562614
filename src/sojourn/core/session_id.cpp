#include "sojourn/core/session_id.hpp"

#include <algorithm>
#include <memory>

namespace sojourn {

namespace {

constexpr std::string_view base64url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr bool is_visible(char character) noexcept
{
    return character >= '!' && character <= '~';
}

/// For each character whether it is one of those: this runs over the cookie of every request.
constexpr auto base64url_set = [] {
    std::array<bool, 256> set{};
    for (const char character : base64url) {
        set[static_cast<unsigned char>(character)] = true;
    }
    return set;
}();

bool is_base64url(char character) noexcept
{
    return base64url_set[static_cast<unsigned char>(character)];
}

} // namespace

SessionId::SessionId(std::string_view valid_text)
{
    if (valid_text.size() > inplace_max) {
        auto text = std::make_unique<SharedText>();
        text->text = valid_text;
        words_.front() = std::bit_cast<std::uint64_t>(text.release());
        set_length(is_shared_mark);
        return;
    }
    std::ranges::copy(valid_text, bytes());
    set_length(valid_text.size());
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
    SessionId id;
    std::uint32_t bits = 0;
    int bit_count = 0;
    char* next = id.bytes();
    for (const std::byte byte : bytes) {
        bits = (bits << 8U) | std::to_integer<std::uint32_t>(byte);
        bit_count += 8;
        while (bit_count >= 6) {
            bit_count -= 6;
            *next++ = base64url[(bits >> static_cast<unsigned>(bit_count)) & 0x3FU];
        }
    }
    *next = base64url[(bits << static_cast<unsigned>(6 - bit_count)) & 0x3FU];
    id.set_length(issued_length);
    return id;
}

std::string_view SessionId::text() const noexcept
{
    return is_shared() ? std::string_view(shared()->text) : std::string_view(bytes(), length());
}

bool operator==(const SessionId& left, const SessionId& right) noexcept
{
    if (!left.is_shared() && !right.is_shared()) {
        std::uint64_t difference = 0;
        for (std::size_t i = 0; i < left.words_.size(); ++i) {
            difference |= left.words_[i] ^ right.words_[i];
        }
        return difference == 0;
    }
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

#include "sojourn/store/store_key.hpp"

#include "sojourn/core/session_id.hpp"

#include <boost/system/errc.hpp>
#include <boost/system/system_error.hpp>

#include <openssl/evp.h>

#include <cstdint>
#include <cstring>
#include <iterator>

namespace sojourn {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

/// The value of each of `0-9a-f`; nothing for another character.
std::optional<unsigned> value_of(char digit) noexcept
{
    const auto place = digits.find(digit);
    if (place == std::string_view::npos) {
        return std::nullopt;
    }
    return static_cast<unsigned>(place);
}

} // namespace

StoreKey StoreKey::of(const SessionId& id)
{
    return of_text(id.text());
}

StoreKey StoreKey::of_principal(std::string_view name)
{
    return of_text(name);
}

StoreKey StoreKey::of_text(std::string_view text)
{
    StoreKey key;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what OpenSSL calls bytes
    auto* const bytes = reinterpret_cast<unsigned char*>(key.bytes_.data());
    if (EVP_Digest(text.data(), text.size(), bytes, nullptr, EVP_sha256(), nullptr) != 1) {
        throw boost::system::system_error(
            make_error_code(boost::system::errc::io_error), "SHA-256 of a store key"
        );
    }
    return key;
}

std::optional<StoreKey> StoreKey::from_hex(std::string_view text) noexcept
{
    if (text.size() != 2 * size) {
        return std::nullopt;
    }
    StoreKey key;
    for (auto& byte : key.bytes_) {
        const auto high = value_of(text[0]);
        const auto low = value_of(text[1]);
        if (!high || !low) {
            return std::nullopt;
        }
        byte = static_cast<std::byte>(*high << 4U | *low);
        text.remove_prefix(2);
    }
    return key;
}

std::string StoreKey::hex() const
{
    std::string text;
    text.reserve(2 * size);
    for (const auto byte : bytes_) {
        const auto value = std::to_integer<unsigned>(byte);
        text += digits[value >> 4U];
        text += digits[value & 0xFU];
    }
    return text;
}

} // namespace sojourn

std::size_t std::hash<sojourn::StoreKey>::operator()(const sojourn::StoreKey& key) const noexcept
{
    std::size_t part = 0;
    std::memcpy(&part, key.bytes().data(), sizeof part);
    return part;
}

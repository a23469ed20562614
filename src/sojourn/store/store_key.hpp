/// @file
/// Under what a store keeps a session: a hash of its id. Who can read the store, its backups or its
/// wire learns no id, and holds no session.

#ifndef SOJOURN_STORE_STORE_KEY_HPP
#define SOJOURN_STORE_STORE_KEY_HPP

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sojourn {

class SessionId;

/// A SHA-256 (FIPS 180-4). Compares as its bytes do; all zero when default constructed, which no
/// session has.
///
/// *Thread safety*: a value.
class StoreKey {
public:
    static constexpr std::size_t size = 32;

    StoreKey() noexcept = default;

    explicit StoreKey(std::span<const std::byte, size> bytes) noexcept
    {
        std::ranges::copy(bytes, bytes_.begin());
    }

    /// The key of the session with this id, the same in every server. A guess of an id can be
    /// checked against it, so it is as hard to reverse as the id is to guess. *Exceptions*:
    /// `boost::system::system_error`, if the cryptographic library fails.
    [[nodiscard]] static StoreKey of(const SessionId& id);

    /// The key by which the sessions of a principal are found. Names can be guessed: whoever reads
    /// the store can ask it for one that he knows. *Exceptions*: the same.
    [[nodiscard]] static StoreKey of_principal(std::string_view name);

    /// The SHA-256 of a text, for what else has to be named by one. *Exceptions*: the same.
    [[nodiscard]] static StoreKey of_text(std::string_view text);

    /// Nothing unless the text is 64 of `0-9a-f`.
    [[nodiscard]] static std::optional<StoreKey> from_hex(std::string_view text) noexcept;

    [[nodiscard]] std::span<const std::byte, size> bytes() const noexcept { return bytes_; }

    /// 64 of `0-9a-f`. *Exceptions*: `bad_alloc`.
    [[nodiscard]] std::string hex() const;

    friend bool operator==(const StoreKey&, const StoreKey&) noexcept = default;
    friend std::strong_ordering operator<=>(const StoreKey&, const StoreKey&) noexcept = default;

private:
    std::array<std::byte, size> bytes_{};
};

} // namespace sojourn

/// A part of the key: it is a hash already.
template <>
struct std::hash<sojourn::StoreKey> {
    [[nodiscard]] std::size_t operator()(const sojourn::StoreKey& key) const noexcept;
};

#endif // SOJOURN_STORE_STORE_KEY_HPP

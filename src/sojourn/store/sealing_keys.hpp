/// @file
/// The keys by which records are sealed, so that who reads a store cannot read its sessions, nor
/// change one unnoticed.

#ifndef SOJOURN_STORE_SEALING_KEYS_HPP
#define SOJOURN_STORE_SEALING_KEYS_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sojourn {

/// A key of AES-256, with the number by which records name it. The numbers and keys of all servers
/// on a store must be the same.
struct SealingKey {
    static constexpr std::size_t size = 32;

    std::uint32_t number = 0;
    std::array<std::byte, size> bytes{};
};

/// Keys. The newest seals; all of them open, so a key is changed by adding one, and the old one is
/// taken away once all that it has sealed has expired. Default: none, and nothing is sealed.
class SealingKeys {
public:
    SealingKeys() = default;

    /// Adds the newest one. It replaces one of the same number.
    SealingKeys& add(const SealingKey& key);

    [[nodiscard]] bool empty() const noexcept { return keys_.empty(); }

    /// Precondition: not empty.
    [[nodiscard]] const SealingKey& newest() const noexcept { return keys_.back(); }

    /// Null if there is none of this number.
    [[nodiscard]] const SealingKey* find(std::uint32_t number) const noexcept;

private:
    std::vector<SealingKey> keys_;
};

} // namespace sojourn

#endif // SOJOURN_STORE_SEALING_KEYS_HPP

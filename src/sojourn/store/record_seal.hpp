/// @file
/// Private header. AES-256-GCM (NIST SP 800-38D) over a text, with OpenSSL.

#ifndef SOJOURN_STORE_RECORD_SEAL_HPP
#define SOJOURN_STORE_RECORD_SEAL_HPP

#include "sojourn/store/sealing_keys.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sojourn {

/// Bytes that a sealed text has more than a plain one: what is drawn for it before, and its tag
/// behind.
inline constexpr std::size_t nonce_bytes = 12;
inline constexpr std::size_t tag_bytes = 16;

/// The text, sealed together with what stands beside it in the clear. Each text gets a nonce of its
/// own, drawn at random: a key may seal 2^32 of them (section 8.3). *Exceptions*: `bad_alloc`;
/// `boost::system::system_error`.
[[nodiscard]] std::string
seal(const SealingKey& key, std::string_view text, std::string_view beside);

/// The text that was sealed; nothing if it was not with this key, or one of the two was changed.
/// *Exceptions*: as `seal`.
[[nodiscard]] std::optional<std::string>
open(const SealingKey& key, std::string_view sealed, std::string_view beside);

} // namespace sojourn

#endif // SOJOURN_STORE_RECORD_SEAL_HPP

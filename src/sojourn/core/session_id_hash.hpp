/// @file
/// Private header. The hash by which a session id is looked up. It is keyed, as ids may come from a
/// peer, and costs a few multiplications for an id that lies in place, as those that sojourn issues
/// do.

#ifndef SOJOURN_CORE_SESSION_ID_HASH_HPP
#define SOJOURN_CORE_SESSION_ID_HASH_HPP

#include "sojourn/core/session_id.hpp"
#include "sojourn/core/siphash.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace sojourn {

/// A session id with its hash, which is computed before the turn and not in it.
struct HashedId {
    SessionId id;
    std::uint64_t hash = 0;
};

/// The hash of session ids under one secret key.
///
/// Ids in place: NH of UMAC (Black, Halevi, Krawczyk, Krovetz and Rogaway, 1999) over their six
/// words, whose 128 bits of two different ids are equal with a chance of 2^-64 over the key; folded
/// to 64 bits by one more keyed product. So who does not know the key, and is never shown a hash,
/// cannot choose ids that meet. Longer ids: SipHash.
class SessionIdHash {
public:
    explicit SessionIdHash(HashKey key) noexcept : key_(key)
    {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            words_[i] = siphash<2, 4>(key, std::string_view("sojourn session").substr(0, i + 1));
        }
    }

    [[nodiscard]] std::uint64_t operator()(const SessionId& id) const noexcept
    {
        if (id.is_shared()) {
            return keyed_hash(key_, id.text());
        }
        const auto& text = id.words_;
        const auto sum = product(text[0] + words_[0], text[1] + words_[1]) +
                         product(text[2] + words_[2], text[3] + words_[3]) +
                         product(text[4] + words_[4], text[5] + words_[5]);
        const auto folded = product(low(sum) + words_[6], high(sum) + words_[7]);
        return low(folded) ^ high(folded);
    }

    /// The id with its hash.
    [[nodiscard]] HashedId hashed(SessionId id) const noexcept
    {
        const auto hash = (*this)(id);
        return {std::move(id), hash};
    }

private:
    __extension__ using Wide = unsigned __int128;

    static Wide product(std::uint64_t left, std::uint64_t right) noexcept
    {
        return static_cast<Wide>(left) * right;
    }

    static std::uint64_t low(Wide wide) noexcept { return static_cast<std::uint64_t>(wide); }

    static std::uint64_t high(Wide wide) noexcept
    {
        return static_cast<std::uint64_t>(wide >> 64U);
    }

    HashKey key_;
    std::array<std::uint64_t, 8> words_{};
};

} // namespace sojourn

#endif // SOJOURN_CORE_SESSION_ID_HASH_HPP

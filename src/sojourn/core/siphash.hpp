/// @file
/// Private header. SipHash (Aumasson and Bernstein, 2012), a keyed hash: who does not know the key
/// cannot make two texts collide. Principals, and ids adopted from a peer, come from outside.

#ifndef SOJOURN_CORE_SIPHASH_HPP
#define SOJOURN_CORE_SIPHASH_HPP

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sojourn {

/// The secret of one service's hashes, drawn when it starts.
struct HashKey {
    std::uint64_t k0 = 0;
    std::uint64_t k1 = 0;
};

/// SipHash with `Compress` rounds a block and `Finish` rounds at the end.
template <int Compress, int Finish>
[[nodiscard]] inline std::uint64_t siphash(HashKey key, std::string_view text) noexcept
{
    static_assert(std::endian::native == std::endian::little, "blocks are read as little-endian");

    std::uint64_t v0 = key.k0 ^ 0x736f6d6570736575U;
    std::uint64_t v1 = key.k1 ^ 0x646f72616e646f6dU;
    std::uint64_t v2 = key.k0 ^ 0x6c7967656e657261U;
    std::uint64_t v3 = key.k1 ^ 0x7465646279746573U;

    const auto rounds = [&](int count) {
        for (int i = 0; i < count; ++i) {
            v0 += v1;
            v1 = std::rotl(v1, 13) ^ v0;
            v0 = std::rotl(v0, 32);
            v2 += v3;
            v3 = std::rotl(v3, 16) ^ v2;
            v0 += v3;
            v3 = std::rotl(v3, 21) ^ v0;
            v2 += v1;
            v1 = std::rotl(v1, 17) ^ v2;
            v2 = std::rotl(v2, 32);
        }
    };
    const auto absorb = [&](std::uint64_t block) {
        v3 ^= block;
        rounds(Compress);
        v0 ^= block;
    };

    const auto* bytes = text.data();
    std::size_t rest = text.size();
    for (; rest >= 8; rest -= 8, bytes += 8) {
        std::uint64_t block = 0;
        std::memcpy(&block, bytes, sizeof(block));
        absorb(block);
    }
    std::uint64_t last = 0;
    // An empty text may have no address, and memcpy must have one.
    if (rest > 0) {
        std::memcpy(&last, bytes, rest);
    }
    absorb(last | (static_cast<std::uint64_t>(text.size()) << 56U));

    v2 ^= 0xFFU;
    rounds(Finish);
    return v0 ^ v1 ^ v2 ^ v3;
}

/// The variant that sojourn uses: one round a block, as hash tables elsewhere do.
[[nodiscard]] inline std::uint64_t keyed_hash(HashKey key, std::string_view text) noexcept
{
    return siphash<1, 3>(key, text);
}

} // namespace sojourn

#endif // SOJOURN_CORE_SIPHASH_HPP

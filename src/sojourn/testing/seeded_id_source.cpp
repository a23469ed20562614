#include "sojourn/testing/seeded_id_source.hpp"

#include <algorithm>
#include <cstddef>

namespace sojourn::testing {

namespace {

// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
constexpr std::uint64_t golden_gamma = 0x9e3779b97f4a7c15U;

constexpr std::uint64_t mix(std::uint64_t word) noexcept
{
    word = (word ^ (word >> 30U)) * 0xbf58476d1ce4e5b9U;
    word = (word ^ (word >> 27U)) * 0x94d049bb133111ebU;
    return word ^ (word >> 31U);
}

} // namespace

// Mixed, so that the sequences of neighbouring seeds do not overlap.
SeededIdSource::SeededIdSource(std::uint64_t seed) noexcept : origin_(mix(seed + golden_gamma)) {}

boost::system::error_code SeededIdSource::fill(std::span<std::byte> bytes) noexcept
{
    constexpr std::size_t word_bytes = sizeof(std::uint64_t);
    const std::uint64_t words = (bytes.size() + word_bytes - 1) / word_bytes;
    auto index = words_drawn_.fetch_add(words, std::memory_order_relaxed);
    while (!bytes.empty()) {
        auto word = mix(origin_ + ++index * golden_gamma);
        const auto part = bytes.first(std::min(word_bytes, bytes.size()));
        // By hand, so that the ids are the same whatever the byte order.
        for (auto& byte : part) {
            byte = static_cast<std::byte>(word & 0xFFU);
            word >>= 8U;
        }
        bytes = bytes.subspan(part.size());
    }
    return {};
}

} // namespace sojourn::testing

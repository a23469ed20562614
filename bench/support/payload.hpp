/// @file
/// What every session of a benchmark remembers: 64 bytes, the same for us and for the peers.

#ifndef SOJOURN_BENCH_SUPPORT_PAYLOAD_HPP
#define SOJOURN_BENCH_SUPPORT_PAYLOAD_HPP

#include "sojourn/core/attributes.hpp"

#include <array>
#include <string>
#include <string_view>

namespace sojourn::bench {

/// A peer keeps it in place, in the session's node.
using Payload = std::array<char, 64>;

inline constexpr Payload payload = [] {
    Payload bytes{};
    bytes.fill('x');
    return bytes;
}();

/// Ours keeps named texts: here one, of 64 bytes with its name.
inline Attributes attributes_of(const Payload& bytes)
{
    constexpr std::string_view name = "user";
    Attributes attributes;
    attributes.set(name, std::string_view(bytes.data(), bytes.size() - name.size()));
    return attributes;
}

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_SUPPORT_PAYLOAD_HPP

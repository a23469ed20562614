#include "sojourn/core/session_id_hash.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

using sojourn::SessionId;
using sojourn::SessionIdHash;

namespace {

SessionId id(const std::string& text)
{
    return SessionId::parse(text).value();
}

} // namespace

TEST_CASE("session_id_hash: equal ids have equal hashes, under one key", "[unit][core]")
{
    const SessionIdHash hash({1, 2});
    const SessionIdHash same({1, 2});
    const SessionIdHash other({1, 3});
    for (const std::size_t length : {1U, 43U, 47U, 48U, 128U}) {
        const std::string text(length, 'x');
        CHECK(hash(id(text)) == same(id(text)));
        CHECK(hash(id(text)) != other(id(text)));
        CHECK(hash.hashed(id(text)).hash == hash(id(text)));
        CHECK(hash.hashed(id(text)).id == id(text));
    }
}

TEST_CASE("session_id_hash: every character and the length count", "[unit][core]")
{
    const SessionIdHash hash({3, 4});
    std::unordered_set<std::uint64_t> seen;
    std::size_t count = 0;
    for (std::size_t length = 1; length <= 128; ++length) {
        const std::string text(length, 'a');
        seen.insert(hash(id(text)));
        ++count;
        for (std::size_t place = 0; place < length; ++place) {
            auto changed = text;
            changed[place] = 'b';
            seen.insert(hash(id(changed)));
            ++count;
        }
    }
    CHECK(seen.size() == count);
}

TEST_CASE("session_id_hash: ids that are alike spread over all places", "[unit][core]")
{
    // Numbered ids, as a peer may bring them, in as many buckets by the low half and by the high
    // bits, which pick the place and the shard. Chi-squared for 255 degrees of freedom: 360 has a
    // chance of 1 in 60,000, and the key is fixed.
    const SessionIdHash hash({5, 6});
    constexpr std::size_t count = 25'600;
    std::array<std::size_t, 256> low{};
    std::array<std::size_t, 256> high{};
    for (std::size_t i = 0; i < count; ++i) {
        const auto value = hash(id("session-" + std::to_string(i)));
        ++low[(value & 0xFFFFFFFFU) >> 24U];
        ++high[value >> 56U];
    }
    const auto chi_squared = [](const auto& counts) {
        double sum = 0;
        for (const auto seen : counts) {
            const double difference = static_cast<double>(seen) - count / 256.0;
            sum += difference * difference / (count / 256.0);
        }
        return sum;
    };
    CHECK(chi_squared(low) < 360);
    CHECK(chi_squared(high) < 360);
}

#include "sojourn/http_server/utf8.hpp"

#include <algorithm>
#include <cstddef>

namespace sojourn::http_server {

namespace {

constexpr bool is_between(unsigned char byte, unsigned least, unsigned most) noexcept
{
    return byte >= least && byte <= most;
}

/// What may follow a first byte: how many bytes, and the bounds of the first of them, which is
/// where overlong forms, surrogates and what lies beyond U+10FFFF show.
struct Tail {
    std::size_t length = 0;
    unsigned least = 0x80;
    unsigned most = 0xBF;
};

/// Unicode 15, table 3-7, for the first bytes of more than one. A length of zero: no such byte.
constexpr Tail tail_of(unsigned char first) noexcept
{
    if (is_between(first, 0xC2, 0xDF)) {
        return {.length = 1};
    }
    if (is_between(first, 0xE0, 0xEF)) {
        return {
            .length = 2,
            .least = first == 0xE0 ? 0xA0U : 0x80U,
            .most = first == 0xED ? 0x9FU : 0xBFU
        };
    }
    if (is_between(first, 0xF0, 0xF4)) {
        return {
            .length = 3,
            .least = first == 0xF0 ? 0x90U : 0x80U,
            .most = first == 0xF4 ? 0x8FU : 0xBFU
        };
    }
    return {};
}

} // namespace

bool is_utf8(std::string_view text) noexcept
{
    while (!text.empty()) {
        const auto first = static_cast<unsigned char>(text.front());
        text.remove_prefix(1);
        if (first < 0x80) {
            continue;
        }
        const auto tail = tail_of(first);
        if (tail.length == 0 || text.size() < tail.length) {
            return false;
        }
        const auto rest = text.substr(0, tail.length);
        const auto continues = [](char byte) {
            return is_between(static_cast<unsigned char>(byte), 0x80, 0xBF);
        };
        if (!is_between(static_cast<unsigned char>(rest.front()), tail.least, tail.most) ||
            !std::ranges::all_of(rest, continues)) {
            return false;
        }
        text.remove_prefix(tail.length);
    }
    return true;
}

} // namespace sojourn::http_server

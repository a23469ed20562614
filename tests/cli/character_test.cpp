#include "cli/character.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <string_view>

using namespace sojourn::cli;

TEST_CASE("character: the first of a text is read, whatever its length", "[cli]")
{
    struct Case {
        std::string_view text;
        char32_t code;
        std::size_t bytes;
    };

    for (const auto& [text, code, bytes] : {
             Case{"a", U'a', 1},
             Case{"\x7F\x7F", U'\x7F', 1},
             Case{"\xC2\x80x", 0x80, 2},
             Case{"\xDF\xBF", 0x7FF, 2},
             Case{"\xE2\x80\xAEx", 0x202E, 3},
             Case{"\xEF\xBF\xBF", 0xFFFF, 3},
             Case{"\xF0\x9F\x98\x80x", 0x1F600, 4},
             Case{"\xF4\x8F\xBF\xBF", 0x10FFFF, 4},
         }) {
        INFO(text);
        const auto first = first_character(text);
        CHECK(static_cast<std::uint32_t>(first.code) == static_cast<std::uint32_t>(code));
        CHECK(first.bytes == bytes);
    }
}

TEST_CASE("character: those that a terminal obeys are unseen, and no others", "[cli]")
{
    for (const char32_t code :
         {0x00U,
          0x1BU,
          0x1FU,
          0x7FU,
          0x80U,
          0x9BU,
          0x9FU,
          0x61CU,
          0x200BU,
          0x200FU,
          0x2028U,
          0x2029U,
          0x202AU,
          0x202EU,
          0x2060U,
          0x2066U,
          0x206FU,
          0xFEFFU}) {
        INFO(static_cast<std::uint32_t>(code));
        CHECK(is_unseen(code));
    }
    for (const char32_t code :
         {0x20U,
          0x7EU,
          0xA0U,
          0xE4U,
          0x61BU,
          0x61DU,
          0x200AU,
          0x2010U,
          0x2027U,
          0x202FU,
          0x205FU,
          0x2070U,
          0x20ACU,
          0xFEFEU,
          0xFF00U,
          0x1F600U,
          0x10FFFFU}) {
        INFO(static_cast<std::uint32_t>(code));
        CHECK_FALSE(is_unseen(code));
    }
}

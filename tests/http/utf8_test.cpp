#include "sojourn/http_server/utf8.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string_view>

namespace sojourn::tests {

using sojourn::http_server::is_utf8;

TEST_CASE("utf8: well-formed text is accepted, the ends of every range included", "[http]")
{
    using namespace std::string_view_literals;
    for (const auto text :
         {""sv,
          "plain"sv,
          "\0\x7F"sv,
          "\xC2\x80"sv,
          "\xDF\xBF"sv,
          "\xE0\xA0\x80"sv,
          "\xED\x9F\xBF"sv,
          "\xEE\x80\x80"sv,
          "\xEF\xBF\xBF"sv,
          "\xF0\x90\x80\x80"sv,
          "\xF4\x8F\xBF\xBF"sv,
          "a\xC3\xA9z"sv}) {
        CHECK(is_utf8(text));
    }
}

TEST_CASE("utf8: what is overlong, a surrogate, too large, stray or cut off is refused", "[http]")
{
    using namespace std::string_view_literals;
    for (const auto text :
         {"\x80"sv,
          "\xBF"sv,
          "\xC0\x80"sv,
          "\xC1\xBF"sv,
          "\xC2"sv,
          "\xC2\x7F"sv,
          "\xC2\xC0"sv,
          "\xE0\x9F\xBF"sv,
          "\xE1\x80"sv,
          "\xE1\x80\x7F"sv,
          "\xED\xA0\x80"sv,
          "\xF0\x8F\xBF\xBF"sv,
          "\xF1\x80\x80"sv,
          "\xF1\x80\x80\xC0"sv,
          "\xF4\x90\x80\x80"sv,
          "\xF5\x80\x80\x80"sv,
          "\xFF"sv,
          "ok\xFE"sv}) {
        CHECK_FALSE(is_utf8(text));
    }
}

} // namespace sojourn::tests

#include <sojourn/http/cookie.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sojourn::tests {

namespace {

using http::Cookie;

std::vector<Cookie> cookies_of(std::string_view field)
{
    std::vector<Cookie> cookies;
    while (const auto cookie = http::take_cookie(field)) {
        cookies.push_back(*cookie);
    }
    return cookies;
}

} // namespace

TEST_CASE("cookie: a field's cookies come in its order", "[http]")
{
    CHECK(
        cookies_of("SID=31d4d96e407aad42; lang=en-US") ==
        std::vector<Cookie>{{"SID", "31d4d96e407aad42"}, {"lang", "en-US"}}
    );
    CHECK(cookies_of("a=1; b=2; a=3") == std::vector<Cookie>{{"a", "1"}, {"b", "2"}, {"a", "3"}});
}

TEST_CASE("cookie: blanks around names and values are none of theirs", "[http]")
{
    const std::vector<Cookie> expected{{"a", "1"}, {"b", "2"}};
    CHECK(cookies_of("a=1;b=2") == expected);
    CHECK(cookies_of("  a=1 ;  b=2\t") == expected);
    CHECK(cookies_of("a = 1 ;\tb\t=\t2") == expected);
    CHECK(cookies_of("a=one two") == std::vector<Cookie>{{"a", "one two"}});
}

TEST_CASE("cookie: empty pairs are passed over", "[http]")
{
    CHECK(cookies_of("").empty());
    CHECK(cookies_of(" \t").empty());
    CHECK(cookies_of(";; ;").empty());
    CHECK(cookies_of(";a=1;;b=2; ;") == std::vector<Cookie>{{"a", "1"}, {"b", "2"}});
}

TEST_CASE("cookie: without an equals sign it is a value, without a name", "[http]")
{
    CHECK(cookies_of("dark") == std::vector<Cookie>{{"", "dark"}});
    CHECK(cookies_of("=dark") == std::vector<Cookie>{{"", "dark"}});
    CHECK(cookies_of("=") == std::vector<Cookie>{{"", ""}});
    CHECK(cookies_of("a=") == std::vector<Cookie>{{"a", ""}});
}

TEST_CASE("cookie: a value may hold whatever is no semicolon", "[http]")
{
    CHECK(cookies_of("a=b=c==") == std::vector<Cookie>{{"a", "b=c=="}});
    CHECK(cookies_of("a=\"b\"") == std::vector<Cookie>{{"a", "\"b\""}});
    // A quote does not protect a semicolon.
    CHECK(cookies_of("a=\"b;c\"") == std::vector<Cookie>{{"a", "\"b"}, {"", "c\""}});
    const std::string odd("a=\0\xFF\n", 5);
    CHECK(cookies_of(odd) == std::vector<Cookie>{{"a", std::string_view(odd).substr(2)}});
}

TEST_CASE("cookie: what is taken is what the rest lacks", "[http]")
{
    std::string_view field = "a=1; b=2";
    CHECK(http::take_cookie(field) == Cookie{"a", "1"});
    CHECK(field == " b=2");
    CHECK(http::take_cookie(field) == Cookie{"b", "2"});
    CHECK(field.empty());
    CHECK_FALSE(http::take_cookie(field));
}

} // namespace sojourn::tests

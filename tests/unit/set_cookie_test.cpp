#include <sojourn/http/set_cookie.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

namespace sojourn::tests {

using http::SameSite;
using http::SetCookie;
using namespace std::chrono_literals;

TEST_CASE("set_cookie: by default it is hidden from scripts, for all paths of one host", "[http]")
{
    const SetCookie cookie("theme", "dark");
    CHECK_FALSE(cookie.objection());
    CHECK(cookie.text() == "theme=dark; HttpOnly; SameSite=Lax; Path=/");
}

TEST_CASE("set_cookie: every attribute is written once", "[http]")
{
    const auto cookie = SetCookie("id", "31d4")
                            .secure(true)
                            .http_only(false)
                            .same_site(SameSite::strict)
                            .path("/shop")
                            .domain("example.com")
                            .max_age(90s);
    CHECK_FALSE(cookie.objection());
    CHECK(
        cookie.text() ==
        "id=31d4; Max-Age=90; Domain=example.com; Secure; SameSite=Strict; Path=/shop"
    );
    CHECK(
        SetCookie("id").secure(true).same_site(SameSite::none).max_age(0s).text() ==
        "id=; Max-Age=0; Secure; HttpOnly; SameSite=None; Path=/"
    );
}

TEST_CASE("set_cookie: a name is a token", "[http]")
{
    CHECK_FALSE(SetCookie("!#$%&'*+-.^_`|~09azAZ").objection());
    for (const std::string_view name :
         {"", "a b", "a;b", "a=b", "a\r\nb", "\"a\"", "a,b", "\xC3\xA9", "a\x7F"}) {
        CAPTURE(name);
        CHECK(SetCookie(std::string(name)).objection());
    }
}

TEST_CASE("set_cookie: a value can end neither the cookie nor the field", "[http]")
{
    CHECK_FALSE(SetCookie("a", "").objection());
    CHECK_FALSE(SetCookie("a", "!#$%&'()*+-./09:<=>?@AZ[]^_`az{|}~").objection());
    for (const std::string_view value :
         {"a b", "a;b", "a,b", "a\"b", "a\\b", "a\r\nSet-Cookie: b=c", "\t", "\x7F", "\xC3\xA9"}) {
        CAPTURE(value);
        CHECK(SetCookie("a", std::string(value)).objection());
    }
    CHECK(SetCookie("a", std::string(1, '\0')).objection());
}

TEST_CASE("set_cookie: what a browser would ignore for its length is refused", "[http]")
{
    CHECK_FALSE(SetCookie("ab", std::string(4094, 'c')).objection());
    CHECK(SetCookie("ab", std::string(4095, 'c')).objection());
    CHECK_FALSE(SetCookie("a").path("/" + std::string(1023, 'p')).objection());
    CHECK(SetCookie("a").path("/" + std::string(1024, 'p')).objection());
    CHECK_FALSE(SetCookie("a").domain(std::string(1024, 'd')).objection());
    CHECK(SetCookie("a").domain(std::string(1025, 'd')).objection());
}

TEST_CASE("set_cookie: paths and domains cannot end the attribute", "[http]")
{
    for (const std::string_view path : {"", "a", "/a;b", "/a b", "/\r\n", "/\xC3\xA9"}) {
        CAPTURE(path);
        CHECK(SetCookie("a").path(std::string(path)).objection());
    }
    CHECK_FALSE(SetCookie("a").domain("www.Example-1.com").objection());
    CHECK_FALSE(SetCookie("a").domain("xn--mnchen-3ya.de").objection());
    for (const std::string_view domain :
         {"a;b",
          "a b",
          "a\r\n",
          "a/b",
          "a:80",
          "\xC3\xA9.de",
          ".",
          "..",
          "-",
          ".a",
          "a.",
          "a..b",
          "-a",
          "a-",
          "a.-b",
          "a-.b"}) {
        CAPTURE(domain);
        CHECK(SetCookie("a").domain(std::string(domain)).objection());
    }
}

TEST_CASE("set_cookie: an age is from zero to what browsers keep", "[http]")
{
    CHECK_FALSE(SetCookie("a").max_age(0s).objection());
    CHECK_FALSE(SetCookie("a").max_age(34'560'000s).objection());
    CHECK(SetCookie("a").max_age(-1s).objection());
    CHECK(SetCookie("a").max_age(34'560'001s).objection());
}

TEST_CASE("set_cookie: only a secure cookie is for all sites", "[http]")
{
    CHECK(SetCookie("a").same_site(SameSite::none).objection());
    CHECK_FALSE(SetCookie("a").same_site(SameSite::none).secure(true).objection());
}

TEST_CASE("set_cookie: a prefix is a promise, in letters of either case", "[http]")
{
    for (const std::string name : {"__Secure-id", "__SECURE-id", "__secure-"}) {
        CAPTURE(name);
        CHECK(SetCookie(name).objection());
        CHECK_FALSE(SetCookie(name).secure(true).path("/shop").domain("a.com").objection());
    }
    for (const std::string name : {"__Host-id", "__hOSt-id", "__host-"}) {
        CAPTURE(name);
        CHECK(SetCookie(name).objection());
        CHECK_FALSE(SetCookie(name).secure(true).objection());
        CHECK(SetCookie(name).secure(true).path("/shop").objection());
        CHECK(SetCookie(name).secure(true).domain("a.com").objection());
    }
    for (const std::string name : {"__Host", "_Host-id", "x__Host-id", "__Secure", "__Hostid"}) {
        CAPTURE(name);
        CHECK_FALSE(SetCookie(name).objection());
    }
}

} // namespace sojourn::tests

#include <sojourn/http/origin.hpp>

#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace sojourn::tests {

namespace {

using http::Origin;

/// As it is written; empty if it is no origin.
std::string normalized(std::string_view text)
{
    const auto origin = Origin::parse(text);
    return origin ? origin->text() : std::string();
}

/// Nothing if it is no origin.
std::optional<bool> is_loopback(std::string_view text)
{
    const auto origin = Origin::parse(text);
    return origin ? std::optional(origin->is_loopback()) : std::nullopt;
}

} // namespace

TEST_CASE("origin: a scheme, a host and perhaps a port", "[http]")
{
    CHECK(normalized("https://example.com") == "https://example.com");
    CHECK(normalized("http://example.com:8080") == "http://example.com:8080");
    CHECK(normalized("http://192.0.2.1:0") == "http://192.0.2.1:0");
    CHECK(normalized("https://[2001:db8::1]") == "https://[2001:db8::1]");
    CHECK(normalized("https://[2001:db8::1]:65535") == "https://[2001:db8::1]:65535");
    CHECK(normalized("vscode-webview://0a1b2c") == "vscode-webview://0a1b2c");
    CHECK(normalized("https://xn--bcher-kva.example_") == "https://xn--bcher-kva.example_");
}

TEST_CASE("origin: letters of either case are the same", "[http]")
{
    CHECK(normalized("HTTPS://EXAMPLE.com") == "https://example.com");
    CHECK(Origin::parse("https://EXAMPLE.com") == Origin::parse("Https://example.COM"));
    CHECK(Origin::parse("http://[2001:DB8::a]") == Origin::parse("http://[2001:db8::A]"));
}

TEST_CASE("origin: a default port may be written or not", "[http]")
{
    CHECK(normalized("http://example.com:80") == "http://example.com");
    CHECK(normalized("HTTPS://example.com:443") == "https://example.com");
    CHECK(Origin::parse("http://example.com:80") == Origin::parse("http://example.com"));
    CHECK(Origin::parse("http://example.com:443") != Origin::parse("http://example.com"));
    CHECK(normalized("app://example:80") == "app://example:80");
}

TEST_CASE("origin: another scheme, host or port is another origin", "[http]")
{
    const auto origin = Origin::parse("https://example.com:8443");
    REQUIRE(origin);
    CHECK(origin != Origin::parse("http://example.com:8443"));
    CHECK(origin != Origin::parse("https://www.example.com:8443"));
    CHECK(origin != Origin::parse("https://example.com.:8443"));
    CHECK(origin != Origin::parse("https://example.com:8444"));
    CHECK(origin != Origin::parse("https://example.com"));
}

TEST_CASE("origin: what no browser writes is none", "[http]")
{
    for (const std::string_view text : {
             "",
             "null",
             "example.com",
             "https:example.com",
             "https:/example.com",
             "//example.com",
             "://example.com",
             "https://",
             "https://:443",
             "https://example.com:",
             "https://example.com:65536",
             "https://example.com:0443",
             "https://example.com:-1",
             "https://example.com:a",
             "https://example.com:443:443",
             "https://example.com/",
             "https://example.com/path",
             "https://example.com?query",
             "https://example.com#fragment",
             "https://alice@example.com",
             "https://example.com https://example.org",
             "https://example.com, https://example.org",
             " https://example.com",
             "https://example.com ",
             "https://exa mple.com",
             "https://*.example.com",
             "https://example.com\r\nX: y",
             "https://\xC3\xBC.example",
             "1http://example.com",
             "ht tp://example.com",
             "https://[",
             "https://[]",
             "https://]",
             "https://[::1",
             "https://::1",
             "https://[::1]x",
             "https://[::g]",
             "https://[::1]:",
             "https://[::1]:80]",
             "https://[fe80::1%25eth0]",
         }) {
        CAPTURE(text);
        CHECK_FALSE(Origin::parse(text));
    }
    CHECK_FALSE(Origin::parse({}));
}

TEST_CASE("origin: the browser's own machine, on any port, over http or https", "[http]")
{
    CHECK(is_loopback("http://localhost") == true);
    CHECK(is_loopback("https://LOCALHOST:6274") == true);
    CHECK(is_loopback("http://127.0.0.1:3000") == true);
    CHECK(is_loopback("http://[::1]:3000") == true);

    CHECK(is_loopback("http://example.com") == false);
    CHECK(is_loopback("http://localhost.example.com") == false);
    CHECK(is_loopback("http://127.0.0.1.example.com") == false);
    CHECK(is_loopback("http://notlocalhost") == false);
    CHECK(is_loopback("http://0.0.0.0") == false);
    CHECK(is_loopback("app://localhost") == false);
}

} // namespace sojourn::tests

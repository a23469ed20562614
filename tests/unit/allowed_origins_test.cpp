#include <sojourn/http/allowed_origins.hpp>

#include <catch2/catch_test_macros.hpp>

#include <initializer_list>
#include <string_view>

namespace sojourn::tests {

namespace {

using http::AllowedOrigins;
using http::ListensOn;
using http::Origin;
using http::SingletonField;

SingletonField lines(std::initializer_list<std::string_view> values)
{
    SingletonField field;
    for (const auto value : values) {
        field.add(value);
    }
    return field;
}

AllowedOrigins with_example(ListensOn listens_on)
{
    AllowedOrigins origins(listens_on);
    for (const std::string_view text : {"https://example.com", "https://example.org:8443"}) {
        if (const auto origin = Origin::parse(text)) {
            origins.add(*origin);
        }
    }
    return origins;
}

} // namespace

TEST_CASE("allowed_origins: who is no page has no origin, and is allowed", "[http]")
{
    CHECK(AllowedOrigins(ListensOn::network).allow(lines({})));
    CHECK(AllowedOrigins(ListensOn::loopback).allow(lines({})));
    CHECK(with_example(ListensOn::network).allow(lines({})));
}

TEST_CASE("allowed_origins: pages of listed origins are allowed, and no others", "[http]")
{
    const auto origins = with_example(ListensOn::network);
    CHECK(origins.allow(lines({"https://example.com"})));
    CHECK(origins.allow(lines({"HTTPS://EXAMPLE.COM:443"})));
    CHECK(origins.allow(lines({"https://example.org:8443"})));

    CHECK_FALSE(origins.allow(lines({"http://example.com"})));
    CHECK_FALSE(origins.allow(lines({"https://example.org"})));
    CHECK_FALSE(origins.allow(lines({"https://evil.example.com"})));
    CHECK_FALSE(origins.allow(lines({"https://example.com.evil.example"})));
    CHECK_FALSE(AllowedOrigins(ListensOn::network).allow(lines({"https://example.com"})));
}

TEST_CASE("allowed_origins: a server on loopback allows pages of servers on loopback", "[http]")
{
    const AllowedOrigins origins(ListensOn::loopback);
    CHECK(origins.allow(lines({"http://localhost:6274"})));
    CHECK(origins.allow(lines({"http://127.0.0.1"})));
    CHECK(origins.allow(lines({"https://[::1]:8443"})));
    CHECK_FALSE(origins.allow(lines({"https://example.com"})));
    CHECK(with_example(ListensOn::loopback).allow(lines({"https://example.com"})));

    CHECK_FALSE(AllowedOrigins(ListensOn::network).allow(lines({"http://localhost:6274"})));
}

TEST_CASE("allowed_origins: what is no origin, or not one, is refused wherever it is", "[http]")
{
    for (const auto listens_on : {ListensOn::loopback, ListensOn::network}) {
        const auto origins = with_example(listens_on);
        CHECK_FALSE(origins.allow(lines({"null"})));
        CHECK_FALSE(origins.allow(lines({""})));
        CHECK_FALSE(origins.allow(lines({"*"})));
        CHECK_FALSE(origins.allow(lines({"https://example.com/"})));
        CHECK_FALSE(origins.allow(lines({"https://example.com https://example.com"})));
        CHECK_FALSE(origins.allow(lines({"https://example.com", "https://example.com"})));
        CHECK_FALSE(origins.allow(lines({"https://evil.example", "https://example.com"})));
        CHECK_FALSE(origins.allow(lines({"http://localhost", "http://localhost"})));
    }
}

} // namespace sojourn::tests

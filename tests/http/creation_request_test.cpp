#include "http_sessions/creation_request.hpp"

#include <sojourn/core/session_id.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace sojourn::tests {

namespace {

constexpr Duration idle_timeout_max = std::chrono::minutes(30);

auto parse(std::string_view body)
{
    return http_sessions::parse_creation_request(body, idle_timeout_max);
}

/// The field that is refused; empty if none is.
std::string refused_field(std::string_view body)
{
    const auto parsed = parse(body);
    return parsed ? "" : parsed.error().field;
}

} // namespace

TEST_CASE("creation_request: every part is optional", "[http]")
{
    for (const std::string_view body : {"", "{}", " { } "}) {
        const auto options = parse(body);
        REQUIRE(options.has_value());
        CHECK(options->principal().empty());
        CHECK(options->attributes().empty());
        CHECK_FALSE(options->idle_timeout());
    }
}

TEST_CASE("creation_request: what it names is what the session gets", "[http]")
{
    const auto options = parse(
        R"({"principal": "ada", "attributes": {"theme": "dark", "a.b-c_1": "\u00e9"}, "idle_timeout": "90s"})"
    );
    REQUIRE(options.has_value());
    CHECK(options->principal() == "ada");
    CHECK(options->attributes() == Attributes{{"theme", "dark"}, {"a.b-c_1", "\xC3\xA9"}});
    CHECK(options->idle_timeout() == std::chrono::seconds(90));
}

TEST_CASE("creation_request: what cannot be accepted is named", "[http]")
{
    CHECK(refused_field("[]") == "body");
    CHECK(refused_field("nonsense") == "body");
    CHECK(refused_field("{} {}") == "body");
    CHECK(refused_field("{\"principal\": \"\xC3\"}") == "body");
    CHECK(refused_field(std::string(1000, '[')) == "body");
    CHECK(refused_field(R"({"colour": "red"})") == "colour");
    CHECK(refused_field(R"({"principal": 1})") == "principal");
    CHECK(refused_field(R"({"principal": ""})") == "principal");
    CHECK(refused_field(R"({"principal": ")" + std::string(257, 'p') + R"("})") == "principal");
    CHECK(refused_field(R"({"attributes": []})") == "attributes");
    CHECK(refused_field(R"({"attributes": {"a b": "c"}})") == "attributes");
    CHECK(refused_field(R"({"attributes": {"a": 1}})") == "attributes.a");
    CHECK(refused_field(R"({"idle_timeout": 90})") == "idle_timeout");
    CHECK(refused_field(R"({"idle_timeout": "90"})") == "idle_timeout");
    CHECK(refused_field(R"({"idle_timeout": "0"})") == "idle_timeout");
}

TEST_CASE("creation_request: an idle timeout may be shorter than the server's, or equal", "[http]")
{
    CHECK(refused_field(R"({"idle_timeout": "1ms"})").empty());
    CHECK(refused_field(R"({"idle_timeout": "30m"})").empty());
    CHECK(refused_field(R"({"idle_timeout": "30m1ms"})") == "idle_timeout");
}

TEST_CASE("creation_request: a field's name that could be a session id is not repeated", "[http]")
{
    const std::string secret(SessionId::issued_length, 'S');
    CHECK(refused_field("{\"" + secret + "\": 1}") == "?");
    CHECK(refused_field("{\"attributes\": {\"" + secret + "\": 1}}") == "attributes.?");
    CHECK(refused_field("{\"\\r\\n\": 1}") == "?");
}

} // namespace sojourn::tests

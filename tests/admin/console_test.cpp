#include "admin/watched.hpp"

#include <sojourn/admin/console/console.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

namespace sojourn::tests {

namespace {

using admin::Options;
using http::status;
using http::verb;

bool contains(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

} // namespace

TEST_CASE("admin console: it is served without a token, if it is served at all", "[admin]")
{
    Watched watched(on_loopback().console(true));
    const auto response = watched.ask(verb::get, "/", "");
    CHECK(response.result() == status::ok);
    CHECK(response[http::field::content_type] == "text/html; charset=utf-8");
    CHECK(response.body().starts_with("<!DOCTYPE html>"));
    CHECK(response.body().ends_with("</html>\n"));
    CHECK(watched.ask(verb::head, "/", "").body().empty());

    Watched silent;
    CHECK(silent.ask(verb::get, "/", "").result() == status::unauthorized);
    CHECK(silent.ask(verb::get, "/").result() == status::not_found);
}

TEST_CASE("admin console: it is all that is there without a token", "[admin]")
{
    Watched watched(on_loopback().console(true));
    for (const std::string_view target : {"/stats", "/console.js", "/?", "//", "/index.html"}) {
        CAPTURE(target);
        CHECK(watched.ask(verb::get, target, "").result() == status::unauthorized);
    }
    const auto response = watched.ask(verb::post, "/", "");
    CHECK(response.result() == status::method_not_allowed);
    CHECK(response[http::field::allow] == "GET, HEAD");
}

TEST_CASE("admin console: it knows whether to ask for a token", "[admin]")
{
    const auto served = [](const Options& options) {
        return admin::console::response(verb::get, options).body();
    };
    const auto open = Options().unix_socket("a").console(true);
    CHECK(contains(served(open), R"(<html lang="en" data-needs-token="no">)"));
    CHECK(contains(
        served(Options(open).read_token(read_token)), R"(<html lang="en" data-needs-token="yes">)"
    ));
}

TEST_CASE("admin console: a browser is told to let nothing else in", "[admin]")
{
    const auto response = admin::console::response(verb::get, on_loopback());
    const std::string policy(response["Content-Security-Policy"]);
    CAPTURE(policy);
    for (const std::string_view part :
         {"default-src 'none';",
          "script-src 'sha256-",
          "style-src 'sha256-",
          "connect-src 'self';",
          "base-uri 'none';",
          "form-action 'none';",
          "frame-ancestors 'none';"}) {
        CAPTURE(part);
        CHECK(contains(policy, part));
    }
    CHECK_FALSE(contains(policy, "unsafe"));
    CHECK_FALSE(contains(policy, "*"));
    CHECK(response["X-Content-Type-Options"] == "nosniff");
    CHECK(response["Referrer-Policy"] == "no-referrer");
    CHECK(response["Cross-Origin-Opener-Policy"] == "same-origin");
    CHECK(response["Cross-Origin-Resource-Policy"] == "same-origin");
    CHECK(response[http::field::cache_control] == "no-store");
}

TEST_CASE("admin console: the page names nobody else's server", "[admin]")
{
    // But for the names of SVG's elements, which nobody fetches.
    std::string text(admin::console::page);
    for (auto at = text.find("http://www.w3.org/2000/svg"); at != std::string::npos;
         at = text.find("http://www.w3.org/2000/svg")) {
        text.erase(at, std::string_view("http://www.w3.org/2000/svg").size());
    }
    CHECK_FALSE(contains(text, "http://"));
    CHECK_FALSE(contains(text, "https://"));
}

} // namespace sojourn::tests

#include "admin/watched.hpp"
#include "sojourn/admin/cross_site.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

namespace sojourn::tests {

namespace {

using admin::cross_site_objection;
using admin::Options;
using http::status;
using http::verb;

const auto open = Options().unix_socket("a");
const auto guarded = Options().unix_socket("a").token(token);

Request request_to(std::string_view host)
{
    auto request = request_for(verb::post, "/drain");
    request.set(http::field::host, host);
    return request;
}

bool is_served(const Request& request, const Options& options = open)
{
    return !cross_site_objection(request, options).has_value();
}

Request from(std::string_view origin, std::string_view host = "localhost:9091")
{
    auto request = request_to(host);
    request.set(http::field::origin, origin);
    return request;
}

} // namespace

TEST_CASE("cross site: who is no browser is served", "[unit][admin]")
{
    CHECK(is_served(request_to("localhost")));
    CHECK(is_served(request_to("admin.example.com"), guarded));
    auto old = request_for(verb::get, "/stats");
    old.erase(http::field::host);
    CHECK(is_served(old));
}

TEST_CASE("cross site: a page is served by the server it came from alone", "[unit][admin]")
{
    CHECK(is_served(from("http://localhost:9091")));
    CHECK(is_served(from("http://LOCALHOST:9091")));
    CHECK(is_served(from("http://[::1]:9091", "[::1]:9091")));
    CHECK(is_served(from("http://127.0.0.1", "127.0.0.1:80")));
    // By way of a proxy with TLS.
    CHECK(is_served(from("https://admin.example.com", "admin.example.com"), guarded));
    for (const std::string_view origin :
         {"https://evil.example",
          "http://localhost:9092",
          "http://localhost",
          "http://127.0.0.1:9091",
          "http://localhost:9091.evil.example",
          "null",
          ""}) {
        CAPTURE(origin);
        CHECK_FALSE(is_served(from(origin)));
        CHECK_FALSE(is_served(from(origin), guarded));
    }
    auto twice = from("http://localhost:9091");
    twice.insert(http::field::origin, "http://localhost:9091");
    CHECK_FALSE(is_served(twice));
}

TEST_CASE("cross site: what a browser says of another site is refused", "[unit][admin]")
{
    const auto fetched = [](std::string_view site) {
        auto request = request_to("localhost:9091");
        request.set("Sec-Fetch-Site", site);
        return request;
    };
    CHECK(is_served(fetched("same-origin")));
    CHECK(is_served(fetched("none"))); // what the user has typed
    for (const std::string_view site : {"cross-site", "same-site", "", "Same-Origin", "new"}) {
        CAPTURE(site);
        CHECK_FALSE(is_served(fetched(site)));
        CHECK_FALSE(is_served(fetched(site), guarded));
    }
}

TEST_CASE("cross site: without a token, a name that may be rebound is refused", "[unit][admin]")
{
    for (const std::string_view host :
         {"localhost",
          "LocalHost:9091",
          "127.0.0.1",
          "127.0.0.1:9091",
          "192.0.2.7",
          "[::1]",
          "[::1]:9091"}) {
        CAPTURE(host);
        CHECK(is_served(request_to(host)));
    }
    for (const std::string_view host :
         {"rebound.example",
          "rebound.example:9091",
          "localhost.rebound.example",
          "127.0.0.1.rebound.example",
          "[rebound]",
          "[",
          ":",
          "localhost@rebound.example"}) {
        CAPTURE(host);
        CHECK_FALSE(is_served(request_to(host)));
        CHECK(is_served(request_to(host), guarded));
    }
    // The page of a rebound name is of the same origin, which helps it nothing.
    CHECK_FALSE(is_served(from("http://rebound.example", "rebound.example")));
}

TEST_CASE("admin endpoint: a page of another site can change nothing", "[admin]")
{
    const SocketPath path;
    Watched watched(Options().unix_socket(path.text()).console(true));
    const auto id = watched.add("bob");
    HttpClient client(path.endpoint());
    for (const std::string_view target : {"/cleanup?scope=all", "/drain"}) {
        CAPTURE(target);
        // What a form of any page can send.
        auto request = request_for(verb::post, target);
        request.set(http::field::origin, "https://evil.example");
        const auto response = client.ask(request);
        CHECK(response.result() == status::forbidden);
        CHECK(response.body().starts_with(R"({"error":"cross_site",)"));
        CHECK(response.count(http::field::access_control_allow_origin) == 0);
    }
    CHECK(watched.run(watched.service().peek(id)).has_value());
    CHECK(watched.service().state() == ServiceState::running);
    // What its console asks for is done.
    auto request = request_for(verb::post, "/cleanup?scope=all");
    request.set(http::field::host, "localhost:9091");
    request.set(http::field::origin, "http://localhost:9091");
    request.set("Sec-Fetch-Site", "same-origin");
    CHECK(client.ask(request).result() == status::ok);
    CHECK_FALSE(watched.run(watched.service().peek(id)).has_value());
}

} // namespace sojourn::tests

#include "http_sessions/route.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

namespace sojourn::tests {

namespace {

using boost::beast::http::verb;
using http_sessions::allowed_methods;
using http_sessions::allows;
using http_sessions::find_route;
using http_sessions::is_attribute_name;
using http_sessions::Resource;

Resource resource_of(std::string_view target)
{
    return find_route(target).resource;
}

} // namespace

TEST_CASE("route: every path leads to its resource, with a query or without", "[http]")
{
    CHECK(resource_of("/hello") == Resource::greeting);
    CHECK(resource_of("/session") == Resource::session);
    CHECK(resource_of("/session?a=/b") == Resource::session);
    CHECK(resource_of("/session/rotate") == Resource::rotation);
    CHECK(resource_of("/healthz") == Resource::liveness);
    CHECK(resource_of("/readyz") == Resource::readiness);
    CHECK(resource_of("/stats") == Resource::statistics);
    CHECK(find_route("/session/attributes/theme?x").resource == Resource::attribute);
    CHECK(find_route("/session/attributes/theme?x").attribute_name == "theme");
    CHECK(find_route("/session/attributes/a/b").attribute_name == "a/b");
}

TEST_CASE("route: the absolute form names the same resources", "[http]")
{
    CHECK(resource_of("http://localhost:8080/session") == Resource::session);
    CHECK(resource_of("http://localhost:8080") == Resource::nothing);
    CHECK(resource_of("http://") == Resource::nothing);
}

TEST_CASE("route: other paths lead nowhere", "[http]")
{
    for (const std::string_view target :
         {"",
          "/",
          "*",
          "session",
          "/session/",
          "/SESSION",
          "/session/attributes",
          "//session",
          "/session%2Frotate"}) {
        CHECK(resource_of(target) == Resource::nothing);
    }
}

TEST_CASE("route: a resource allows exactly the methods that it names", "[http]")
{
    CHECK(allowed_methods(Resource::session) == "DELETE, GET, HEAD, POST");
    CHECK(allows(Resource::session, verb::delete_));
    CHECK(allows(Resource::session, verb::post));
    CHECK_FALSE(allows(Resource::session, verb::put));
    CHECK_FALSE(allows(Resource::session, verb::unknown));
    CHECK_FALSE(allows(Resource::rotation, verb::get));
    CHECK_FALSE(allows(Resource::nothing, verb::get));
    CHECK(allows(Resource::statistics, verb::head));
    CHECK(allows(Resource::greeting, verb::get));
    CHECK_FALSE(allows(Resource::greeting, verb::post));
}

TEST_CASE("route: an attribute's name is 1 to 64 harmless characters", "[http]")
{
    CHECK(is_attribute_name("a"));
    CHECK(is_attribute_name("A-z_0.9"));
    CHECK(is_attribute_name(std::string(64, 'n')));
    CHECK_FALSE(is_attribute_name(std::string(65, 'n')));
    for (const std::string_view name : {"", "a b", "a/b", "a%20b", "\xC3\xA9", "a\n"}) {
        CHECK_FALSE(is_attribute_name(name));
    }
}

} // namespace sojourn::tests

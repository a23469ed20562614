#include "http/http_client.hpp"
#include "http/test_server.hpp"

#include <sojourn/core/session_id.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sojourn::tests {

namespace {

using http::field;
using http::verb;
using namespace std::chrono_literals;

boost::json::value json_of(const Response& response)
{
    return boost::json::parse(response.body());
}

bool is_secret_free(const Response& response)
{
    return response[field::cache_control] == "no-store";
}

std::string new_cookie(HttpClient& client, std::string_view body = {})
{
    return cookie_of(client.ask(request_for(verb::post, "/session", {}, body)));
}

class FailingIdSource final : public IdSource {
public:
    boost::system::error_code fill(std::span<std::byte> /*bytes*/) noexcept override
    {
        // The service draws its own keys first, when it is built.
        if (fills_left == 0) {
            return make_error_code(errc::id_source_failed);
        }
        --fills_left;
        return {};
    }

    int fills_left = 0;
};

} // namespace

TEST_CASE("api: a session is created, shown, changed, given a new id and deleted", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());

    const auto created = client.ask(request_for(
        verb::post,
        "/session",
        {},
        R"({"principal": "ada", "attributes": {"lang": "en"}, "idle_timeout": "90s"})"
    ));
    CHECK(created.result() == http::status::created);
    CHECK(is_secret_free(created));
    const std::string_view given = created[field::set_cookie];
    const auto cookie = cookie_of(created);
    CHECK(given == cookie + "; Secure; HttpOnly; SameSite=Lax; Path=/");
    CHECK(cookie.starts_with("__Host-id="));
    CHECK(SessionId::parse_issued(cookie.substr(10)).has_value());
    CHECK(created.body().find(cookie.substr(10)) == std::string::npos);
    CHECK(json_of(created).at("principal") == "ada");
    CHECK(json_of(created).at("idle_timeout_seconds") == 90);
    CHECK(json_of(created).at("expires_in_seconds") == 90);
    CHECK(json_of(created).at("created") == "2001-09-09T01:46:40Z");

    const auto shown = client.ask(request_for(verb::get, "/session", cookie));
    CHECK(shown.result() == http::status::ok);
    CHECK(is_secret_free(shown));
    CHECK(json_of(shown).at("reference") == json_of(created).at("reference"));
    CHECK(json_of(shown).at("attributes") == boost::json::parse(R"({"lang": "en"})"));
    CHECK(json_of(shown).at("requests") == 1);

    const auto changed =
        client.ask(request_for(verb::put, "/session/attributes/theme", cookie, "d\xC3\xA4rk"));
    CHECK(changed.result() == http::status::no_content);
    CHECK(is_secret_free(changed));
    CHECK(changed.count(field::content_length) == 0);

    const auto rotated = client.ask(request_for(verb::post, "/session/rotate", cookie));
    CHECK(rotated.result() == http::status::no_content);
    CHECK(is_secret_free(rotated));
    const auto fresh = cookie_of(rotated);
    CHECK(fresh != cookie);
    CHECK(
        client.ask(request_for(verb::get, "/session", cookie)).result() ==
        http::status::unauthorized
    );

    const auto shown_again = client.ask(request_for(verb::get, "/session", fresh));
    CHECK(json_of(shown_again).at("reference") == json_of(created).at("reference"));
    CHECK(
        json_of(shown_again).at("attributes") ==
        boost::json::parse(R"({"lang": "en", "theme": "d\u00e4rk"})")
    );

    const auto deleted = client.ask(request_for(verb::delete_, "/session", fresh));
    CHECK(deleted.result() == http::status::no_content);
    CHECK(is_secret_free(deleted));
    CHECK(
        deleted[field::set_cookie] ==
        "__Host-id=; Max-Age=0; Secure; HttpOnly; SameSite=Lax; Path=/"
    );
    CHECK(
        client.ask(request_for(verb::get, "/session", fresh)).result() == http::status::unauthorized
    );
}

TEST_CASE("api: whoever creates a session gets a new id, whatever cookie comes along", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    const auto first = new_cookie(client);
    const auto planted = "__Host-id=" + std::string(SessionId::issued_length, 'P');
    for (const auto& cookie : {first, planted}) {
        const auto response = client.ask(request_for(verb::post, "/session", cookie));
        CHECK(response.result() == http::status::created);
        CHECK(cookie_of(response) != cookie);
    }
    CHECK(client.ask(request_for(verb::get, "/session", first)).result() == http::status::ok);
    CHECK(
        client.ask(request_for(verb::get, "/session", planted)).result() ==
        http::status::unauthorized
    );
}

TEST_CASE("api: whatever is wrong with a cookie, the answer is the same to the byte", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());

    const auto expired = new_cookie(client, R"({"idle_timeout": "1s"})");
    // The session idles from the moment its answer was written, which is before the next is begun.
    client.ask(request_for(verb::get, "/healthz"));
    server.clock().advance(2s);
    const auto deleted = new_cookie(client);
    client.ask(request_for(verb::delete_, "/session", deleted));
    const auto valid = new_cookie(client);
    const auto secret = valid.substr(10);

    const std::vector<std::string> cookies = {
        "",
        "Cookie: \r\n",
        "Cookie: theme=dark\r\n",
        "Cookie: __Host-id=\r\n",
        "Cookie: __Host-id=" + std::string(43, 'U') + "\r\n",
        "Cookie: " + expired + "\r\n",
        "Cookie: " + deleted + "\r\n",
        "Cookie: " + valid + "; " + valid + "\r\n",
        "Cookie: " + valid + "\r\nCookie: " + valid + "\r\n",
        "Cookie: " + valid + "x\r\n",
        "Cookie: __Host-id=" + secret.substr(1) + "\r\n",
        "Cookie: __Host-id=\"" + secret + "\"\r\n",
        "Cookie: __Host-id=" + secret.substr(1) + "\xC3\r\n",
        "Cookie: __Host-id=" + std::string(7000, 'L') + "\r\n",
        "Cookie: id=" + secret + "\r\n",
    };
    const std::string expected =
        "HTTP/1.1 401 Unauthorized\r\nCache-Control: no-store\r\nContent-Type: application/json\r\n"
        "Content-Length: 22\r\nWWW-Authenticate: Cookie realm=\"session\"\r\nConnection: "
        "close\r\n\r\n"
        R"({"error":"no_session"})";
    for (const auto& cookie : cookies) {
        for (const std::string_view line :
             {"GET /session", "DELETE /session", "POST /session/rotate", "PUT /session/attributes/a"
             }) {
            CAPTURE(cookie, line);
            const auto request = std::string(line) +
                                 " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + cookie +
                                 "\r\n";
            CHECK(answer_to(server.endpoint(), request) == expected);
        }
    }
    CHECK(client.ask(request_for(verb::get, "/session", valid)).result() == http::status::ok);
}

TEST_CASE("api: an id with control characters is no header, and is not echoed", "[http]")
{
    TestServer server;
    using namespace std::string_literals;
    for (const auto& id :
         {"evil\0id"s, "evil\rid"s, "evil\r\nid: evil"s, "evil\nid"s, "evil\x7Fid"s, "evil\x01id"s
         }) {
        const auto answer = answer_to(
            server.endpoint(),
            "GET /session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: __Host-id=" +
                id + "\r\n\r\n"
        );
        CAPTURE(answer);
        CHECK((answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.1 401 ")));
        CHECK(answer.find("evil") == std::string::npos);
    }
}

TEST_CASE("api: a session over its rate is told how long to wait, and no other suffers", "[http]")
{
    auto options = test_options();
    options.service.request_rate(RateLimit(1, 2));
    TestServer server(options);
    HttpClient client(server.endpoint());
    const auto cookie = new_cookie(client);
    const auto other = new_cookie(client);

    CHECK(client.ask(request_for(verb::get, "/session", cookie)).result() == http::status::ok);
    CHECK(client.ask(request_for(verb::get, "/session", cookie)).result() == http::status::ok);
    const auto limited = client.ask(request_for(verb::get, "/session", cookie));
    CHECK(limited.result() == http::status::too_many_requests);
    CHECK(limited.body() == R"({"error":"rate_limited"})");
    CHECK(limited[field::retry_after] == "1");
    CHECK(is_secret_free(limited));

    CHECK(client.ask(request_for(verb::get, "/session", other)).result() == http::status::ok);
    server.clock().advance(1s);
    CHECK(client.ask(request_for(verb::get, "/session", cookie)).result() == http::status::ok);
}

TEST_CASE("api: a greeting is a request of the session whose cookie it brings", "[http]")
{
    auto options = test_options();
    options.service.request_rate(RateLimit(1, 2));
    TestServer server(options);
    HttpClient client(server.endpoint());
    const auto cookie = new_cookie(client);

    CHECK(client.ask(request_for(verb::get, "/hello", cookie)).result() == http::status::ok);
    const auto shown = json_of(client.ask(request_for(verb::get, "/session", cookie)));
    CHECK(shown.at("requests") == 2);
    const auto limited = client.ask(request_for(verb::get, "/hello", cookie));
    CHECK(limited.result() == http::status::too_many_requests);
    CHECK(limited.body() == R"({"error":"rate_limited"})");

    const auto stats = json_of(client.ask(request_for(verb::get, "/stats")));
    CHECK(stats.at("leased") == 0);
    server.stop_service();
    CHECK(client.ask(request_for(verb::get, "/hello", cookie)).body() == R"({"error":"stopping"})");
}

TEST_CASE("api: a greeting keeps a session alive", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    const auto cookie = new_cookie(client, R"({"principal": "ada", "idle_timeout": "10s"})");
    for (int i = 0; i < 3; ++i) {
        // The session idles from the moment its answer was written, before the next is begun.
        client.ask(request_for(verb::get, "/healthz"));
        server.clock().advance(9s);
        client.ask(request_for(verb::get, "/hello", cookie));
    }
    CHECK(client.ask(request_for(verb::get, "/session", cookie)).result() == http::status::ok);
}

TEST_CASE("api: who has no session is greeted too, and gets none by that", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    const auto unknown = "__Host-id=" + std::string(SessionId::issued_length, 'U');
    for (const auto& cookie : {std::string(), std::string("__Host-id=x"), unknown}) {
        CAPTURE(cookie);
        const auto greeted = client.ask(request_for(verb::get, "/hello", cookie));
        CHECK(greeted.result() == http::status::ok);
        CHECK(greeted.body() == R"({"hello":"world"})");
        CHECK(greeted.count(field::set_cookie) == 0);
    }
    CHECK(json_of(client.ask(request_for(verb::get, "/stats"))).at("created") == 0);
}

TEST_CASE("api: without sessions the greeting is the same, and the service is not asked", "[http]")
{
    TestServer with;
    auto options = test_options();
    options.sessions = http_sessions::Sessions::off;
    TestServer without(options);
    HttpClient client(with.endpoint());
    const auto request =
        "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: " + new_cookie(client) +
        "\r\n\r\n";
    const auto greeting = answer_to(with.endpoint(), request);
    CHECK(greeting.starts_with("HTTP/1.1 200 "));
    CHECK(answer_to(without.endpoint(), request) == greeting);

    const auto asked = [](const TestServer& server) {
        HttpClient observer(server.endpoint());
        return json_of(observer.ask(request_for(verb::get, "/stats"))).at("acquires");
    };
    CHECK(asked(with) == 1);
    CHECK(asked(without) == 0);
}

TEST_CASE("api: without sessions, what is about them is not there", "[http]")
{
    auto options = test_options();
    options.sessions = http_sessions::Sessions::off;
    TestServer server(options);
    HttpClient client(server.endpoint());
    for (const auto& request :
         {request_for(verb::post, "/session"),
          request_for(verb::get, "/session"),
          request_for(verb::put, "/session/attributes/a", {}, "b"),
          request_for(verb::patch, "/session/rotate")}) {
        const auto refused = client.ask(request);
        CHECK(refused.result() == http::status::not_found);
        CHECK(refused.body() == R"({"error":"sessions_off"})");
        CHECK(is_secret_free(refused));
    }
    for (const std::string_view path : {"/healthz", "/readyz", "/stats"}) {
        CHECK(client.ask(request_for(verb::get, path)).result() == http::status::ok);
    }
}

TEST_CASE("api: a full service answers 503, and says when to come back", "[http]")
{
    auto options = test_options();
    options.service.max_sessions(1).when_full(WhenFull::reject);
    TestServer server(options);
    HttpClient client(server.endpoint());
    CHECK(client.ask(request_for(verb::post, "/session")).result() == http::status::created);
    const auto refused = client.ask(request_for(verb::post, "/session"));
    CHECK(refused.result() == http::status::service_unavailable);
    CHECK(refused.body() == R"({"error":"overloaded"})");
    CHECK(std::stoi(std::string(refused[field::retry_after])) >= 1);
    CHECK(refused.count(field::set_cookie) == 0);
}

TEST_CASE("api: a stopped service answers 503, is not ready, and is alive", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    const auto cookie = new_cookie(client);
    CHECK(client.ask(request_for(verb::get, "/readyz")).result() == http::status::ok);

    server.stop_service();
    const auto ready = client.ask(request_for(verb::get, "/readyz"));
    CHECK(ready.result() == http::status::service_unavailable);
    CHECK(ready.body() == R"({"error":"not_ready"})");
    for (const auto& request :
         {request_for(verb::post, "/session"), request_for(verb::get, "/session", cookie)}) {
        const auto refused = client.ask(request);
        CHECK(refused.result() == http::status::service_unavailable);
        CHECK(refused.body() == R"({"error":"stopping"})");
        CHECK(refused.count(field::retry_after) == 1);
    }
    CHECK(client.ask(request_for(verb::get, "/healthz")).result() == http::status::ok);
}

TEST_CASE("api: without random bytes no session is created", "[http]")
{
    auto source = std::make_shared<FailingIdSource>();
    source->fills_left = 1000;
    TestServer server(test_options(), source);
    source->fills_left = 0;
    HttpClient client(server.endpoint());
    const auto refused = client.ask(request_for(verb::post, "/session"));
    CHECK(refused.result() == http::status::service_unavailable);
    CHECK(refused.count(field::retry_after) == 1);
    CHECK(refused.count(field::set_cookie) == 0);
    CHECK(json_of(client.ask(request_for(verb::get, "/stats"))).at("created") == 0);
}

TEST_CASE("api: a request that asks for something impossible is told what", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    const auto cookie = new_cookie(client);

    const auto bad_field =
        client.ask(request_for(verb::post, "/session", {}, R"({"principal": 5})"));
    CHECK(bad_field.result() == http::status::bad_request);
    CHECK(json_of(bad_field).at("error") == "bad_request");
    CHECK(json_of(bad_field).at("field") == "principal");

    const auto bad_name =
        client.ask(request_for(verb::put, "/session/attributes/a%20b", cookie, "x"));
    CHECK(bad_name.result() == http::status::bad_request);
    CHECK(json_of(bad_name).at("field") == "name");
    CHECK(
        client.ask(request_for(verb::put, "/session/attributes/", cookie, "x")).result() ==
        http::status::bad_request
    );

    const auto bad_text =
        client.ask(request_for(verb::put, "/session/attributes/a", cookie, "\xC3("));
    CHECK(bad_text.result() == http::status::bad_request);
    CHECK(json_of(bad_text).at("field") == "body");
}

TEST_CASE("api: attributes have a size, one by one and together", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    const auto cookie = new_cookie(client);
    const std::string largest(std::size_t{64} * 1024, 'x');

    CHECK(
        client.ask(request_for(verb::put, "/session/attributes/a", cookie, largest)).result() ==
        http::status::no_content
    );
    const auto full = client.ask(request_for(verb::put, "/session/attributes/b", cookie, largest));
    CHECK(full.result() == http::status::payload_too_large);
    CHECK(full.body() == R"({"error":"attributes_too_large"})");
    const auto shown = json_of(client.ask(request_for(verb::get, "/session", cookie)));
    CHECK(shown.at("attributes").as_object().size() == 1);

    const auto too_large =
        client.ask(request_for(verb::put, "/session/attributes/a", cookie, largest + "x"));
    CHECK(too_large.result() == http::status::payload_too_large);
    CHECK(too_large.body() == R"({"error":"body_too_large"})");
}

TEST_CASE("api: unknown paths answer 404, wrong methods 405 with those that are right", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    CHECK(client.ask(request_for(verb::get, "/")).result() == http::status::not_found);
    CHECK(client.ask(request_for(verb::get, "/session/")).result() == http::status::not_found);

    const auto wrong = client.ask(request_for(verb::put, "/session"));
    CHECK(wrong.result() == http::status::method_not_allowed);
    CHECK(wrong[field::allow] == "DELETE, GET, HEAD, POST");
    CHECK(client.ask(request_for(verb::get, "/session/rotate"))[field::allow] == "POST");
    CHECK(client.ask(request_for(verb::get, "/session/attributes/a"))[field::allow] == "PUT");
    CHECK(client.ask(request_for(verb::post, "/stats"))[field::allow] == "GET, HEAD");

    const auto odd = answer_to(
        server.endpoint(), "BREW /session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    );
    CHECK(odd.starts_with("HTTP/1.1 405 "));
}

TEST_CASE("api: HEAD answers what GET would, without the body", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    const auto cookie = new_cookie(client);
    for (const std::string_view path : {"/hello", "/healthz", "/readyz", "/stats", "/session"}) {
        CAPTURE(path);
        const auto head = client.ask(request_for(verb::head, path, cookie));
        CHECK(head.result() == http::status::ok);
        CHECK(head.body().empty());
        CHECK(std::stoi(std::string(head[field::content_length])) > 0);
        CHECK(client.ask(request_for(verb::get, path, cookie)).result() == http::status::ok);
    }
    const auto head = answer_to(
        server.endpoint(), "HEAD /session HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    );
    CHECK(head.starts_with("HTTP/1.1 401 "));
    CHECK(head.ends_with("\r\n\r\n"));
}

TEST_CASE("api: HTTP/1.1 names its host exactly once, HTTP/1.0 need not", "[http]")
{
    TestServer server;
    CHECK(answer_to(server.endpoint(), "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")
              .starts_with("HTTP/1.1 400 "));
    CHECK(answer_to(
              server.endpoint(),
              "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n"
    )
              .starts_with("HTTP/1.1 400 "));
    CHECK(answer_to(server.endpoint(), "GET /healthz HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200 ")
    );
}

TEST_CASE("api: the counters tell what happened, and add up", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    const auto cookie = new_cookie(client);
    client.ask(request_for(verb::get, "/session", cookie));
    client.ask(request_for(verb::post, "/session/rotate", cookie));
    client.ask(request_for(verb::get, "/session", cookie));

    const auto stats = json_of(client.ask(request_for(verb::get, "/stats")));
    CHECK(stats.at("created") == 1);
    CHECK(stats.at("live") == 1);
    CHECK(stats.at("acquires") == 3);
    CHECK(stats.at("acquired") == 2);
    CHECK(stats.at("not_found") == 1);
    CHECK(stats.at("rotated") == 1);
    CHECK(stats.at("ledger_holds") == true);
}

} // namespace sojourn::tests

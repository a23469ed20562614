#include "http/http_client.hpp"
#include "http/test_server.hpp"
#include "http_sessions/api.hpp"
#include "support/poll_until.hpp"
#include "support/run_coro.hpp"

#include <sojourn/core/service_options.hpp>
#include <sojourn/http/session_cookie.hpp>
#include <sojourn/http_server/connection.hpp>
#include <sojourn/http_server/limits.hpp>
#include <sojourn/service/session_service.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <string_view>

namespace sojourn::tests {

namespace asio = boost::asio;

namespace {

using asio::ip::tcp;
using http::verb;
using namespace std::chrono_literals;
using namespace std::string_literals;

const std::string get_healthz = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A client whose requests must succeed whatever happens to others.
class Bystander {
public:
    explicit Bystander(const TestServer& server)
        : client_(server.endpoint()),
          cookie_(cookie_of(client_.ask(request_for(verb::post, "/session"))))
    {
    }

    [[nodiscard]] bool is_unharmed()
    {
        return client_.ask(request_for(verb::get, "/session", cookie_)).result() ==
               http::status::ok;
    }

private:
    HttpClient client_;
    std::string cookie_;
};

/// A session whose answers are so large (1 MiB) that a few of them fit no buffer on the way.
std::string cookie_of_large_session(HttpClient& client)
{
    const auto cookie = cookie_of(client.ask(request_for(verb::post, "/session")));
    for (int i = 0; i < 16; ++i) {
        const auto path = "/session/attributes/a" + std::to_string(i);
        const auto body = std::string(std::size_t{64} * 1024, 'x');
        REQUIRE(
            client.ask(request_for(verb::put, path, cookie, body)).result() ==
            http::status::no_content
        );
    }
    return cookie;
}

std::string get_session_times(int count, const std::string& cookie)
{
    std::string requests;
    for (int i = 0; i < count; ++i) {
        requests += "GET /session HTTP/1.1\r\nHost: a\r\nCookie: " + cookie + "\r\n\r\n";
    }
    return requests;
}

std::string put_with_length(std::size_t length)
{
    return "PUT /session/attributes/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
           std::to_string(length) + "\r\n\r\n";
}

} // namespace

TEST_CASE("connection: garbage is answered 400 and ends its own connection only", "[http]")
{
    TestServer server;
    Bystander bystander(server);
    for (const auto& garbage :
         {"\0\0\0\0\r\n\r\n"s,
          "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s + std::string(100, '\0'),
          "\r\n\r\n\r\nx\r\n\r\n"s,
          "GET\r\n\r\n"s,
          "GET / HTTP/9.9\r\n\r\n"s,
          "GET / HTTP/1.1\r\nHost localhost\r\n\r\n"s,
          "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"s,
          "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"s,
          "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx"s,
          "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"s}) {
        CAPTURE(garbage);
        const auto answer = answer_to(server.endpoint(), garbage);
        CHECK(answer.starts_with("HTTP/1.1 400 "));
        CHECK(bystander.is_unharmed());
    }
}

TEST_CASE("connection: random bytes never harm another connection", "[http]")
{
    auto options = test_options();
    options.limits.request_time = 200ms; // What happens to look like the beginning of a request.
    options.limits.linger_time = 200ms;
    TestServer server(options);
    Bystander bystander(server);
    const auto seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (int i = 0; i < 50; ++i) {
        std::string bytes(1 + random() % 300, '\0');
        for (auto& byte : bytes) {
            byte = static_cast<char>(random());
        }
        if (i % 2 == 0) {
            bytes.insert(0, "POST /session HTTP/1.1\r\n");
        }
        HttpClient client(server.endpoint());
        client.send(bytes);
        client.end_sending();
        static_cast<void>(client.receive_rest());
    }
    CHECK(bystander.is_unharmed());
}

TEST_CASE("connection: a request that is cut off is answered 400, if anybody listens", "[http]")
{
    TestServer server;
    Bystander bystander(server);
    for (const auto& part :
         {"G"s,
          "GET /healthz HT"s,
          get_healthz.substr(0, get_healthz.size() - 1),
          put_with_length(5) + "ab"}) {
        CAPTURE(part);
        HttpClient client(server.endpoint());
        client.send(part);
        client.end_sending();
        CHECK(client.receive_rest().starts_with("HTTP/1.1 400 "));
    }
    {
        HttpClient client(server.endpoint());
        client.send(put_with_length(5) + "ab");
    }
    CHECK(bystander.is_unharmed());
}

TEST_CASE("connection: a client that leaves without a word is let go without one", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    client.end_sending();
    CHECK(client.receive_rest().empty());
}

TEST_CASE("connection: a header that is too large is answered 431, a body 413", "[http]")
{
    TestServer server;
    Bystander bystander(server);
    const auto header =
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Large: " + std::string(9000, 'x') +
        "\r\n\r\n";
    CHECK(answer_to(server.endpoint(), header).starts_with("HTTP/1.1 431 "));
    const auto target =
        "GET /" + std::string(100'000, 'x') + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    CHECK(answer_to(server.endpoint(), target).starts_with("HTTP/1.1 431 "));

    CHECK(answer_to(server.endpoint(), put_with_length(65537)).starts_with("HTTP/1.1 413 "));
    CHECK(answer_to(server.endpoint(), put_with_length(70'000) + std::string(70'000, 'x'))
              .starts_with("HTTP/1.1 413 "));
    CHECK(answer_to(
              server.endpoint(),
              "PUT /session/attributes/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
              "10001\r\n" +
                  std::string(0x10001, 'x') + "\r\n0\r\n\r\n"
    )
              .starts_with("HTTP/1.1 413 "));
    CHECK(bystander.is_unharmed());
}

TEST_CASE("connection: a body may come in chunks", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    client.send("POST /session HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                "8\r\n{\"princi\r\nc;x=y\r\npal\": \"ada\"}\r\n0\r\n\r\n");
    const auto response = client.receive();
    CHECK(response.result() == http::status::created);
    CHECK(response.body().find(R"("principal":"ada")") != std::string::npos);
}

// What Beast takes for no body, or for one, would be the next request to whoever is in front of us.
TEST_CASE("connection: a body whose end is not certain is refused, with all after it", "[http]")
{
    TestServer server;
    for (const auto& framing :
         {"1.1\r\nTransfer-Encoding: gzip"s,
          "1.1\r\nTransfer-Encoding: identity"s,
          "1.1\r\nTransfer-Encoding: xchunked"s,
          "1.1\r\nTransfer-Encoding: chunked;a=b"s,
          "1.1\r\nTransfer-Encoding: "s,
          "1.1\r\nTransfer-Encoding: \"chunked\""s,
          "1.1\r\nTransfer-Encoding: gzip, chunked"s,
          "1.1\r\nTransfer-Encoding: chunked, gzip"s,
          "1.1\r\nTransfer-Encoding: chunked, chunked"s,
          "1.1\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked"s,
          "1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity"s,
          "1.1\r\nTransfer-Encoding: identity\r\nContent-Length: 5"s,
          "1.1\r\nContent-Length: 5\r\nTransfer-Encoding: identity"s,
          "1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked"s,
          "1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: identity"s}) {
        CAPTURE(framing);
        auto requests = "POST /session HTTP/" + framing;
        requests += "\r\nHost: a\r\n\r\n0\r\n\r\n" + get_healthz;
        const auto answer = answer_to(server.endpoint(), requests);
        CHECK(answer.starts_with("HTTP/1.1 400 "));
        CHECK(answer.find("Connection: close\r\n") != std::string::npos);
        CHECK(answer.find(R"("field":"Transfer-Encoding")") != std::string::npos);
        CHECK(answer.rfind("HTTP/1.1 ") == 0); // It is the only one.
    }
}

TEST_CASE("connection: the name of the coding is of either case", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    client.send("POST /session HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                "2\r\n{}\r\n0\r\n\r\n");
    CHECK(client.receive().result() == http::status::created);
    client.send(get_healthz);
    CHECK(client.receive().result() == http::status::ok);
}

TEST_CASE("connection: what follows a body in chunks is no header", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    const auto cookie = cookie_of(client.ask(request_for(verb::post, "/session")));
    const auto with_trailer = [](std::string_view header, std::string_view trailer) {
        return "PUT /session/attributes/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" +
               std::string(header) + "\r\n1\r\nb\r\n0\r\n" + std::string(trailer) + "\r\n";
    };
    client.send(with_trailer("Host: a\r\n", "Cookie: " + cookie + "\r\n"));
    CHECK(client.receive().result() == http::status::unauthorized);
    client.send(with_trailer("Cookie: " + cookie + "\r\n", "Host: a\r\n"));
    CHECK(client.receive().result() == http::status::bad_request);
    client.send(with_trailer("Host: a\r\nCookie: " + cookie + "\r\n", "Connection: close\r\n"));
    const auto kept = client.receive();
    CHECK(kept.result() == http::status::no_content);
    CHECK(kept.keep_alive());
}

TEST_CASE("connection: a client that asks first is told to go on, or not to", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    const auto expect =
        "POST /session HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "s;
    client.send(expect + "2\r\n\r\n");
    const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    CHECK(client.receive_bytes(go_on.size()) == go_on);
    client.send("{}");
    CHECK(client.receive().result() == http::status::created);
    client.send(expect + "100000\r\n\r\n");
    CHECK(client.receive().result() == http::status::payload_too_large);
}

TEST_CASE("connection: a request that takes too long is answered 408", "[http]")
{
    auto options = test_options();
    options.limits.request_time = 100ms;
    TestServer server(options);
    Bystander bystander(server);
    for (const auto& part : {"GET /hea"s, put_with_length(5) + "ab"}) {
        CAPTURE(part);
        CHECK(answer_to(server.endpoint(), part).starts_with("HTTP/1.1 408 "));
    }
    CHECK(bystander.is_unharmed());
}

TEST_CASE("connection: a client that says nothing is let go, new or not", "[http]")
{
    auto options = test_options();
    options.limits.request_time = 100ms;
    options.limits.keep_alive_time = 100ms;
    TestServer server(options);
    CHECK(answer_to(server.endpoint(), "").empty());

    HttpClient client(server.endpoint());
    client.send(get_healthz);
    CHECK(client.receive().result() == http::status::ok);
    CHECK(client.receive_rest().empty());
}

TEST_CASE("connection: a client that does not read its answers is let go", "[http]")
{
    auto options = test_options();
    options.limits.response_time = 100ms;
    options.service.max_attribute_bytes(std::size_t{4} * 1024 * 1024);
    TestServer server(options);
    Bystander bystander(server);
    HttpClient client(server.endpoint());
    // The session is given back all the same.
    client.send(get_session_times(40, cookie_of_large_session(client)));
    const auto leased = [&server]() -> std::uint64_t {
        HttpClient observer(server.endpoint());
        const auto body = observer.ask(request_for(verb::get, "/stats")).body();
        return body.find(R"("leased":0)") == std::string::npos ? 1 : 0;
    };
    poll_until([&leased] { return leased() == 1; });
    poll_until([&leased] { return leased() == 0; });
    CHECK(bystander.is_unharmed());
}

TEST_CASE("connection: requests that are sent ahead are answered in order", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    const std::string missing = "GET /missing HTTP/1.1\r\nHost: a\r\n\r\n";
    std::string requests;
    for (int i = 0; i < 100; ++i) {
        requests += i % 3 == 0 ? missing : get_healthz;
    }
    client.send(requests);
    for (int i = 0; i < 100; ++i) {
        const auto expected = i % 3 == 0 ? http::status::not_found : http::status::ok;
        REQUIRE(client.receive().result() == expected);
    }
}

TEST_CASE("connection: that it ends is said before it does, also to who sent ahead", "[http]")
{
    auto options = test_options();
    options.service.max_attribute_bytes(std::size_t{4} * 1024 * 1024);
    TestServer server(options);
    HttpClient client(server.endpoint());
    // So many that the server is writing one, and has said that it goes on, when it is to stop.
    client.send(get_session_times(40, cookie_of_large_session(client)));
    const auto leased = [&server] {
        HttpClient observer(server.endpoint());
        const auto body = observer.ask(request_for(verb::get, "/stats")).body();
        return body.find(R"("leased":1)") != std::string::npos;
    };
    poll_until(leased);
    const auto stopping = server.begin_stop();
    poll_until([&server] { return refuses_connections(server); });
    int answers = 0;
    bool goes_on = true;
    while (goes_on && answers < 40) {
        const auto response = client.receive();
        REQUIRE(response.result() == http::status::ok);
        goes_on = response.keep_alive();
        ++answers;
    }
    CHECK(answers < 40);
    CHECK_FALSE(goes_on);
    CHECK(client.receive_rest().empty());
    poll_until([&stopping] { return stopping->is_done(); });
    CHECK(stopping->take() == 0);
}

// Without threads, so that the request comes just when nobody looks: after the connection looked
// last, and before it is told to finish.
TEST_CASE("connection: a request that comes as it is told to finish is answered", "[http]")
{
    asio::io_context context;
    SessionService service(context.get_executor(), ServiceOptions());
    http_sessions::Api api(service, http_sessions::ServerOptions());
    http_server::Limits limits;
    limits.linger_time = 100ms;
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    HttpClient client(acceptor.local_endpoint());
    const auto connection =
        std::make_shared<http_server::Connection>(acceptor.accept(), api, limits);
    const auto served =
        spawn_coro(connection->executor(), http_server::Connection::serve(connection));
    run_ready(context); // It waits for a request.

    asio::post(context, [&client] { client.send(get_healthz); });
    connection->finish();
    poll_until(context, [&served] { return served->is_done(); });
    const auto response = client.receive();
    CHECK(response.result() == http::status::ok);
    CHECK_FALSE(response.keep_alive());
    CHECK(client.receive_rest().empty());
}

TEST_CASE("connection: it is kept or closed as the client asks", "[http]")
{
    TestServer server;
    HttpClient client(server.endpoint());
    client.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto kept = client.receive();
    CHECK(kept.version() == 10);
    CHECK(kept.keep_alive());
    client.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CHECK_FALSE(client.receive().keep_alive());
    CHECK(client.receive_rest().empty());
    // Nobody said goodbye for the client; it must be able to wait for the end of an HTTP/1.0
    // answer.
    CHECK(answer_to(server.endpoint(), "GET /healthz HTTP/1.0\r\n\r\n")
              .ends_with(R"({"status":"alive"})"));
}

} // namespace sojourn::tests

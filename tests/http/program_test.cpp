#include "http/child_process.hpp"
#include "http/http_client.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sojourn::tests {

namespace {

using boost::asio::ip::tcp;
using http::verb;

const std::string server_program = SOJOURN_HTTP_SESSIONS;
const std::string demo_program = SOJOURN_HTTP_SESSIONS_DEMO;

/// Where the program says that it listens, in its first line.
tcp::endpoint announced_endpoint(ChildProcess& program)
{
    const auto line = program.read_line();
    constexpr std::string_view beginning = "listening on 127.0.0.1:";
    REQUIRE(line.starts_with(beginning));
    const auto port = std::stoi(line.substr(beginning.size()));
    return {boost::asio::ip::make_address("127.0.0.1"), static_cast<std::uint16_t>(port)};
}

bool contains(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("http_sessions: it serves until it is asked to end, and ends with status 0", "[http]")
{
    const int request_to_end = GENERATE(SIGTERM, SIGINT);
    ChildProcess program(
        {server_program, "--listen", "127.0.0.1:0", "--threads", "2", "--shards", "2"}
    );
    const auto endpoint = announced_endpoint(program);

    HttpClient client(endpoint);
    const auto created =
        client.ask(request_for(verb::post, "/session", {}, R"({"principal": "ada"})"));
    CHECK(created.result() == http::status::created);
    const auto cookie = cookie_of(created);
    CHECK(
        client.ask(request_for(verb::put, "/session/attributes/a", cookie, "b")).result() ==
        http::status::no_content
    );
    const auto rotated = client.ask(request_for(verb::post, "/session/rotate", cookie));
    CHECK(
        client.ask(request_for(verb::get, "/session", cookie)).result() ==
        http::status::unauthorized
    );
    CHECK(contains(
        client.ask(request_for(verb::get, "/session", cookie_of(rotated))).body(), R"("a":"b")"
    ));
    CHECK(
        client.ask(request_for(verb::delete_, "/session", cookie_of(rotated))).result() ==
        http::status::no_content
    );

    program.signal(request_to_end);
    CHECK(client.receive_rest().empty());
    CHECK(program.wait() == 0);
    CHECK(program.output().empty());
}

TEST_CASE(
    "http_sessions: a request in flight is finished first, a second signal does not wait", "[http]"
)
{
    ChildProcess program({server_program, "--listen", "127.0.0.1:0"});
    const auto endpoint = announced_endpoint(program);
    HttpClient idle(endpoint);
    CHECK(idle.ask(request_for(verb::get, "/healthz")).result() == http::status::ok);
    HttpClient client(endpoint);
    client.send(
        "POST /session HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    );
    const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    client.receive_bytes(go_on.size());

    program.signal(SIGTERM);
    CHECK(idle.receive_rest().empty()); // It is stopping.
    SECTION("the request is answered")
    {
        client.send("{}");
        CHECK(client.receive().result() == http::status::created);
        client.end_sending();
        CHECK(program.wait() == 0);
    }
    SECTION("the program ends at once")
    {
        program.signal(SIGINT);
        CHECK(program.wait() == 128 + SIGINT);
    }
}

TEST_CASE("http_sessions: what it cannot do it says, with a status that tells", "[http]")
{
    ChildProcess first({server_program, "--listen", "127.0.0.1:0"});
    const auto port = std::to_string(announced_endpoint(first).port());
    ChildProcess second({server_program, "--listen", "127.0.0.1:" + port});
    CHECK(second.wait() == 1);
    CHECK(
        contains(second.output(), "cannot listen on 127.0.0.1:" + port + ": Address already in use")
    );

    ChildProcess mistaken({server_program, "--idle-timeout", "5y"});
    CHECK(mistaken.wait() == 2);
    CHECK(contains(mistaken.output(), "--idle-timeout"));

    ChildProcess asked({server_program, "--help"});
    CHECK(asked.wait() == 0);
}

TEST_CASE("http_sessions_demo: it shows everything it is there to show, within its time", "[http]")
{
    const auto begin = std::chrono::steady_clock::now();
    ChildProcess demo({demo_program, "--seconds", "6", "--port", "0"});
    announced_endpoint(demo);
    CHECK(demo.wait() == 0);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(12));
    CAPTURE(demo.output());
    for (const std::string_view part :
         {"created ", "touched ", "rate limited ", "evicted ", "expired ", "curl -b jar.txt"}) {
        CHECK(contains(demo.output(), part));
    }
}

TEST_CASE("http_sessions_demo: it serves after its load, and ends when asked", "[http]")
{
    ChildProcess demo({demo_program, "--port", "0"});
    const auto endpoint = announced_endpoint(demo);
    while (!demo.read_line().starts_with("Serving")) {
    }
    HttpClient client(endpoint);
    const auto created = client.ask(request_for(verb::post, "/session"));
    CHECK(created.result() == http::status::created);
    for (int i = 0; i < 5; ++i) {
        CHECK(
            client.ask(request_for(verb::get, "/session", cookie_of(created))).result() ==
            http::status::ok
        );
    }
    demo.signal(SIGINT);
    CHECK(demo.wait() == 0);
}

TEST_CASE("http_sessions_demo: interrupted before it has shown everything, it says so", "[http]")
{
    ChildProcess demo({demo_program, "--port", "0"});
    announced_endpoint(demo);
    demo.signal(SIGTERM);
    CHECK(demo.wait() == 1);
    CHECK(contains(demo.output(), "interrupted"));
}

TEST_CASE("http_sessions_demo: what it cannot do it says", "[http]")
{
    for (const std::vector<std::string>& mistake :
         {std::vector<std::string>{"--seconds", "2"},
          {"--seconds", "x"},
          {"--port", "65536"},
          {"--port", "-1"},
          {"--what"}}) {
        std::vector<std::string> command = {demo_program};
        command.insert(command.end(), mistake.begin(), mistake.end());
        ChildProcess demo(command);
        CHECK(demo.wait() == 2);
        CHECK(contains(demo.output(), mistake.front()));
    }
    ChildProcess first({server_program, "--listen", "127.0.0.1:0"});
    const auto port = std::to_string(announced_endpoint(first).port());
    ChildProcess demo({demo_program, "--port", port});
    CHECK(demo.wait() == 1);
    CHECK(contains(demo.output(), "Address already in use"));
}

} // namespace sojourn::tests

#include "mcp_gateway/scripted_upstream.hpp"
#include "mcp_gateway/test_gateway.hpp"
#include "support/poll_until.hpp"

#include <boost/beast/http/verb.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>

namespace sojourn::tests {

namespace {

constexpr std::string_view refusal =
    R"({"jsonrpc":"2.0","id":0,"error":{"code":-32602,"message":"no such revision"}})";

/// The upstream's own name for the session.
constexpr std::string_view named = "Mcp-Session-Id: upstream-session\r\n";

std::string named_stream_head()
{
    return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + std::string(named) + "\r\n";
}

} // namespace

TEST_CASE(
    "mcp_gateway initialize: a session that a stream does not begin ends, on both sides", "[mcp]"
)
{
    ScriptedUpstream upstream;
    TestGateway gateway(upstream);
    HttpClient client(gateway.endpoint());
    client.send(text_of(post_of(initialize_message)));
    auto exchange = upstream.next();
    exchange.send(named_stream_head());
    // The error may come on a stream that goes on, or there may be no answer on one that ends.
    const bool is_refused = GENERATE(true, false);
    if (is_refused) {
        exchange.send(event_of(refusal));
    } else {
        exchange.end();
    }

    auto end = upstream.next();
    CHECK(end.request().method() == http::verb::delete_);
    CHECK(end.request()["Mcp-Session-Id"] == "upstream-session");
    end.send("HTTP/1.1 204 No Content\r\n\r\n");
    const auto answer = client.receive();
    CHECK(answer.body().find("\"error\"") != std::string::npos);
    poll_until([&] { return gateway.metrics().live == 0; });
    const auto session = std::string(answer["Mcp-Session-Id"]);
    CHECK(client.ask(post_of(call_message, session)).result_int() == 404);
}

TEST_CASE("mcp_gateway initialize: an answer that answers nothing begins no session", "[mcp]")
{
    ScriptedUpstream upstream;
    TestGateway gateway(upstream);
    HttpClient client(gateway.endpoint());
    client.send(text_of(post_of(initialize_message)));
    upstream.next().send(
        "HTTP/1.1 202 Accepted\r\n" + std::string(named) + "Content-Length: 0\r\n\r\n"
    );

    CHECK(upstream.next().request().method() == http::verb::delete_);
    CHECK(client.receive().count("Mcp-Session-Id") == 0);
    CHECK(gateway.metrics().live == 0);
}

TEST_CASE("mcp_gateway initialize: a session that a stream begins goes on", "[mcp]")
{
    ScriptedUpstream upstream;
    const TestGateway gateway(upstream);
    HttpClient client(gateway.endpoint());
    client.send(text_of(post_of(initialize_message)));
    auto exchange = upstream.next();
    exchange.send(named_stream_head() + event_of(initialize_answer));
    exchange.end();
    const auto session = std::string(client.receive()["Mcp-Session-Id"]);

    client.send(text_of(post_of(call_message, session)));
    auto call = upstream.next();
    CHECK(call.request()["Mcp-Session-Id"] == "upstream-session");
    call.send(json_answer(call_answer));
    CHECK(client.receive().body() == call_answer);
}

} // namespace sojourn::tests

#include "mcp_gateway/scripted_upstream.hpp"
#include "mcp_gateway/test_gateway.hpp"
#include "support/poll_until.hpp"

#include <boost/beast/http/verb.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace sojourn::tests {

namespace {

using mcp_gateway::GatewayOptions;
using namespace std::chrono_literals;

/// Of a gateway that serves one client at a time.
GatewayOptions one_connection()
{
    GatewayOptions options;
    options.limits.connections = 1;
    return options;
}

/// A client that is served, once nobody else is.
std::unique_ptr<HttpClient> only_client(const TestGateway& gateway)
{
    std::unique_ptr<HttpClient> client;
    poll_until([&] {
        client = std::make_unique<HttpClient>(gateway.endpoint());
        const auto answer = client->ask(request_for(http::verb::get, "/elsewhere"));
        return answer.result() == http::status::not_found;
    });
    return client;
}

} // namespace

TEST_CASE("mcp_gateway vanished client: it holds no connection, and its answer is kept", "[mcp]")
{
    ScriptedUpstream upstream;
    TestGateway gateway(upstream, one_connection());
    const auto session = begin_session(gateway, upstream);
    auto client = only_client(gateway);
    client->send(text_of(post_of(call_message, session)));
    auto exchange = upstream.next();

    client.reset();
    client = only_client(gateway);

    SECTION("to come back for, if it is a stream")
    {
        exchange.send(std::string(stream_head) + event_of(call_answer));
        exchange.end();
        std::string replay;
        poll_until([&] {
            replay = client->ask(get_of(session, "2-0")).body();
            return !replay.empty();
        });
        CHECK(replay.starts_with("id: 2-"));
        CHECK(replay.find(call_answer) != std::string::npos);
    }
    SECTION("to be looked at, if it is whole: no event names it")
    {
        const auto before = gateway.metrics().frames_recorded;
        exchange.send(json_answer(call_answer));
        poll_until([&] { return gateway.metrics().frames_recorded == before + 1; });
    }
}

TEST_CASE("mcp_gateway vanished client: a session that nobody knows ends, on both sides", "[mcp]")
{
    ScriptedUpstream upstream;
    TestGateway gateway(upstream, one_connection());
    auto client = only_client(gateway);
    client->send(text_of(post_of(initialize_message)));
    auto exchange = upstream.next();

    client.reset();
    client = only_client(gateway);
    exchange.send(json_answer(initialize_answer, "Mcp-Session-Id: upstream-session\r\n"));

    const auto end = upstream.next();
    CHECK(end.request().method() == http::verb::delete_);
    CHECK(end.request()["Mcp-Session-Id"] == "upstream-session");
    poll_until([&] { return gateway.metrics().live == 0; });
}

TEST_CASE("mcp_gateway vanished client: its answer is waited for as long as any", "[mcp]")
{
    ScriptedUpstream upstream;
    GatewayOptions options;
    options.service.max_in_flight(1);
    options.upstream_limits.answer_time = 2s;
    const TestGateway gateway(upstream, options);
    const auto session = begin_session(gateway, upstream);
    std::optional<HttpClient> client(gateway.endpoint());
    const auto before = std::chrono::steady_clock::now();
    client->send(text_of(post_of(call_message, session)));
    auto exchange = upstream.next();
    client.reset();

    // Until then its request is at work, and the only one that may be.
    exchange.await_end();
    CHECK(std::chrono::steady_clock::now() - before >= options.upstream_limits.answer_time);
    HttpClient other(gateway.endpoint());
    other.send(text_of(post_of(call_message, session)));
    upstream.next().send(json_answer(call_answer));
    CHECK(other.receive().body() == call_answer);
}

} // namespace sojourn::tests

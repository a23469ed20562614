#include "mcp_gateway/scripted_upstream.hpp"
#include "mcp_gateway/test_gateway.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace sojourn::tests {

namespace {

using mcp_gateway::GatewayOptions;
using namespace std::chrono_literals;

} // namespace

TEST_CASE("mcp_gateway times: a server that does not begin to answer is not waited for", "[mcp]")
{
    ScriptedUpstream upstream;
    GatewayOptions options;
    options.upstream_limits.answer_time = 2s;
    const TestGateway gateway(upstream, options);
    const auto session = begin_session(gateway, upstream);
    HttpClient client(gateway.endpoint());
    client.send(text_of(post_of(call_message, session)));
    auto exchange = upstream.next();

    const auto answer = client.receive();
    CHECK(answer.result_int() == 504);
    CHECK(answer.body().find(R"("id":5)") != std::string::npos);
    exchange.await_end();
}

TEST_CASE("mcp_gateway times: a stream that says nothing at all is taken for dead", "[mcp]")
{
    ScriptedUpstream upstream;
    GatewayOptions options;
    options.upstream_limits.silence = 20ms;
    const TestGateway gateway(upstream, options);
    const auto session = begin_session(gateway, upstream);
    HttpClient client(gateway.endpoint());

    SECTION("a call has an error then")
    {
        client.send(text_of(post_of(call_message, session)));
        auto exchange = upstream.next();
        exchange.send(stream_head);
        const auto answer = client.receive().body();
        CHECK(answer.find(R"("error")") != std::string::npos);
        CHECK(answer.find(R"("id":5)") != std::string::npos);
        exchange.await_end();
    }
    SECTION("who listens is to ask again")
    {
        client.send(text_of(get_of(session)));
        auto exchange = upstream.next();
        exchange.send(stream_head);
        CHECK(client.receive().body().find("error") == std::string::npos);
        exchange.await_end();
    }
}

TEST_CASE("mcp_gateway times: a stream that has nothing to say says so now and then", "[mcp]")
{
    ScriptedUpstream upstream;
    GatewayOptions options;
    options.keep_alive = 10ms;
    const TestGateway gateway(upstream, options);
    const auto session = begin_session(gateway, upstream);
    HttpClient client(gateway.endpoint());
    client.send(text_of(get_of(session)));
    auto exchange = upstream.next();
    exchange.send(stream_head);

    receive_until(client, "\r\n: \n\n\r\n");
    receive_until(client, "\r\n: \n\n\r\n");
    exchange.send(event_of("{}"));
    receive_until(client, "data: {}\n\n");
}

} // namespace sojourn::tests

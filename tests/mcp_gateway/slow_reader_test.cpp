#include "mcp_gateway/scripted_upstream.hpp"
#include "mcp_gateway/test_gateway.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>

namespace sojourn::tests {

namespace {

using mcp_gateway::GatewayOptions;
using namespace std::chrono_literals;

constexpr std::string_view stateless_call =
    R"({"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"_meta":{)"
    R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
    R"("io.modelcontextprotocol/clientCapabilities":{}}}})";

Request stateless_post()
{
    auto request = post_of(stateless_call);
    request.set("MCP-Protocol-Version", "2026-07-28");
    return request;
}

/// A message of many bytes.
std::string large_event()
{
    return event_of(
        R"({"jsonrpc":"2.0","method":"notifications/message","params":{"data":")" +
        std::string(60'000, 'x') + R"("}})"
    );
}

std::size_t count_of(std::string_view text, std::string_view in)
{
    std::size_t count = 0;
    for (auto at = in.find(text); at != std::string_view::npos; at = in.find(text, at + 1)) {
        ++count;
    }
    return count;
}

/// Makes a call of this session, and has it answered.
std::string
answer_to_call(const TestGateway& gateway, ScriptedUpstream& upstream, std::string_view session)
{
    HttpClient client(gateway.endpoint());
    client.send(text_of(post_of(call_message, session)));
    upstream.next().send(json_answer(call_answer));
    return client.receive().body();
}

} // namespace

TEST_CASE("mcp_gateway slow reader: it slows down its stream, and nobody else", "[mcp]")
{
    ScriptedUpstream upstream;
    GatewayOptions options;
    options.limits.response_time = 60s;
    const TestGateway gateway(upstream, options);
    const auto session = begin_session(gateway, upstream);
    const auto other = begin_session(gateway, upstream);
    HttpClient client(gateway.endpoint());
    auto request = GENERATE(true, false) ? post_of(call_message, session) : stateless_post();
    // So there are no chunks, and the end is the connection's.
    request.version(10);
    request.keep_alive(false);
    client.send(text_of(request));
    auto exchange = upstream.next();
    exchange.send(stream_head);

    // Many times what the sockets on the way hold: what is taken beyond would be in the gateway.
    const auto event = large_event();
    constexpr std::size_t count = 300;
    const auto all = count * event.size();
    const auto sent = exchange.flood(event, 0, all, 500ms);
    CHECK(sent < all / 2);
    CHECK(answer_to_call(gateway, upstream, session) == call_answer);
    CHECK(answer_to_call(gateway, upstream, other) == call_answer);

    // And once it is read, all of it comes.
    std::size_t sent_at_last = 0;
    std::thread sender([&] {
        sent_at_last = exchange.flood(event, sent, all, default_limit);
        exchange.send(event_of(call_answer));
        exchange.end();
    });
    const auto received = client.receive_rest();
    sender.join();
    CHECK(sent_at_last == all);
    CHECK(count_of("notifications/message", received) == count);
    CHECK(count_of(call_answer, received) == 1);
}

} // namespace sojourn::tests

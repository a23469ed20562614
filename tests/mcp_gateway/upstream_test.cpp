#include "mcp_gateway/scripted_upstream.hpp"
#include "mcp_gateway/test_gateway.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace sojourn::tests {

TEST_CASE("mcp_gateway upstream: what it says before its answer is not its answer", "[mcp]")
{
    ScriptedUpstream upstream;
    const TestGateway gateway(upstream);
    const auto session = begin_session(gateway, upstream);
    HttpClient client(gateway.endpoint());
    client.send(text_of(post_of(call_message, session)));

    auto exchange = upstream.next();
    exchange.send("HTTP/1.1 100 Continue\r\n\r\n");
    exchange.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + json_answer(call_answer));

    const auto answer = client.receive();
    CHECK(answer.result_int() == 200);
    CHECK(answer.body() == call_answer);
}

} // namespace sojourn::tests

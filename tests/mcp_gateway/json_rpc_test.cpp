#include "mcp_gateway/json_rpc.hpp"

#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sojourn::tests {

namespace {

using mcp_gateway::read_json_rpc;
using mcp_gateway::RequestId;
using sojourn::http::McpErrorCode;
using sojourn::http::McpMessageKind;
using sojourn::http::McpRefusal;

} // namespace

TEST_CASE("json_rpc: a message is what its members make it", "[mcp]")
{
    struct Sample {
        std::string_view body;
        McpMessageKind kind{};
        std::vector<RequestId> requests;
    };

    const auto sample = GENERATE(
        Sample{R"({"id":1,"method":"initialize"})", McpMessageKind::initialize, {"1"}},
        Sample{R"({"id":"a","method":"ping"})", McpMessageKind::request, {"\"a\""}},
        Sample{R"({"method":"ping"})", McpMessageKind::notification, {}},
        Sample{R"({"id":1,"result":{}})", McpMessageKind::response, {}},
        Sample{R"({"id":1,"error":{}})", McpMessageKind::response, {}},
        Sample{R"([{"method":"a"},{"id":2,"method":"b"}])", McpMessageKind::request, {"2"}},
        Sample{R"([{"id":1,"result":0},{"method":"b"}])", McpMessageKind::notification, {}},
        Sample{R"([{"id":1,"method":"initialize"}])", McpMessageKind::request, {"1"}}
    );
    INFO(sample.body);
    const auto read = read_json_rpc(sample.body);
    REQUIRE(read);
    CHECK(read->kind == sample.kind);
    CHECK(read->requests == sample.requests);
}

TEST_CASE("json_rpc: what is no message is none", "[mcp]")
{
    const std::string_view body = GENERATE(
        "",
        "{",
        "1",
        "[]",
        "{}",
        "[1]",
        R"({"id":null,"method":"a"})",
        R"({"id":{},"method":"a"})",
        R"({"id":1,"method":1})",
        R"([{"method":"a"},{}])"
    );
    INFO(body);
    CHECK(!read_json_rpc(body));
    CHECK(!read_json_rpc(std::string(1000, '[') + std::string(1000, ']')));
}

TEST_CASE("json_rpc: a message tells its revision in its parameters", "[mcp]")
{
    const auto read =
        read_json_rpc(R"({"id":1,"method":"a","params":{"_meta":)"
                      R"({"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}})");
    REQUIRE(read);
    CHECK(read->message().protocol_version == "2026-07-28");
    CHECK(!read_json_rpc(R"({"id":1,"method":"a"})")->message().protocol_version);
    CHECK(!read_json_rpc(R"({"id":1,"method":"a","params":[]})")->message().protocol_version);
}

TEST_CASE("json_rpc: an answer takes away the request of its id, whatever else it holds", "[mcp]")
{
    std::vector<RequestId> requests{"1", "\"1\"", "2"};
    const auto take = [&requests](std::string_view body) {
        return mcp_gateway::take_answered(requests, body);
    };
    CHECK(take(R"({"id":1,"method":"sampling/createMessage"})").empty());
    CHECK(take(R"({"id":3,"result":{}})").empty());
    CHECK(take("no json").empty());
    CHECK(requests.size() == 3);
    CHECK(
        take(R"([{"id":1,"result":{}},{"id":"1","error":{}}])") ==
        std::vector<RequestId>{"1", "\"1\""}
    );
    CHECK(requests == std::vector<RequestId>{"2"});
}

TEST_CASE("json_rpc: an error answers the request of its id, or none", "[mcp]")
{
    CHECK(
        mcp_gateway::error_body("\"a\"", 502, "gone") ==
        R"({"jsonrpc":"2.0","id":"a","error":{"code":502,"message":"gone"}})"
    );
    CHECK(
        mcp_gateway::error_body(std::nullopt, 502, "gone") ==
        R"({"jsonrpc":"2.0","id":null,"error":{"code":502,"message":"gone"}})"
    );
    CHECK(mcp_gateway::is_error(mcp_gateway::error_body("1", 502, "gone")));
    CHECK(!mcp_gateway::is_error(R"({"id":1,"result":{"error":1}})"));
}

TEST_CASE("json_rpc: it knows in which words servers have forgotten a session", "[mcp]")
{
    using mcp_gateway::is_about_unknown_session;
    CHECK(is_about_unknown_session(
        R"({"error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null})"
    ));
    CHECK(is_about_unknown_session(R"({"error":{"code":-32001,"message":"Session not found"}})"));
    CHECK(!is_about_unknown_session(R"({"error":{"code":-32000,"message":"a session"},"id":1})"));
    CHECK(!is_about_unknown_session(R"({"error":{"code":-32602,"message":"a session"}})"));
    CHECK(!is_about_unknown_session(R"({"error":{"code":-32000,"message":"Bad revision"}})"));
    CHECK(!is_about_unknown_session("Bad Request"));
}

TEST_CASE("json_rpc: who speaks an unknown revision is told which are known", "[mcp]")
{
    McpRefusal refusal;
    refusal.code = McpErrorCode::unsupported_protocol_version;
    const auto body = mcp_gateway::refusal_body("1", refusal);
    INFO(body);
    CHECK(
        body.find(R"("supported":["2025-03-26","2025-06-18","2025-11-25","2026-07-28"])") !=
        std::string::npos
    );
}

} // namespace sojourn::tests

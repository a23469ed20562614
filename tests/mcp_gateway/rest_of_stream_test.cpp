#include "mcp_gateway/scripted_upstream.hpp"
#include "mcp_gateway/test_gateway.hpp"

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

namespace sojourn::tests {

namespace {

constexpr std::string_view note =
    R"({"jsonrpc":"2.0","method":"notifications/message","params":{"data":"a"}})";

std::string named_event(std::string_view id, std::string_view data)
{
    return "id: " + std::string(id) + "\nretry: 10\ndata: " + std::string(data) + "\n\n";
}

/// A gateway, and a client of it that makes a call.
class RestTest {
protected:
    RestTest() { client_.send(text_of(post_of(call_message, session_))); }

    ScriptedUpstream upstream_;
    TestGateway gateway_{upstream_};
    std::string session_ = begin_session(gateway_, upstream_);
    HttpClient client_{gateway_.endpoint()};
};

} // namespace

TEST_CASE_METHOD(
    RestTest,
    "mcp_gateway rest of a stream: the upstream is asked for it until it has answered",
    "[mcp]"
)
{
    auto call = upstream_.next();
    call.send(std::string(stream_head) + named_event("up-1", ""));
    call.end();

    auto first = upstream_.next();
    CHECK(first.request().method() == http::verb::get);
    CHECK(first.request()["Last-Event-ID"] == "up-1");
    CHECK(first.request()["Mcp-Session-Id"] == "upstream-session");
    CHECK(first.request()["MCP-Protocol-Version"] == "2025-11-25");
    CHECK(first.request()[http::field::accept] == "text/event-stream");
    CHECK(first.request().body().empty());
    first.send(std::string(stream_head) + named_event("up-2", note));
    first.end();

    auto second = upstream_.next();
    CHECK(second.request()["Last-Event-ID"] == "up-2");
    second.send(std::string(stream_head) + named_event("up-3", call_answer));
    second.end();

    const auto answer = client_.receive().body();
    CHECK(answer.find(note) < answer.find(call_answer));
    CHECK(answer.find(call_answer) != std::string::npos);
    CHECK(answer.find("up-") == std::string::npos);
    CHECK(answer.find("error") == std::string::npos);
}

TEST_CASE_METHOD(
    RestTest, "mcp_gateway rest of a stream: where there is none, the call has an error", "[mcp]"
)
{
    auto call = upstream_.next();
    call.send(std::string(stream_head) + named_event("up-1", note));
    call.end();
    upstream_.next().send("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n");

    const auto answer = client_.receive().body();
    CHECK(answer.find(note) != std::string::npos);
    CHECK(answer.find(R"("error")") != std::string::npos);
}

TEST_CASE_METHOD(
    RestTest, "mcp_gateway rest of a stream: a session that ends is not waited for", "[mcp]"
)
{
    auto call = upstream_.next();
    call.send(std::string(stream_head) + "id: up-1\nretry: 60000\ndata: \n\n");
    receive_until(client_, "retry: 60000\n\n");
    call.end();

    HttpClient other(gateway_.endpoint());
    auto request = get_of(session_);
    request.method(http::verb::delete_);
    CHECK(other.ask(request).result() == http::status::no_content);
    CHECK(upstream_.next().request().method() == http::verb::delete_);
    receive_until(client_, R"("id":5)");
}

TEST_CASE_METHOD(
    RestTest, "mcp_gateway rest of a stream: of a session's own, the client asks for it", "[mcp]"
)
{
    upstream_.next().send(json_answer(call_answer));
    CHECK(client_.receive().body() == call_answer);

    client_.send(text_of(get_of(session_)));
    auto own = upstream_.next();
    CHECK(own.request().count("Last-Event-ID") == 0);
    own.send(std::string(stream_head) + named_event("up-1", note));
    own.end();
    const auto events = client_.receive().body();
    CHECK(events.find(note) != std::string::npos);

    client_.send(text_of(get_of(session_, "1-1")));
    auto rest = upstream_.next();
    CHECK(rest.request()["Last-Event-ID"] == "up-1");
    rest.send(stream_head);
    rest.end();
    static_cast<void>(client_.receive());

    // Who does not say what it had last does not want what it may have had.
    client_.send(text_of(get_of(session_)));
    CHECK(upstream_.next().request().count("Last-Event-ID") == 0);
}

} // namespace sojourn::tests

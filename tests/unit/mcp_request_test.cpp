#include <sojourn/http/mcp_request.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sojourn::tests {

namespace {

using http::AllowedOrigins;
using http::judge;
using http::ListensOn;
using http::McpAction;
using http::McpErrorCode;
using http::McpEventId;
using http::McpMessage;
using http::McpMessageKind;
using http::McpRefusal;
using http::McpRequest;
using http::McpRevision;
using http::McpTask;
using http::McpVerdict;

constexpr std::string_view some_id = "5f0c1a52-77ae";
constexpr std::string_view modern_date = "2026-07-28";

constexpr std::array legacy_dates = {"2025-03-26", "2025-06-18", "2025-11-25"};

constexpr std::array kinds = {
    McpMessageKind::initialize,
    McpMessageKind::request,
    McpMessageKind::notification,
    McpMessageKind::response,
};

struct Field {
    std::string_view name;
    std::string_view value;
};

McpRequest request(std::string_view method, std::initializer_list<Field> fields)
{
    McpRequest request;
    request.method = method;
    for (const auto& field : fields) {
        request.add_field(field.name, field.value);
    }
    return request;
}

McpVerdict verdict_on(const McpRequest& request)
{
    return judge(request, AllowedOrigins(ListensOn::network));
}

McpVerdict verdict_on(std::string_view method, std::initializer_list<Field> fields)
{
    return verdict_on(request(method, fields));
}

McpVerdict verdict_on_post(const McpMessage& message, std::initializer_list<Field> fields)
{
    auto post = request("POST", fields);
    post.message = message;
    return verdict_on(post);
}

McpTask task_of(const McpVerdict& verdict)
{
    INFO((verdict ? "" : verdict.error().message));
    REQUIRE(verdict.has_value());
    return *verdict;
}

McpRefusal refusal_of(const McpVerdict& verdict)
{
    REQUIRE(verdict.has_error());
    return verdict.error();
}

bool refuses(const McpVerdict& verdict, int status, McpErrorCode code)
{
    const auto refusal = refusal_of(verdict);
    CAPTURE(refusal.status(), static_cast<int>(refusal.code), refusal.message);
    return refusal.status() == status && refusal.code == code && !refusal.message.empty();
}

/// Requests of all kinds that belong to a session, but for its id.
std::vector<McpRequest> requests_in_session(std::string_view date)
{
    std::vector<McpRequest> requests = {
        request("GET", {{"MCP-Protocol-Version", date}}),
        request("DELETE", {{"MCP-Protocol-Version", date}}),
    };
    for (const auto kind :
         {McpMessageKind::request, McpMessageKind::notification, McpMessageKind::response}) {
        requests.push_back(request("POST", {{"MCP-Protocol-Version", date}}));
        requests.back().message = McpMessage{.kind = kind};
    }
    return requests;
}

} // namespace

// --- fields

TEST_CASE("mcp_request: fields are known by their names in letters of either case", "[http]")
{
    const auto some = request(
        "GET",
        {{"origin", "a"},
         {"mcp-protocol-version", "b"},
         {"MCP-SESSION-ID", "c"},
         {"Last-Event-Id", "d"},
         {"Mcp-Session", "e"},
         {"", "f"}}
    );
    CHECK(some.origin.value() == "a");
    CHECK(some.protocol_version.value() == "b");
    CHECK(some.session_id.value() == "c");
    CHECK(some.last_event_id.value() == "d");
}

TEST_CASE("mcp_request: requests are answered, notifications and responses accepted", "[http]")
{
    CHECK(is_answered(McpMessageKind::initialize));
    CHECK(is_answered(McpMessageKind::request));
    CHECK_FALSE(is_answered(McpMessageKind::notification));
    CHECK_FALSE(is_answered(McpMessageKind::response));
}

// --- origins and methods

TEST_CASE("mcp_request: a page of a foreign origin is refused before anything is read", "[http]")
{
    using enum McpErrorCode;
    CHECK(refuses(verdict_on("GET", {{"Origin", "https://evil.example"}}), 403, origin_forbidden));
    CHECK(refuses(verdict_on("PUT", {{"Origin", "null"}}), 403, origin_forbidden));
    CHECK(refuses(verdict_on("POST", {{"Origin", ""}}), 403, origin_forbidden));

    const auto get =
        request("GET", {{"Origin", "http://localhost:6274"}, {"Mcp-Session-Id", some_id}});
    CHECK(
        task_of(judge(get, AllowedOrigins(ListensOn::loopback))).action == McpAction::open_stream
    );
}

TEST_CASE("mcp_request: other methods are refused in every era, with those there are", "[http]")
{
    for (const std::string_view method :
         {"PUT", "PATCH", "HEAD", "OPTIONS", "get", "Post", "POST ", "", "GET\r\n"}) {
        CAPTURE(method);
        for (const std::string_view date : {"2025-11-25", "2026-07-28", "2099-01-01"}) {
            const auto verdict =
                verdict_on(method, {{"MCP-Protocol-Version", date}, {"Mcp-Session-Id", some_id}});
            CHECK(refuses(verdict, 405, McpErrorCode::method_not_allowed));
            CHECK(verdict.error().allow == "GET, POST, DELETE");
        }
    }
}

TEST_CASE("mcp_request: a body without a message is refused", "[http]")
{
    for (const std::string_view date : {"2025-11-25", "2026-07-28"}) {
        const auto verdict =
            verdict_on("POST", {{"MCP-Protocol-Version", date}, {"Mcp-Session-Id", some_id}});
        CHECK(refuses(verdict, 400, McpErrorCode::invalid_request));
    }
}

// --- the legacy era

TEST_CASE("mcp_request: to initialize needs no id, and makes no use of one", "[http]")
{
    const McpMessage initialize{.kind = McpMessageKind::initialize};
    for (const auto& task :
         {task_of(verdict_on_post(initialize, {})),
          task_of(verdict_on_post(initialize, {{"Mcp-Session-Id", some_id}})),
          task_of(verdict_on_post(initialize, {{"Mcp-Session-Id", ""}})),
          task_of(verdict_on_post(
              initialize, {{"Mcp-Session-Id", some_id}, {"Mcp-Session-Id", some_id}}
          ))}) {
        CHECK(task.action == McpAction::initialize);
        CHECK(task.session_id.empty());
    }
}

TEST_CASE("mcp_request: a message is delivered in its session", "[http]")
{
    for (const auto kind :
         {McpMessageKind::request, McpMessageKind::notification, McpMessageKind::response}) {
        const auto task = task_of(verdict_on_post({.kind = kind}, {{"Mcp-Session-Id", some_id}}));
        CHECK(task.action == McpAction::deliver);
        CHECK(task.session_id.text() == some_id);
    }
}

TEST_CASE("mcp_request: GET opens a stream, and DELETE ends the session", "[http]")
{
    const auto get = task_of(verdict_on("GET", {{"Mcp-Session-Id", some_id}}));
    CHECK(get.action == McpAction::open_stream);
    CHECK(get.session_id.text() == some_id);
    CHECK_FALSE(get.last_event_id);
    const auto end = task_of(verdict_on("DELETE", {{"Mcp-Session-Id", some_id}}));
    CHECK(end.action == McpAction::end_session);
    CHECK(end.session_id.text() == some_id);
}

TEST_CASE("mcp_request: without its session's id a request is refused", "[http]")
{
    for (const std::string_view date : legacy_dates) {
        for (const auto& some : requests_in_session(date)) {
            CAPTURE(date, some.method);
            CHECK(refuses(verdict_on(some), 400, McpErrorCode::invalid_request));
        }
    }
}

TEST_CASE("mcp_request: who has an id that cannot be one is told to start again", "[http]")
{
    for (const std::string_view date : legacy_dates) {
        for (auto some : requests_in_session(date)) {
            CAPTURE(date, some.method);
            for (const auto& unusable :
                 {std::string(),
                  std::string(129, 'a'),
                  std::string("two words"),
                  std::string("\xC3\xA9"),
                  std::string("a\x7F"),
                  std::string("a\0", 2)}) {
                some.session_id = {};
                some.session_id.add(unusable);
                CHECK(refuses(verdict_on(some), 404, McpErrorCode::session_not_found));
            }
        }
    }
}

TEST_CASE("mcp_request: an id that is there twice is none, even if the two are equal", "[http]")
{
    for (const std::string_view date : legacy_dates) {
        for (auto some : requests_in_session(date)) {
            CAPTURE(date, some.method);
            some.session_id.add(some_id);
            some.session_id.add(some_id);
            CHECK(refuses(verdict_on(some), 404, McpErrorCode::session_not_found));
        }
    }
}

TEST_CASE("mcp_request: an id is 1 to 128 visible ASCII characters", "[http]")
{
    for (const auto& usable : {std::string("!"), std::string("~"), std::string(128, 'a')}) {
        const auto task = task_of(verdict_on("GET", {{"Mcp-Session-Id", usable}}));
        CHECK(task.session_id.text() == usable);
    }
}

TEST_CASE("mcp_request: an id that cannot be one is told as one that is not found", "[http]")
{
    const auto unusable = refusal_of(verdict_on("GET", {{"Mcp-Session-Id", ""}}));
    const auto unknown = to_mcp_refusal(errc::not_found, McpRevision::v2025_11_25);
    CHECK(unusable.status() == unknown.status());
    CHECK(unusable.code == unknown.code);
    CHECK(unusable.message.starts_with(unknown.message));
}

// --- streams that go on

TEST_CASE("mcp_request: a stream goes on after the last event", "[http]")
{
    const auto task =
        task_of(verdict_on("GET", {{"Mcp-Session-Id", some_id}, {"Last-Event-ID", "3-17"}}));
    CHECK(task.action == McpAction::open_stream);
    CHECK(task.last_event_id == McpEventId{3, 17});
}

TEST_CASE("mcp_request: a stream does not go on after what is no event", "[http]")
{
    using enum McpErrorCode;
    for (const std::string_view event : {"", "17", "a-b", "1-18446744073709551616"}) {
        CAPTURE(event);
        const auto verdict =
            verdict_on("GET", {{"Mcp-Session-Id", some_id}, {"Last-Event-ID", event}});
        CHECK(refuses(verdict, 400, invalid_request));
    }
    CHECK(refuses(
        verdict_on(
            "GET",
            {{"Mcp-Session-Id", some_id}, {"Last-Event-ID", "3-17"}, {"Last-Event-ID", "3-17"}}
        ),
        400,
        invalid_request
    ));
    // Without a session that is what it must hear of first.
    CHECK(refuses(
        verdict_on("GET", {{"Mcp-Session-Id", ""}, {"Last-Event-ID", "?"}}), 404, session_not_found
    ));
}

TEST_CASE("mcp_request: only a stream has a last event", "[http]")
{
    CHECK(
        task_of(verdict_on("DELETE", {{"Mcp-Session-Id", some_id}, {"Last-Event-ID", "?"}}))
            .action == McpAction::end_session
    );
    CHECK(
        task_of(verdict_on_post({}, {{"Mcp-Session-Id", some_id}, {"Last-Event-ID", "?"}}))
            .action == McpAction::deliver
    );
}

// --- revisions

TEST_CASE("mcp_request: who names no revision is of 2025-03-26", "[http]")
{
    CHECK(
        task_of(verdict_on("GET", {{"Mcp-Session-Id", some_id}})).revision ==
        McpRevision::v2025_03_26
    );
    CHECK(
        task_of(verdict_on_post({}, {{"Mcp-Session-Id", some_id}})).revision ==
        McpRevision::v2025_03_26
    );
}

TEST_CASE("mcp_request: who names a revision is of that", "[http]")
{
    for (const std::string_view date : legacy_dates) {
        for (auto some : requests_in_session(date)) {
            some.session_id.add(some_id);
            CHECK(to_string(task_of(verdict_on(some)).revision) == date);
        }
    }
}

TEST_CASE("mcp_request: a revision that is unknown or there twice is refused", "[http]")
{
    using enum McpErrorCode;
    for (const std::string_view date : {"", "2024-11-05", "2099-01-01", "banana"}) {
        CAPTURE(date);
        for (auto some : requests_in_session(date)) {
            some.session_id.add(some_id);
            CHECK(refuses(verdict_on(some), 400, invalid_request));
        }
        const McpMessage initialize{.kind = McpMessageKind::initialize};
        const auto verdict = verdict_on_post(initialize, {{"MCP-Protocol-Version", date}});
        CHECK(refuses(verdict, 400, invalid_request));
    }
    for (auto some : requests_in_session("2025-11-25")) {
        some.session_id.add(some_id);
        some.protocol_version.add("2025-11-25");
        CHECK(refuses(verdict_on(some), 400, invalid_request));
    }
}

TEST_CASE("mcp_request: who is refused for its revision is told which there are", "[http]")
{
    const auto refusal = refusal_of(verdict_on("GET", {{"MCP-Protocol-Version", "2099-01-01"}}));
    for (const auto revision : http::mcp_revisions) {
        CHECK(refusal.message.find(to_string(revision)) != std::string_view::npos);
    }
}

// --- since 2026-07-28

TEST_CASE("mcp_request: since 2026-07-28 a message is passed through, without a session", "[http]")
{
    for (const auto kind : kinds) {
        const auto task = task_of(verdict_on_post(
            {.kind = kind, .protocol_version = modern_date}, {{"MCP-Protocol-Version", modern_date}}
        ));
        CHECK(task.action == McpAction::pass_through);
        CHECK(task.revision == McpRevision::v2026_07_28);
        CHECK(task.session_id.empty());
    }
}

TEST_CASE("mcp_request: since 2026-07-28 a session's id is ignored, whatever it is", "[http]")
{
    const McpMessage message{.kind = McpMessageKind::request, .protocol_version = modern_date};
    for (const std::string_view any :
         {some_id, std::string_view(), std::string_view("two words")}) {
        const auto task = task_of(verdict_on_post(
            message,
            {{"MCP-Protocol-Version", modern_date},
             {"Mcp-Session-Id", any},
             {"Mcp-Session-Id", some_id},
             {"Last-Event-ID", any}}
        ));
        CHECK(task.action == McpAction::pass_through);
        CHECK(task.session_id.empty());
        CHECK_FALSE(task.last_event_id);
    }
}

TEST_CASE("mcp_request: since 2026-07-28 there is nothing but POST", "[http]")
{
    for (const std::string_view method : {"GET", "DELETE"}) {
        const auto verdict = verdict_on(
            method,
            {{"MCP-Protocol-Version", modern_date},
             {"Mcp-Session-Id", some_id},
             {"Last-Event-ID", "3-17"}}
        );
        CHECK(refuses(verdict, 405, McpErrorCode::method_not_allowed));
        CHECK(verdict.error().allow == "POST");
    }
}

TEST_CASE("mcp_request: since 2026-07-28 field and message must name one revision", "[http]")
{
    const McpMessage message{.kind = McpMessageKind::request, .protocol_version = modern_date};
    for (const auto& verdict :
         {verdict_on_post(message, {}),
          verdict_on_post(message, {{"MCP-Protocol-Version", ""}}),
          verdict_on_post(message, {{"MCP-Protocol-Version", "2025-11-25"}}),
          verdict_on_post(message, {{"MCP-Protocol-Version", "2099-01-01"}}),
          verdict_on_post(
              message,
              {{"MCP-Protocol-Version", modern_date}, {"MCP-Protocol-Version", modern_date}}
          ),
          verdict_on_post(
              {.protocol_version = "2099-01-01"}, {{"MCP-Protocol-Version", modern_date}}
          ),
          verdict_on_post({.protocol_version = ""}, {})}) {
        CHECK(refuses(verdict, 400, McpErrorCode::header_mismatch));
    }
}

TEST_CASE("mcp_request: since 2026-07-28 a request names its revision itself", "[http]")
{
    for (const auto kind : {McpMessageKind::initialize, McpMessageKind::request}) {
        const auto verdict =
            verdict_on_post({.kind = kind}, {{"MCP-Protocol-Version", modern_date}});
        CHECK(refuses(verdict, 400, McpErrorCode::header_mismatch));
    }
    for (const auto kind : {McpMessageKind::notification, McpMessageKind::response}) {
        const auto task =
            task_of(verdict_on_post({.kind = kind}, {{"MCP-Protocol-Version", modern_date}}));
        CHECK(task.action == McpAction::pass_through);
    }
}

TEST_CASE("mcp_request: a message that names another revision than 2026-07-28 is refused", "[http]")
{
    for (const std::string_view date : {"", "2025-11-25", "2099-01-01", "banana"}) {
        CAPTURE(date);
        const auto verdict = verdict_on_post(
            {.kind = McpMessageKind::request, .protocol_version = date},
            {{"MCP-Protocol-Version", date}, {"Mcp-Session-Id", some_id}}
        );
        CHECK(refuses(verdict, 400, McpErrorCode::unsupported_protocol_version));
    }
}

TEST_CASE("mcp_request: the codes are those of the specification", "[http]")
{
    CHECK(static_cast<int>(McpErrorCode::header_mismatch) == -32020);
    CHECK(static_cast<int>(McpErrorCode::unsupported_protocol_version) == -32022);
    CHECK(static_cast<int>(McpErrorCode::session_not_found) == -32001);
    CHECK(static_cast<int>(McpErrorCode::invalid_request) == -32600);
    CHECK(static_cast<int>(McpErrorCode::invalid_params) == -32602);
    CHECK(static_cast<int>(McpErrorCode::internal_error) == -32603);
}

} // namespace sojourn::tests

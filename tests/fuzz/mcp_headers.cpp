/// @file
/// Fuzzes the rules of the Model Context Protocol's header fields. The input's lines: the method;
/// the kind of the message, and behind a blank the revision it names; then fields, as "name:value".
/// The values are also tried as origins and ids of events.

#include "fuzz/choices.hpp"
#include "fuzz/finding.hpp"

#include <sojourn/http/mcp_request.hpp>

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/predicate.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

using namespace sojourn;
using namespace sojourn::tests;
using http::AllowedOrigins;
using http::ListensOn;
using http::McpAction;
using http::McpEventId;
using http::McpMessage;
using http::McpMessageKind;
using http::McpRefusal;
using http::McpRequest;
using http::McpTask;
using http::Origin;

namespace {

struct Field {
    std::string_view name;
    std::string_view value;
};

struct Input {
    std::string_view text;
    std::string_view method;
    std::optional<McpMessage> message;
    std::vector<Field> fields;

    [[nodiscard]] std::vector<std::string_view> values_of(std::string_view name) const
    {
        std::vector<std::string_view> values;
        for (const auto& field : fields) {
            if (boost::algorithm::iequals(field.name, name)) {
                values.push_back(field.value);
            }
        }
        return values;
    }
};

std::string_view take_until(std::string_view& text, char separator)
{
    const auto end = std::min(text.find(separator), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

std::optional<McpMessage> to_message(std::string_view line)
{
    McpMessage message;
    const auto kind = take_until(line, ' ');
    if (kind == "initialize") {
        message.kind = McpMessageKind::initialize;
    } else if (kind == "notification") {
        message.kind = McpMessageKind::notification;
    } else if (kind == "response") {
        message.kind = McpMessageKind::response;
    } else if (kind != "request") {
        return std::nullopt;
    }
    if (!line.empty()) {
        message.protocol_version = line;
    }
    return message;
}

Input to_input(std::string_view text)
{
    Input input;
    input.text = text;
    input.method = take_until(text, '\n');
    input.message = to_message(take_until(text, '\n'));
    while (!text.empty()) {
        auto value = take_until(text, '\n');
        const auto name = take_until(value, ':');
        input.fields.push_back({name, value});
    }
    return input;
}

McpRequest to_request(const Input& input)
{
    McpRequest request;
    request.method = input.method;
    request.message = input.message;
    for (const auto& field : input.fields) {
        request.add_field(field.name, field.value);
    }
    return request;
}

// --- what the answer should be, thought of in another way

bool is_number(std::string_view text, std::uint64_t largest)
{
    std::uint64_t number = 0;
    const auto* const end = std::to_address(text.end());
    const auto [stopped, error] = std::from_chars(std::to_address(text.begin()), end, number);
    return error == std::errc() && stopped == end && number <= largest &&
           std::to_string(number) == text;
}

/// For a server on loopback that also knows https://example.com.
bool is_allowed_origin(std::string_view value)
{
    const auto small = boost::algorithm::to_lower_copy(std::string(value));
    if (small == "https://example.com" || small == "https://example.com:443") {
        return true;
    }
    for (const std::string_view host : {"localhost", "127.0.0.1", "[::1]"}) {
        for (const std::string_view scheme : {"http://", "https://"}) {
            const auto origin = std::string(scheme).append(host);
            if (small == origin) {
                return true;
            }
            if (small.starts_with(origin + ":")) {
                return is_number(std::string_view(small).substr(origin.size() + 1), 65535);
            }
        }
    }
    return false;
}

bool can_be_id(std::string_view text)
{
    return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char character) {
        return character > 32 && character < 127;
    });
}

bool can_be_event(std::string_view text)
{
    const auto stream = take_until(text, '-');
    return is_number(stream, UINT64_MAX) && is_number(text, UINT64_MAX);
}

bool is_legacy(std::string_view date)
{
    return date == "2025-03-26" || date == "2025-06-18" || date == "2025-11-25";
}

/// 200 if the request should be served in no session, 204 if in one.
int expected_status(const Input& input)
{
    constexpr std::string_view modern = "2026-07-28";

    const auto origins = input.values_of("origin");
    if (origins.size() > 1 || (!origins.empty() && !is_allowed_origin(origins.front()))) {
        return 403;
    }
    const bool is_post = input.method == "POST";
    if (!is_post && input.method != "GET" && input.method != "DELETE") {
        return 405;
    }
    if (is_post && !input.message) {
        return 400;
    }

    const auto dates = input.values_of("mcp-protocol-version");
    const bool says_modern = dates.size() == 1 && dates.front() == modern;
    if (is_post && input.message->protocol_version) {
        return says_modern && input.message->protocol_version == modern ? 200 : 400;
    }
    if (says_modern) {
        if (!is_post) {
            return 405;
        }
        const bool names_none = input.message->kind == McpMessageKind::notification ||
                                input.message->kind == McpMessageKind::response;
        return names_none ? 200 : 400;
    }
    if (dates.size() > 1 || (!dates.empty() && !is_legacy(dates.front()))) {
        return 400;
    }
    if (is_post && input.message->kind == McpMessageKind::initialize) {
        return 200;
    }

    const auto ids = input.values_of("mcp-session-id");
    if (ids.empty()) {
        return 400;
    }
    if (ids.size() > 1 || !can_be_id(ids.front())) {
        return 404;
    }
    const auto events = input.values_of("last-event-id");
    const bool goes_on = input.method == "GET" && !events.empty();
    return goes_on && (events.size() > 1 || !can_be_event(events.front())) ? 400 : 204;
}

// --- what must hold of an answer

void check_refusal(const McpRefusal& refusal, const Input& input, int expected)
{
    const auto code = static_cast<int>(refusal.code);
    if (refusal.status() != expected) {
        report_finding("status {} instead of {}: {}", refusal.status(), expected, refusal.message);
    }
    const std::less<> before;
    const auto* const begin = refusal.message.data();
    const auto* const end = input.text.data() + input.text.size();
    if (refusal.message.empty() || (!before(begin, input.text.data()) && before(begin, end))) {
        report_finding("a refusal says '{}'", refusal.message);
    }
    const bool is_of_a_legacy_session = expected == 404 && code == -32001;
    const bool is_defined = code == -32020 || code == -32022;
    if (code <= -32000 && code >= -32099 && !is_of_a_legacy_session && !is_defined) {
        report_finding("{} is refused with the code {}", input.method, code);
    }
    if (refusal.allow.empty() != (expected != 405)) {
        report_finding("status {} comes with Allow: '{}'", expected, refusal.allow);
    }
}

McpAction expected_action(const Input& input, int expected)
{
    if (input.method == "GET") {
        return McpAction::open_stream;
    }
    if (input.method == "DELETE") {
        return McpAction::end_session;
    }
    if (expected == 204) {
        return McpAction::deliver;
    }
    return input.values_of("mcp-protocol-version") == std::vector<std::string_view>{"2026-07-28"}
               ? McpAction::pass_through
               : McpAction::initialize;
}

void check_task(const McpTask& task, const Input& input, int expected)
{
    if (task.action != expected_action(input, expected)) {
        report_finding("a {} becomes action {}", input.method, static_cast<int>(task.action));
    }
    const auto dates = input.values_of("mcp-protocol-version");
    if (to_string(task.revision) != (dates.empty() ? "2025-03-26" : dates.front())) {
        report_finding("the revision is taken for {}", to_string(task.revision));
    }
    const auto id = expected == 204 ? input.values_of("mcp-session-id").front() : "";
    if (task.session_id.text() != id) {
        report_finding("the id is taken for '{}'", task.session_id.text());
    }
    const auto events = input.values_of("last-event-id");
    const bool goes_on = task.action == McpAction::open_stream && !events.empty();
    if (task.last_event_id.has_value() != goes_on ||
        (goes_on && task.last_event_id->text() != events.front())) {
        report_finding("a stream goes on after something else");
    }
}

void check_verdict(const Input& input, const AllowedOrigins& origins)
{
    const auto verdict = judge(to_request(input), origins);
    const auto expected = expected_status(input);
    if (verdict.has_value() != (expected < 300)) {
        report_finding(
            "status {} was expected: {}", expected, verdict ? "served" : verdict.error().message
        );
    }
    if (verdict) {
        check_task(*verdict, input, expected);
    } else {
        check_refusal(verdict.error(), input, expected);
    }
}

void check_texts(std::string_view text)
{
    const auto event = McpEventId::parse(text);
    if (event.has_value() != can_be_event(text) || (event && event->text() != text)) {
        report_finding("'{}' is read as the event {}", text, event ? event->text() : "none");
    }
    const auto origin = Origin::parse(text);
    if (origin && Origin::parse(origin->text()) != origin) {
        report_finding("'{}' is written as the origin '{}'", text, origin->text());
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto input = to_input(text_of({data, size}));
    AllowedOrigins origins(ListensOn::loopback);
    if (const auto example = Origin::parse("https://example.com")) {
        origins.add(*example);
    }

    check_verdict(input, origins);
    for (const auto& field : input.fields) {
        check_texts(field.value);
    }
    return 0;
}

#include "sojourn/http/mcp_request.hpp"

#include "sojourn/http/letter_case.hpp"

namespace sojourn::http {

namespace {

constexpr McpRefusal origin_forbidden{
    .code = McpErrorCode::origin_forbidden,
    .message = "Origin must be missing, or be there once and be an origin that is allowed here",
};

constexpr McpRefusal unknown_method{
    .code = McpErrorCode::method_not_allowed,
    .message = "the method must be POST, or before 2026-07-28 GET or DELETE",
    .allow = "GET, POST, DELETE",
};

constexpr McpRefusal not_a_post{
    .code = McpErrorCode::method_not_allowed,
    .message = "since 2026-07-28 the method must be POST: there are no sessions",
    .allow = "POST",
};

constexpr McpRefusal no_message{
    .code = McpErrorCode::invalid_request,
    .message = "the body must be a JSON-RPC request, notification or response",
};

constexpr McpRefusal unknown_revision{
    .code = McpErrorCode::invalid_request,
    .message = "MCP-Protocol-Version must be there once, and be one of 2025-03-26, 2025-06-18, "
               "2025-11-25 and 2026-07-28",
};

constexpr McpRefusal unsupported_revision{
    .code = McpErrorCode::unsupported_protocol_version,
    .message = "a message whose _meta names its protocol version must name 2026-07-28",
};

constexpr McpRefusal header_mismatch{
    .code = McpErrorCode::header_mismatch,
    .message = "MCP-Protocol-Version must be there once, and say what the message says in its "
               "_meta as io.modelcontextprotocol/protocolVersion",
};

constexpr McpRefusal no_session_id{
    .code = McpErrorCode::invalid_request,
    .message = "every request but initialize must have the Mcp-Session-Id that came with the "
               "answer to initialize",
};

constexpr McpRefusal unusable_session_id{
    .code = McpErrorCode::session_not_found,
    .message = "Session not found: Mcp-Session-Id must be there once, and be 1 to 128 visible "
               "ASCII characters",
};

constexpr McpRefusal unknown_event_id{
    .code = McpErrorCode::invalid_request,
    .message = "Last-Event-ID must be missing, or be there once and be the id of an event that "
               "came from here",
};

using Revision = boost::system::result<McpRevision, McpRefusal>;

Revision revision_of(const SingletonField& field)
{
    if (field.is_absent()) {
        return assumed_mcp_revision;
    }
    const auto value = field.value();
    const auto revision = value ? parse_mcp_revision(*value) : std::nullopt;
    return revision ? Revision(*revision) : Revision(unknown_revision);
}

/// Of a message that names its revision, as messages do since 2026-07-28.
Revision revision_of(const SingletonField& field, std::string_view named)
{
    if (field.value() != named) {
        return header_mismatch;
    }
    const auto revision = parse_mcp_revision(named);
    return revision && !has_sessions(*revision) ? Revision(*revision)
                                                : Revision(unsupported_revision);
}

Revision revision_of(const SingletonField& field, const McpMessage& message)
{
    if (message.protocol_version) {
        return revision_of(field, *message.protocol_version);
    }
    const auto revision = revision_of(field);
    if (revision && !has_sessions(*revision) && is_answered(message.kind)) {
        // A request of that revision would name it.
        return header_mismatch;
    }
    return revision;
}

McpVerdict in_session(McpAction action, McpRevision revision, const SingletonField& field)
{
    if (field.is_absent()) {
        return no_session_id;
    }
    const auto value = field.value();
    const auto id = value ? SessionId::parse(*value) : Result<SessionId>(errc::invalid_id);
    if (!id) {
        return unusable_session_id;
    }
    return McpTask{.action = action, .revision = revision, .session_id = *id};
}

McpVerdict judge_post(const McpRequest& request)
{
    if (!request.message) {
        return no_message;
    }
    const auto revision = revision_of(request.protocol_version, *request.message);
    if (!revision) {
        return revision.error();
    }
    if (!has_sessions(*revision)) {
        return McpTask{.action = McpAction::pass_through, .revision = *revision};
    }
    if (request.message->kind == McpMessageKind::initialize) {
        return McpTask{.action = McpAction::initialize, .revision = *revision};
    }
    return in_session(McpAction::deliver, *revision, request.session_id);
}

/// Of a GET or a DELETE.
McpVerdict judge_without_message(McpAction action, const McpRequest& request)
{
    const auto revision = revision_of(request.protocol_version);
    if (!revision) {
        return revision.error();
    }
    if (!has_sessions(*revision)) {
        return not_a_post;
    }
    return in_session(action, *revision, request.session_id);
}

McpVerdict judge_get(const McpRequest& request)
{
    auto verdict = judge_without_message(McpAction::open_stream, request);
    if (verdict && !request.last_event_id.is_absent()) {
        const auto value = request.last_event_id.value();
        verdict->last_event_id = value ? McpEventId::parse(*value) : std::nullopt;
        if (!verdict->last_event_id) {
            return unknown_event_id;
        }
    }
    return verdict;
}

} // namespace

void McpRequest::add_field(std::string_view name, std::string_view value) noexcept
{
    if (is_same_text(name, "Origin")) {
        origin.add(value);
    } else if (is_same_text(name, "MCP-Protocol-Version")) {
        protocol_version.add(value);
    } else if (is_same_text(name, "Mcp-Session-Id")) {
        session_id.add(value);
    } else if (is_same_text(name, "Last-Event-ID")) {
        last_event_id.add(value);
    }
}

McpVerdict judge(const McpRequest& request, const AllowedOrigins& origins)
{
    if (!origins.allow(request.origin)) {
        return origin_forbidden;
    }
    if (request.method == "POST") {
        return judge_post(request);
    }
    if (request.method == "GET") {
        return judge_get(request);
    }
    if (request.method == "DELETE") {
        return judge_without_message(McpAction::end_session, request);
    }
    return unknown_method;
}

} // namespace sojourn::http

/// @file
/// What is to be done with a request of the Model Context Protocol's Streamable HTTP transport, by
/// its header fields and the kind of its message. The rules are those of the revisions' pages on
/// transports and versioning.

#ifndef SOJOURN_HTTP_MCP_REQUEST_HPP
#define SOJOURN_HTTP_MCP_REQUEST_HPP

#include "sojourn/core/session_id.hpp"
#include "sojourn/http/allowed_origins.hpp"
#include "sojourn/http/mcp_event_id.hpp"
#include "sojourn/http/mcp_refusal.hpp"
#include "sojourn/http/mcp_revision.hpp"
#include "sojourn/http/singleton_field.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace sojourn::http {

/// What a JSON-RPC message is. A batch, as 2025-03-26 has them, is a request if one of its messages
/// is, else a notification.
enum class McpMessageKind : std::uint8_t {
    /// The request whose method is `initialize`.
    initialize,
    /// Any other.
    request,
    notification,
    response,
};

/// Whether the message is answered. If not, and it was accepted, the status is 202 and there is no
/// body.
[[nodiscard]] constexpr bool is_answered(McpMessageKind kind) noexcept
{
    return kind == McpMessageKind::initialize || kind == McpMessageKind::request;
}

/// What the rules must know of a message.
struct McpMessage {
    McpMessageKind kind = McpMessageKind::request;
    /// `io.modelcontextprotocol/protocolVersion` in the `_meta` of its parameters, which requests
    /// have since 2026-07-28; not what `initialize` proposes.
    std::optional<std::string_view> protocol_version = std::nullopt;
};

/// What the rules must know of a request: views, of whatever a client sent.
struct McpRequest {
    /// In the letters in which it came: `get` is not `GET`.
    std::string_view method;
    SingletonField origin;
    SingletonField protocol_version;
    SingletonField session_id;
    SingletonField last_event_id;
    /// What the body of a POST holds; nothing if that is not JSON-RPC.
    std::optional<McpMessage> message;

    /// Takes note of the field if it is one of `Origin`, `MCP-Protocol-Version`, `Mcp-Session-Id`
    /// and `Last-Event-ID`, in letters of either case. Call it with each field of the request.
    void add_field(std::string_view name, std::string_view value) noexcept;
};

enum class McpAction : std::uint8_t {
    /// Begin a session, and answer with its id in `Mcp-Session-Id`. Which revision it speaks is
    /// agreed in the bodies.
    initialize,
    /// Deliver the message in its session.
    deliver,
    /// Send what the server itself has to say to the session, as `text/event-stream`. A server that
    /// has nothing may answer 405.
    open_stream,
    /// End the session. A server that does not let clients do that may answer 405.
    end_session,
    /// Serve the message as it is: there is no session, and nothing of an earlier request counts.
    pass_through,
};

/// What is to be done with a request that is not refused.
struct McpTask {
    McpAction action = McpAction::pass_through;
    McpRevision revision = assumed_mcp_revision;
    /// The session's, which may be gone: what a service says of it, `to_mcp_refusal` puts into
    /// words. Empty to initialize and to pass through.
    // NOLINTNEXTLINE(readability-redundant-member-init): a designator may leave it out
    SessionId session_id = {};
    /// To open a stream: the event after which an earlier one goes on, if that is wanted.
    std::optional<McpEventId> last_event_id = std::nullopt;
};

using McpVerdict = boost::system::result<McpTask, McpRefusal>;

/// Decides what a request asks for, or why it is not served. Who sent it is not looked at: an id is
/// no proof of that.
///
/// - 403 if a page sent it whose origin is not allowed.
/// - 405 if the method is none of GET, POST and DELETE, or since 2026-07-28 not POST.
/// - 400 if its revision is unknown, or not the one that its message names. One that names none is
///   of 2025-03-26, unless its message says otherwise.
/// - In the legacy era, unless it initializes, 400 if it has no session id, and 404 if it has more
///   than one or what cannot be one: such a client must start again, and 404 is how it learns that.
///   With `initialize` an id is ignored, as all ids are since 2026-07-28.
/// - 400 if a stream is to go on after what is no event id of ours.
///
/// The verdict keeps no view of the request. Linear in the fields. *Exceptions*: `bad_alloc`.
[[nodiscard]] McpVerdict judge(const McpRequest& request, const AllowedOrigins& origins);

} // namespace sojourn::http

#endif // SOJOURN_HTTP_MCP_REQUEST_HPP

/// @file
/// How a request of the Model Context Protocol is refused: an HTTP status, and what the JSON-RPC
/// error in the body says.

#ifndef SOJOURN_HTTP_MCP_REFUSAL_HPP
#define SOJOURN_HTTP_MCP_REFUSAL_HPP

#include "sojourn/core/error.hpp"
#include "sojourn/http/mcp_revision.hpp"

#include <chrono>
#include <string_view>

namespace sojourn::http {

/// The code of a JSON-RPC error.
///
/// JSON-RPC keeps -32768 to -32000 for itself. Of these, MCP has taken -32020 to -32099, where only
/// what it has defined may be sent, and has closed -32000 to -32019, where the legacy era put its
/// own. What no specification defines lies outside, and has the number of its HTTP status.
enum class McpErrorCode : int {
    /// JSON-RPC: not what the protocol allows.
    invalid_request = -32600,
    /// JSON-RPC: the parameters name something that is not there.
    invalid_params = -32602,
    /// JSON-RPC: ours to mend.
    internal_error = -32603,
    /// Of the legacy era only, and a convention there: start again with `initialize`.
    session_not_found = -32001,
    /// 2026-07-28: a field is missing, or says something else than the message.
    header_mismatch = -32020,
    /// 2026-07-28: no such revision is spoken here. The error's `data` should list `mcp_revisions`.
    unsupported_protocol_version = -32022,
    origin_forbidden = 403,
    method_not_allowed = 405,
    rate_limited = 429,
    unavailable = 503,
};

/// Why a request is not served, and how to say so.
struct McpRefusal {
    McpErrorCode code = McpErrorCode::internal_error;
    /// What is wrong and what would be right. Never a text of the client; it lives for ever.
    // NOLINTNEXTLINE(readability-redundant-member-init): a designator may leave it out
    std::string_view message = {};
    /// The value of the `Allow` field; empty unless the status is 405.
    // NOLINTNEXTLINE(readability-redundant-member-init): a designator may leave it out
    std::string_view allow = {};
    /// The value of the `Retry-After` field; zero if there is none.
    std::chrono::seconds retry_after = std::chrono::seconds::zero();

    /// The HTTP status: 400, 403, 404, 405, 429, 500 or 503.
    [[nodiscard]] constexpr int status() const noexcept
    {
        switch (code) {
        case McpErrorCode::invalid_request:
        case McpErrorCode::invalid_params:
        case McpErrorCode::header_mismatch:
        case McpErrorCode::unsupported_protocol_version:
            return 400;
        case McpErrorCode::session_not_found:
            return 404;
        case McpErrorCode::origin_forbidden:
        case McpErrorCode::method_not_allowed:
        case McpErrorCode::rate_limited:
        case McpErrorCode::unavailable:
            return static_cast<int>(code);
        case McpErrorCode::internal_error:
            break;
        }
        return 500;
    }

    friend bool operator==(const McpRefusal&, const McpRefusal&) = default;
};

/// What to tell a client of this revision of an error that the service has reported.
///
/// In the legacy era a session that is not found is always 404: on 400 or 401, a client would keep
/// the id that serves it no more. Later, 404 means something else; and a tool that finds no state
/// under a handle should not refuse the request at all, but answer with an error of its own.
[[nodiscard]] McpRefusal to_mcp_refusal(const Error& error, McpRevision revision) noexcept;

} // namespace sojourn::http

#endif // SOJOURN_HTTP_MCP_REFUSAL_HPP

/// @file
/// As much of JSON-RPC as a gateway must understand: who is to be answered, and how to say that
/// there will be no other answer. Bodies are passed on as they came.

#ifndef MCP_GATEWAY_JSON_RPC_HPP
#define MCP_GATEWAY_JSON_RPC_HPP

#include <sojourn/http/mcp_refusal.hpp>
#include <sojourn/http/mcp_request.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mcp_gateway {

/// The id of a request, as JSON text: a string or a number.
using RequestId = std::string;

/// What the body of a POST holds.
struct JsonRpcBody {
    sojourn::http::McpMessageKind kind{};
    std::string protocol_version;
    /// Those of its requests. More than one only in a batch.
    std::vector<RequestId> requests;

    /// What the rules must know of it: a view.
    [[nodiscard]] sojourn::http::McpMessage message() const;
};

/// Reads a message or a batch of them; nothing if it is no JSON-RPC. *Exceptions*: `bad_alloc`.
[[nodiscard]] std::optional<JsonRpcBody> read_json_rpc(std::string_view body);

/// Takes those away that a message, or a batch of them, answers, and returns them. *Exceptions*:
/// `bad_alloc`.
[[nodiscard]] std::vector<RequestId>
take_answered(std::vector<RequestId>& requests, std::string_view body);

/// Whether it is one message, and an error. *Exceptions*: `bad_alloc`.
[[nodiscard]] bool is_error(std::string_view body);

/// Whether it says that there is no such session, as servers do in answers that are 400: an error
/// of code -32000 or -32001, of no request, that speaks of a session. *Exceptions*: `bad_alloc`.
[[nodiscard]] bool is_about_unknown_session(std::string_view body);

/// An error as the answer to a request; of no particular one if there is no id.
[[nodiscard]] std::string
error_body(const std::optional<RequestId>& request, int code, std::string_view message);

/// What a refusal says. Since 2026-07-28 an unknown revision is told which are known.
[[nodiscard]] std::string
refusal_body(const std::optional<RequestId>& request, const sojourn::http::McpRefusal& refusal);

} // namespace mcp_gateway

#endif // MCP_GATEWAY_JSON_RPC_HPP

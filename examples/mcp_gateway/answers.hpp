/// @file
/// Answers that the gateway gives itself, or makes of the upstream's.

#ifndef MCP_GATEWAY_ANSWERS_HPP
#define MCP_GATEWAY_ANSWERS_HPP

#include "mcp_gateway/json_rpc.hpp"
#include "mcp_gateway/upstream.hpp"

#include <sojourn/http/mcp_refusal.hpp>
#include <sojourn/http_server/message.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace mcp_gateway {

/// An error of JSON-RPC, for the first of these requests or for none.
[[nodiscard]] sojourn::http_server::Response error_answer(
    http::status status, const std::vector<RequestId>& requests, int code, std::string_view message
);

[[nodiscard]] sojourn::http_server::Response
refusal_answer(const std::vector<RequestId>& requests, const sojourn::http::McpRefusal& refusal);

/// 404: the session has ended meanwhile.
[[nodiscard]] sojourn::http_server::Response session_ended(const std::vector<RequestId>& requests);

/// 504 if the upstream took too long, else 502.
[[nodiscard]] sojourn::http_server::Response
upstream_failed(const std::vector<RequestId>& requests, boost::system::error_code error);

/// The upstream's answer to these requests, with all of its body if that comes within so long; else
/// `upstream_failed`.
[[nodiscard]] boost::asio::awaitable<sojourn::http_server::Response> whole_answer(
    UpstreamResponse& response,
    const std::vector<RequestId>& requests,
    std::chrono::milliseconds limit
);

/// The header of an answer that is a stream.
[[nodiscard]] sojourn::http_server::Response stream_header_of(const UpstreamResponse& response);

/// A header for events, which nobody on the way may keep back.
void make_stream(sojourn::http_server::Response& header);

} // namespace mcp_gateway

#endif // MCP_GATEWAY_ANSWERS_HPP

/// @file
/// The fields of a header that a proxy passes on.

#ifndef MCP_GATEWAY_FIELDS_HPP
#define MCP_GATEWAY_FIELDS_HPP

#include <boost/beast/http/fields.hpp>

#include <string_view>

namespace mcp_gateway {

inline constexpr std::string_view session_field = "Mcp-Session-Id";
inline constexpr std::string_view last_event_field = "Last-Event-ID";

/// Adds to `to` all fields but those between two neighbours (RFC 9110, section 7.6.1), those about
/// a message's length and its way, and those that name a session or an event: these have other
/// names on the other side. *Exceptions*: `bad_alloc`.
void pass_on(const boost::beast::http::fields& from, boost::beast::http::fields& to);

} // namespace mcp_gateway

#endif // MCP_GATEWAY_FIELDS_HPP

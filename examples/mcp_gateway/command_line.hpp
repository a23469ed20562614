/// @file
/// The options of the program `mcp_gateway`.

#ifndef MCP_GATEWAY_COMMAND_LINE_HPP
#define MCP_GATEWAY_COMMAND_LINE_HPP

#include "mcp_gateway/gateway_options.hpp"

#include <string>
#include <variant>

namespace mcp_gateway {

/// What a command line says that asks for no gateway: for help, or something that it cannot have.
struct Dismissal {
    /// 0 for help, 2 for a mistake.
    int exit_status = 0;
    std::string text;
};

/// Reads a command line. Every option is checked.
[[nodiscard]] std::variant<GatewayOptions, Dismissal>
parse_command_line(int argument_count, const char* const* arguments);

} // namespace mcp_gateway

#endif // MCP_GATEWAY_COMMAND_LINE_HPP

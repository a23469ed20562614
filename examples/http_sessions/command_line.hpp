/// @file
/// The options of the program `http_sessions`.

#ifndef HTTP_SESSIONS_COMMAND_LINE_HPP
#define HTTP_SESSIONS_COMMAND_LINE_HPP

#include "server_options.hpp"

#include <string>
#include <variant>

namespace http_sessions {

/// What a command line says that asks for no server: for help, or something that it cannot have.
struct Dismissal {
    /// 0 for help, 2 for a mistake.
    int exit_status = 0;
    std::string text;
};

/// Reads a command line. Every option is checked: each server that it returns options for can be
/// built from them.
[[nodiscard]] std::variant<ServerOptions, Dismissal>
parse_command_line(int argument_count, const char* const* arguments);

} // namespace http_sessions

#endif // HTTP_SESSIONS_COMMAND_LINE_HPP

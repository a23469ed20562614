/// @file
/// The options of the program `http_sessions_demo`.

#ifndef HTTP_SESSIONS_DEMO_DEMO_OPTIONS_HPP
#define HTTP_SESSIONS_DEMO_DEMO_OPTIONS_HPP

#include "../command_line.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

namespace http_sessions {

struct DemoOptions {
    /// How long it runs in all; without it, until a signal.
    std::optional<std::chrono::seconds> length;
    /// 0 is any that is free.
    std::uint16_t port = 8080;
};

[[nodiscard]] std::variant<DemoOptions, Dismissal>
parse_demo_command_line(int argument_count, const char* const* arguments);

} // namespace http_sessions

#endif // HTTP_SESSIONS_DEMO_DEMO_OPTIONS_HPP

#include "demo_options.hpp"

#include <CLI/CLI.hpp>

#include <string>

namespace http_sessions {

namespace {

/// CLI11 takes "010" for eight, whereas the shell script in front of us means ten.
std::string objection_to_number(const std::string& text)
{
    const bool is_plain = text.find_first_not_of("0123456789") == std::string::npos &&
                          (text == "0" || !text.starts_with('0'));
    return is_plain ? "" : "'" + text + "' is not a whole number without leading zeros";
}

} // namespace

std::variant<DemoOptions, Dismissal>
parse_demo_command_line(int argument_count, const char* const* arguments)
{
    constexpr int shortest = 3; // In less, a table does not fill up.
    constexpr int longest = 86'400;
    constexpr int port_max = 65'535;

    CLI::App program(
        "Starts the session server, drives it for a few seconds, then keeps serving.",
        "http_sessions_demo"
    );
    int seconds = 0;
    int port = DemoOptions().port;
    auto* const length =
        program
            .add_option("--seconds", seconds, "how long to run in all; without it, until Ctrl-C")
            ->check(objection_to_number)
            ->check(CLI::Range(shortest, longest))
            ->type_name("N");
    program
        .add_option("--port", port, "where to listen on 127.0.0.1; 0 is any that is free (8080)")
        ->check(objection_to_number)
        ->check(CLI::Range(0, port_max))
        ->type_name("P");
    try {
        program.parse(argument_count, arguments);
    } catch (const CLI::CallForHelp&) {
        return Dismissal{0, program.help()};
    } catch (const CLI::ParseError& error) {
        return Dismissal{
            2,
            std::string("http_sessions_demo: ") + error.what() +
                "\nTry http_sessions_demo --help.\n"
        };
    }
    DemoOptions options;
    if (length->count() > 0) {
        options.length = std::chrono::seconds(seconds);
    }
    options.port = static_cast<std::uint16_t>(port);
    return options;
}

} // namespace http_sessions

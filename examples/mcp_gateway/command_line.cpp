#include "mcp_gateway/command_line.hpp"

#include "shared/admin_option.hpp"
#include "shared/option_value.hpp"
#include "shared/service_option.hpp"

#include <sojourn/http/origin.hpp>
#include <sojourn/http/token.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <vector>

namespace mcp_gateway {

namespace {

using examples::refuse;
using std::chrono::milliseconds;

constexpr std::size_t body_bytes_max = std::size_t{1} << 30U;

UpstreamAddress to_upstream(const std::string& option, const std::string& text)
{
    const auto address = UpstreamAddress::parse(text);
    if (!address) {
        refuse(option, "'" + text + "' is not http://HOST:PORT/PATH");
    }
    return *address;
}

sojourn::http::Origin to_origin(const std::string& option, const std::string& text)
{
    const auto origin = sojourn::http::Origin::parse(text);
    if (!origin) {
        refuse(option, "'" + text + "' is no origin, such as https://example.com");
    }
    return *origin;
}

std::string to_field_name(const std::string& option, const std::string& text)
{
    if (!sojourn::http::is_token(text)) {
        refuse(option, "'" + text + "' is not the name of a header field");
    }
    return text;
}

milliseconds to_milliseconds(const std::string& option, const std::string& text)
{
    return std::chrono::ceil<milliseconds>(examples::to_duration(option, text));
}

void add_options(CLI::App& program, GatewayOptions& options, examples::AdminWishes& admin)
{
    const auto add = examples::adder(program);
    add("--listen",
        "where to listen; port 0 is any that is free (127.0.0.1:8090)",
        "ADDRESS:PORT",
        [&options](const auto& name, const auto& text) {
            options.listen = examples::to_endpoint(name, text);
        });
    add("--upstream",
        "the server behind the gateway, which answers on the same path",
        "http://HOST:PORT/PATH",
        [&options](const auto& name, const auto& text) {
            options.upstream = to_upstream(name, text);
        }
    )->required();
    examples::add_service_options(program, options.threads, options.service);
    add("--max-body",
        "bytes of a request's body, 1 to 1073741824 (4194304)",
        "BYTES",
        [&options](const auto& name, const auto& text) {
            options.limits.body_bytes = examples::to_count(name, text, body_bytes_max);
        });
    add("--frames",
        "messages that are kept of each session, to be looked at and replayed, 1 to 10000 (256)",
        "N",
        [&options](const auto& name, const auto& text) {
            options.service.max_frames_per_session(examples::to_count(name, text, 10'000));
        });
    add("--answer-time",
        "how long the server may take until its answer begins (5m)",
        "DURATION",
        [&options](const auto& name, const auto& text) {
            options.upstream_limits.answer_time = to_milliseconds(name, text);
        });
    add("--silence",
        "how long a stream of the server may say nothing at all until it is taken for dead (1h)",
        "DURATION",
        [&options](const auto& name, const auto& text) {
            options.upstream_limits.silence = to_milliseconds(name, text);
        });
    add("--resume",
        "how long an answer is waited for whose client has lost its connection (5m)",
        "DURATION",
        [&options](const auto& name, const auto& text) {
            options.patience = to_milliseconds(name, text);
        });
    add("--drain",
        "how long to wait for requests in flight when told to stop (30s)",
        "DURATION",
        [&options](const auto& name, const auto& text) {
            options.limits.stop_time = to_milliseconds(name, text);
        });
    program
        .add_option_function<std::vector<std::string>>(
            "--allow-origin",
            [&options](const std::vector<std::string>& texts) {
                for (const auto& text : texts) {
                    options.origins.push_back(to_origin("--allow-origin", text));
                }
            },
            "whose pages may call, besides those of this machine if it listens on loopback; may be "
            "given more than once"
        )
        ->type_name("ORIGIN");
    add("--principal-header",
        "the field in which a proxy before this one names the verified user (none)",
        "NAME",
        [&options](const auto& name, const auto& text) {
            options.principal_field = to_field_name(name, text);
        });
    examples::add_admin_options(program, admin);
}

} // namespace

std::variant<GatewayOptions, Dismissal>
parse_command_line(int argument_count, const char* const* arguments)
{
    CLI::App program(
        "A gateway before a server of the Model Context Protocol (Streamable HTTP).", "mcp_gateway"
    );
    GatewayOptions options;
    examples::AdminWishes admin;
    add_options(program, options, admin);
    try {
        program.parse(argument_count, arguments);
        examples::check_service_options(options.service);
        options.admin = examples::to_admin(admin);
        return options;
    } catch (const CLI::CallForHelp&) {
        return Dismissal{0, program.help()};
    } catch (const CLI::ParseError& error) {
        return Dismissal{
            2, std::string("mcp_gateway: ") + error.what() + "\nTry mcp_gateway --help.\n"
        };
    }
}

} // namespace mcp_gateway

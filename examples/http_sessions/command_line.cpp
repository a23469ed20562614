#include "command_line.hpp"

#include <sojourn/core/duration.hpp>
#include <sojourn/core/rate_limit.hpp>
#include <sojourn/http/session_cookie.hpp>
#include <sojourn/prometheus/exposition.hpp>

#include <CLI/CLI.hpp>
#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>

namespace http_sessions {

namespace {

using boost::asio::ip::tcp;
using sojourn::http::CookieTransport;
using sojourn::http::SessionCookie;

[[noreturn]] void refuse(const std::string& option, const std::string& why)
{
    throw CLI::ValidationError(option, why);
}

/// The number, if the text is one of these bounds. It is decimal, whatever zeros it begins with.
template <class Number>
std::optional<Number> to_number(std::string_view text, Number least, Number most)
{
    Number number{};
    const auto* const begin = text.data();
    const auto* const end = begin + text.size();
    const auto [rest, error] = std::from_chars(begin, end, number);
    if (error != std::errc() || rest != end || number < least || number > most) {
        return std::nullopt;
    }
    return number;
}

std::size_t to_count(const std::string& option, const std::string& text, std::size_t most)
{
    const auto number = to_number<std::size_t>(text, 1, most);
    if (!number) {
        refuse(option, "'" + text + "' is not a whole number from 1 to " + std::to_string(most));
    }
    return *number;
}

sojourn::Duration to_duration(const std::string& option, const std::string& text)
{
    const auto length = sojourn::parse_duration(text);
    if (!length) {
        refuse(option, "'" + text + "': " + length.error().message());
    }
    return *length;
}

tcp::endpoint to_endpoint(const std::string& option, const std::string& text)
{
    // "[::1]:80" or "127.0.0.1:80". Without its brackets, an IPv6 address and a port cannot be told
    // apart.
    const auto colon = text.rfind(':');
    auto address = text.substr(0, colon);
    const bool is_bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
    if (is_bracketed) {
        address = address.substr(1, address.size() - 2);
    }
    boost::system::error_code error;
    const auto parsed = boost::asio::ip::make_address(address, error);
    const auto port =
        colon == std::string::npos
            ? std::nullopt
            : to_number<std::uint16_t>(std::string_view(text).substr(colon + 1), 0, 65'535);
    if (error || !port || parsed.is_v6() != is_bracketed) {
        refuse(
            option,
            "'" + text +
                "' is not ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080, with a port from 0 "
                "to 65535"
        );
    }
    return {parsed, *port};
}

sojourn::RateLimit to_rate(const std::string& option, const std::string& text)
{
    if (text == "unlimited") {
        return sojourn::RateLimit::unlimited();
    }
    constexpr std::uint32_t rate_max = 1'000'000'000;
    constexpr std::uint32_t burst_max = 1'000'000;
    const auto rate = to_number<std::uint32_t>(text, 1, rate_max);
    if (!rate) {
        refuse(
            option, "'" + text + "' is neither a whole number from 1 to 1000000000 nor 'unlimited'"
        );
    }
    return {*rate, std::min(*rate, burst_max)};
}

Sessions to_sessions(const std::string& option, const std::string& text)
{
    if (text != "on" && text != "off") {
        refuse(option, "'" + text + "' is neither 'on' nor 'off'");
    }
    return text == "on" ? Sessions::on : Sessions::off;
}

sojourn::admin::Options to_admin(const std::string& option, const std::string& text)
{
    constexpr std::string_view unix_scheme = "unix:";
    if (text.starts_with(unix_scheme)) {
        return sojourn::admin::Options().unix_socket(text.substr(unix_scheme.size()));
    }
    return sojourn::admin::Options().tcp(to_endpoint(option, text));
}

/// The token in a file, without the end of its line.
std::string to_token(const std::string& option, const std::string& path)
{
    std::ifstream file(path);
    std::string token;
    std::getline(file, token);
    if (!file && token.empty()) {
        refuse(option, "cannot read a token from '" + path + "'");
    }
    return token;
}

/// The option that sets this field of `sojourn::ServiceOptions`.
std::string option_for(std::string_view field)
{
    if (field == "absolute_lifetime") {
        return "--lifetime";
    }
    if (field == "request_rate") {
        return "--rate";
    }
    if (field == "max_sessions_per_principal") {
        return "--sessions-per-principal";
    }
    std::string option = "--" + std::string(field);
    std::ranges::replace(option, '_', '-');
    return option;
}

/// What the user wrote, before it is checked as a whole.
struct Wishes {
    ServerOptions options;
    std::optional<std::string> cookie_name;
    std::optional<std::string> admin_token;
    bool admin_console = false;
    bool insecure_cookies = false;
};

void add_options(CLI::App& program, Wishes& wishes)
{
    auto& options = wishes.options;
    // Read as text and converted here, so that the errors are ours and say what is accepted.
    const auto add =
        [&program](
            const std::string& name, const std::string& help, const std::string& form, auto take
        ) {
            program
                .add_option_function<std::string>(
                    name, [name, take](const std::string& text) { take(name, text); }, help
                )
                ->type_name(form);
        };
    add("--listen",
        "where to listen; port 0 is any that is free (127.0.0.1:8080)",
        "ADDRESS:PORT",
        [&options](const auto& name, const auto& text) { options.listen = to_endpoint(name, text); }
    );
    add("--threads",
        "threads that serve, 1 to 256 (1)",
        "N",
        [&options](const auto& name, const auto& text) {
            options.threads = static_cast<unsigned>(to_count(name, text, 256));
        });
    add("--sessions",
        "'off' serves without sessions, to measure what they cost (on)",
        "on|off",
        [&options](const auto& name, const auto& text) {
            options.sessions = to_sessions(name, text);
        });
    add("--max-sessions",
        "sessions that may exist at once, 1 to 100000000 (100000)",
        "N",
        [&options](const auto& name, const auto& text) {
            options.service.max_sessions(to_count(name, text, 100'000'000));
        });
    add("--max-half-open",
        "anonymous sessions that may wait for their first request, 1 to 100000000 (a quarter of "
        "--max-sessions)",
        "N",
        [&options](const auto& name, const auto& text) {
            options.service.max_half_open(to_count(name, text, 100'000'000));
        });
    add("--sessions-per-principal",
        "sessions that one principal may have, 1 to 1000 (100)",
        "N",
        [&options](const auto& name, const auto& text) {
            options.service.max_sessions_per_principal(to_count(name, text, 1'000));
        });
    add("--eviction-grace",
        "how long a session is safe after a request when the table is full (10s)",
        "DURATION",
        [&options](const auto& name, const auto& text) {
            options.service.eviction_grace(to_duration(name, text));
        });
    add("--creation-rate",
        "sessions a second that one address may create, and at once; or 'unlimited' (unlimited: "
        "behind a proxy all have its address)",
        "N",
        [&options](const auto& name, const auto& text) {
            options.service.creation_rate(to_rate(name, text));
        });
    add("--max-in-flight",
        "requests with a session that may be at work at once, 1 to 1000000; others wait in line "
        "(no limit)",
        "N",
        [&options](const auto& name, const auto& text) {
            options.service.max_in_flight(to_count(name, text, 1'000'000));
        });
    add("--idle-timeout",
        "how long a session may lie idle (30m)",
        "DURATION",
        [&options](const auto& name, const auto& text) {
            options.service.idle_timeout(to_duration(name, text));
        });
    add("--lifetime",
        "how long a session may live, however busy it is (8h)",
        "DURATION",
        [&options](const auto& name, const auto& text) {
            options.service.absolute_lifetime(to_duration(name, text));
        });
    add("--rate",
        "requests a second that one session may make, and at once; or 'unlimited' (100)",
        "N",
        [&options](const auto& name, const auto& text) {
            options.service.request_rate(to_rate(name, text));
        });
    add("--shards",
        "independent tables, for many cores, 1 to 256 (1)",
        "N",
        [&options](const auto& name, const auto& text) {
            options.service.shards(to_count(name, text, 256));
        });
    add("--cookie-name",
        "the cookie that carries the session id (__Host-id; id with --insecure-cookies)",
        "NAME",
        [&wishes](const auto& /*name*/, const auto& text) { wishes.cookie_name = text; });
    add("--admin",
        "where sojournctl finds the admin endpoint; TCP needs a token (none)",
        "unix:PATH|ADDRESS:PORT",
        [&options](const auto& name, const auto& text) { options.admin = to_admin(name, text); });
    add("--admin-token-file",
        "a file whose first line is the token that the admin endpoint asks for",
        "FILE",
        [&wishes](const auto& name, const auto& text) { wishes.admin_token = to_token(name, text); }
    );
    program.add_flag(
        "--admin-console",
        wishes.admin_console,
        "let the admin endpoint serve the console, a page for browsers"
    );
    program.add_flag(
        "--insecure-cookies",
        wishes.insecure_cookies,
        "let cookies travel over plain http, for browsers without TLS: whoever listens can take a "
        "session"
    );
}

void check(Wishes& wishes)
{
    const auto& service = wishes.options.service;
    if (service.shards() > service.max_sessions()) {
        refuse(
            "--shards",
            "must not be more than --max-sessions, which is " +
                std::to_string(service.max_sessions())
        );
    }
    if (const auto invalid = service.validate()) {
        refuse(option_for(invalid->field), "must be " + std::string(invalid->accepted));
    }
    if (wishes.admin_token && !wishes.options.admin) {
        refuse("--admin-token-file", "goes with --admin");
    }
    if (wishes.admin_console && !wishes.options.admin) {
        refuse("--admin-console", "goes with --admin");
    }
    if (wishes.options.admin) {
        wishes.options.admin->console(wishes.admin_console);
        if (wishes.admin_token) {
            wishes.options.admin->token(*wishes.admin_token);
        }
        wishes.options.admin->metrics(sojourn::prometheus::scrape);
        if (const auto objection = wishes.options.admin->objection()) {
            refuse("--admin", *objection);
        }
    }
    const auto transport =
        wishes.insecure_cookies ? CookieTransport::insecure : CookieTransport::secure;
    const auto name = wishes.cookie_name.value_or(std::string(
        wishes.insecure_cookies ? SessionCookie::default_insecure_name : SessionCookie::default_name
    ));
    if (const auto objection = SessionCookie::objection(name, transport)) {
        refuse("--cookie-name", std::string(*objection));
    }
    wishes.options.cookie = SessionCookie(name, transport);
}

} // namespace

std::variant<ServerOptions, Dismissal>
parse_command_line(int argument_count, const char* const* arguments)
{
    CLI::App program("An HTTP server that keeps sessions.", "http_sessions");
    Wishes wishes;
    add_options(program, wishes);
    try {
        program.parse(argument_count, arguments);
        check(wishes);
        return wishes.options;
    } catch (const CLI::CallForHelp&) {
        return Dismissal{0, program.help()};
    } catch (const CLI::ParseError& error) {
        return Dismissal{
            2, std::string("http_sessions: ") + error.what() + "\nTry http_sessions --help.\n"
        };
    }
}

} // namespace http_sessions

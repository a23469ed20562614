#include "command_line.hpp"

#include "shared/admin_option.hpp"
#include "shared/option_value.hpp"
#include "shared/service_option.hpp"

#include <sojourn/http/session_cookie.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <optional>
#include <string_view>

namespace http_sessions {

namespace {

using examples::refuse;
using examples::to_count;
using examples::to_duration;
using examples::to_endpoint;
using examples::to_rate;
using sojourn::http::CookieTransport;
using sojourn::http::SessionCookie;

Sessions to_sessions(const std::string& option, const std::string& text)
{
    if (text != "on" && text != "off") {
        refuse(option, "'" + text + "' is neither 'on' nor 'off'");
    }
    return text == "on" ? Sessions::on : Sessions::off;
}

/// What the user wrote, before it is checked as a whole.
struct Wishes {
    ServerOptions options;
    std::optional<std::string> cookie_name;
    examples::AdminWishes admin;
    bool insecure_cookies = false;
};

void add_options(CLI::App& program, Wishes& wishes)
{
    auto& options = wishes.options;
    const auto add = examples::adder(program);
    examples::add_service_options(program, options.threads, options.service);
    add("--listen",
        "where to listen; port 0 is any that is free (127.0.0.1:8080)",
        "ADDRESS:PORT",
        [&options](const auto& name, const auto& text) { options.listen = to_endpoint(name, text); }
    );
    add("--sessions",
        "'off' serves without sessions, to measure what they cost (on)",
        "on|off",
        [&options](const auto& name, const auto& text) {
            options.sessions = to_sessions(name, text);
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
    examples::add_admin_options(program, wishes.admin);
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
    examples::check_service_options(service);
    wishes.options.admin = examples::to_admin(wishes.admin);
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

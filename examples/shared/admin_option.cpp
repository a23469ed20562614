#include "shared/admin_option.hpp"

#include "shared/option_value.hpp"
#include "shared/service_option.hpp"

#include <sojourn/prometheus/exposition.hpp>

#include <fstream>
#include <string_view>

namespace examples {

namespace {

/// Where it listens: "unix:PATH", or as `to_endpoint`.
sojourn::admin::Options to_listener(const std::string& option, const std::string& text)
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

} // namespace

void add_admin_options(CLI::App& program, AdminWishes& wishes)
{
    const auto add = adder(program);
    add("--admin",
        "where sojournctl finds the admin endpoint; TCP needs a token (none)",
        "unix:PATH|ADDRESS:PORT",
        [&wishes](const auto& name, const auto& text) { wishes.endpoint = to_listener(name, text); }
    );
    add("--admin-token-file",
        "a file whose first line is the token that the admin endpoint asks for",
        "FILE",
        [&wishes](const auto& name, const auto& text) { wishes.token = to_token(name, text); });
    program.add_flag(
        "--admin-console",
        wishes.console,
        "let the admin endpoint serve the console, a page for browsers"
    );
}

std::optional<sojourn::admin::Options> to_admin(const AdminWishes& wishes)
{
    if (!wishes.endpoint) {
        if (wishes.token) {
            refuse("--admin-token-file", "goes with --admin");
        }
        if (wishes.console) {
            refuse("--admin-console", "goes with --admin");
        }
        return std::nullopt;
    }
    auto endpoint = *wishes.endpoint;
    endpoint.console(wishes.console).metrics(sojourn::prometheus::scrape);
    if (wishes.token) {
        endpoint.token(*wishes.token);
    }
    if (const auto objection = endpoint.objection()) {
        refuse("--admin", *objection);
    }
    return endpoint;
}

} // namespace examples

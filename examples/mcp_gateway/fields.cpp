#include "mcp_gateway/fields.hpp"

#include <sojourn/http/letter_case.hpp>

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include <algorithm>
#include <array>

namespace mcp_gateway {

namespace {

namespace http = boost::beast::http;

bool is_ours_to_say(std::string_view name)
{
    // Without Accept-Encoding nothing comes compressed, and events can be read.
    constexpr std::array<std::string_view, 14> names{
        "Accept-Encoding",
        "Connection",
        "Content-Length",
        "Expect",
        "Host",
        "Keep-Alive",
        last_event_field,
        session_field,
        "Proxy-Authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
    };
    return std::ranges::any_of(names, [name](std::string_view other) {
        return sojourn::http::is_same_text(name, other);
    });
}

/// Whether a `Connection` field names it.
bool is_of_connection(const http::fields& fields, std::string_view name)
{
    const auto [first, last] = fields.equal_range(http::field::connection);
    return std::any_of(first, last, [name](const auto& field) {
        return http::token_list(field.value()).exists(name);
    });
}

} // namespace

void pass_on(const http::fields& from, http::fields& to)
{
    for (const auto& field : from) {
        if (!is_ours_to_say(field.name_string()) && !is_of_connection(from, field.name_string())) {
            to.insert(field.name(), field.name_string(), field.value());
        }
    }
}

} // namespace mcp_gateway

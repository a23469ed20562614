#include "creation_request.hpp"

#include "route.hpp"

#include <sojourn/core/duration.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace http_sessions {

namespace {

namespace json = boost::json;

/// The name of a field that the client made up, for an answer. One that is as long as a session id
/// could be a secret in the wrong place, and is not repeated.
std::string repeatable(std::string_view name)
{
    constexpr std::size_t length_max = 32;
    static_assert(length_max < sojourn::SessionId::issued_length);
    return is_attribute_name(name) && name.size() <= length_max ? std::string(name) : "?";
}

std::optional<BadField> read_principal(const json::value& value, sojourn::CreateOptions& options)
{
    const auto* text = value.if_string();
    if (text == nullptr || text->empty() || text->size() > sojourn::max_principal_length) {
        return BadField{"principal", "must be a string of 1 to 256 bytes"};
    }
    options.principal(std::string(*text));
    return std::nullopt;
}

std::optional<BadField> read_attributes(const json::value& value, sojourn::CreateOptions& options)
{
    const auto* object = value.if_object();
    if (object == nullptr) {
        return BadField{"attributes", "must be an object of strings"};
    }
    std::vector<sojourn::Attributes::Entry> entries;
    for (const auto& [name, content] : *object) {
        if (!is_attribute_name(name)) {
            return BadField{"attributes", std::string(accepted_attribute_names)};
        }
        const auto* text = content.if_string();
        if (text == nullptr) {
            return BadField{"attributes." + repeatable(name), "must be a string"};
        }
        entries.emplace_back(name, *text);
    }
    options.attributes(sojourn::Attributes::from(std::move(entries)));
    return std::nullopt;
}

std::optional<BadField> read_idle_timeout(
    const json::value& value, sojourn::Duration idle_timeout_max, sojourn::CreateOptions& options
)
{
    const auto* text = value.if_string();
    if (text == nullptr) {
        return BadField{"idle_timeout", "must be a string such as 90s, 15m or 1h30m"};
    }
    const auto length = sojourn::parse_duration(*text);
    if (!length) {
        return BadField{"idle_timeout", length.error().message()};
    }
    if (*length > idle_timeout_max) {
        return BadField{
            "idle_timeout", "must not be longer than " + sojourn::to_string(idle_timeout_max)
        };
    }
    options.idle_timeout(*length);
    return std::nullopt;
}

} // namespace

boost::system::result<sojourn::CreateOptions, BadField>
parse_creation_request(std::string_view body, sojourn::Duration idle_timeout_max)
{
    sojourn::CreateOptions options;
    if (body.empty()) {
        return options;
    }
    boost::system::error_code error;
    const auto document = json::parse(body, error);
    if (error || !document.is_object()) {
        return BadField{"body", "must be empty or a JSON object"};
    }
    for (const auto& [name, value] : document.get_object()) {
        std::optional<BadField> bad;
        if (name == "principal") {
            bad = read_principal(value, options);
        } else if (name == "attributes") {
            bad = read_attributes(value, options);
        } else if (name == "idle_timeout") {
            bad = read_idle_timeout(value, idle_timeout_max, options);
        } else {
            bad = BadField{
                repeatable(name), "is unknown; known are principal, attributes and idle_timeout"
            };
        }
        if (bad) {
            return *std::move(bad);
        }
    }
    return options;
}

} // namespace http_sessions

#include "route.hpp"

#include <sojourn/http/token.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace http_sessions {

namespace {

using http::verb;

struct Known {
    std::string_view path;
    Resource resource;
};

constexpr std::array known_paths = {
    Known{"/hello", Resource::greeting},
    Known{"/session", Resource::session},
    Known{"/session/rotate", Resource::rotation},
    Known{"/healthz", Resource::liveness},
    Known{"/readyz", Resource::readiness},
    Known{"/stats", Resource::statistics},
};

constexpr std::string_view attribute_prefix = "/session/attributes/";

std::string_view path_of(std::string_view target) noexcept
{
    constexpr std::string_view scheme = "http://";
    if (target.starts_with(scheme)) {
        const auto path = target.find('/', scheme.size());
        target.remove_prefix(path == std::string_view::npos ? target.size() : path);
    }
    return target.substr(0, target.find('?'));
}

} // namespace

Route find_route(std::string_view target) noexcept
{
    const auto path = path_of(target);
    for (const auto& known : known_paths) {
        if (path == known.path) {
            return {known.resource, {}};
        }
    }
    if (path.starts_with(attribute_prefix)) {
        return {Resource::attribute, path.substr(attribute_prefix.size())};
    }
    return {};
}

std::string_view allowed_methods(Resource resource) noexcept
{
    switch (resource) {
    case Resource::nothing:
        return "";
    case Resource::session:
        return "DELETE, GET, HEAD, POST";
    case Resource::attribute:
        return "PUT";
    case Resource::rotation:
        return "POST";
    case Resource::greeting:
    case Resource::liveness:
    case Resource::readiness:
    case Resource::statistics:
        return "GET, HEAD";
    }
    return "";
}

bool allows(Resource resource, verb method) noexcept
{
    auto allowed = allowed_methods(resource);
    const std::string_view wanted = http::to_string(method);
    while (!allowed.empty()) {
        const auto end = allowed.find(", ");
        if (allowed.substr(0, end) == wanted) {
            return true;
        }
        allowed.remove_prefix(end == std::string_view::npos ? allowed.size() : end + 2);
    }
    return false;
}

bool is_attribute_name(std::string_view name) noexcept
{
    constexpr std::size_t length_max = 64;
    return !name.empty() && name.size() <= length_max &&
           std::ranges::all_of(name, [](char character) {
               return sojourn::http::is_alphanumeric(character) || character == '_' ||
                      character == '.' || character == '-';
           });
}

} // namespace http_sessions

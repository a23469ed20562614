/// @file
/// What a request is about: its target, taken apart. Pure text.

#ifndef HTTP_SESSIONS_ROUTE_HPP
#define HTTP_SESSIONS_ROUTE_HPP

#include "message.hpp"

#include <cstdint>
#include <string_view>

namespace http_sessions {

enum class Resource : std::uint8_t {
    nothing,
    greeting,
    session,
    attribute,
    rotation,
    liveness,
    readiness,
    statistics,
};

struct Route {
    Resource resource = Resource::nothing;
    /// The last part of an attribute's path, as the client wrote it. Points into the target.
    std::string_view attribute_name;
};

/// Finds the resource that a target names. Takes the origin form ("/session?x") and the absolute
/// form ("http://host/session"), as RFC 9112 demands of a server.
[[nodiscard]] Route find_route(std::string_view target) noexcept;

/// The methods that a resource knows, as the value of an `Allow` field; empty for `nothing`.
[[nodiscard]] std::string_view allowed_methods(Resource resource) noexcept;

/// Whether the resource knows this method.
[[nodiscard]] bool allows(Resource resource, http::verb method) noexcept;

/// Whether an attribute may be named so: 1 to 64 letters, digits and characters of "_.-".
[[nodiscard]] bool is_attribute_name(std::string_view name) noexcept;

/// What `is_attribute_name` accepts, for people.
inline constexpr std::string_view accepted_attribute_names =
    "a name is 1 to 64 letters, digits and characters of _.-";

} // namespace http_sessions

#endif // HTTP_SESSIONS_ROUTE_HPP

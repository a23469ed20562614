/// @file
/// The body of `POST /session`: what the client wants its new session to be like.

#ifndef HTTP_SESSIONS_CREATION_REQUEST_HPP
#define HTTP_SESSIONS_CREATION_REQUEST_HPP

#include <sojourn/core/create_options.hpp>
#include <sojourn/core/time.hpp>

#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace http_sessions {

/// A part of a request that cannot be accepted.
struct BadField {
    /// Its name, such as "attributes.theme"; "body" for the whole.
    std::string field;
    std::string message;
};

/// Reads the body, which may be empty: `{"principal": "ada", "attributes": {"theme": "dark"},
/// "idle_timeout": "90s"}`, each part optional. A session may be given a shorter idle timeout than
/// `idle_timeout_max`, never a longer one. This example believes the client who it is; a real
/// server puts as the principal whom its login has verified.
[[nodiscard]] boost::system::result<sojourn::CreateOptions, BadField>
parse_creation_request(std::string_view body, sojourn::Duration idle_timeout_max);

} // namespace http_sessions

#endif // HTTP_SESSIONS_CREATION_REQUEST_HPP

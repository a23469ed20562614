/// @file
/// Responses that any of our servers may give. Their bodies are JSON, and nobody may store them.

#ifndef SOJOURN_HTTP_SERVER_RESPONSES_HPP
#define SOJOURN_HTTP_SERVER_RESPONSES_HPP

#include "sojourn/core/time.hpp"
#include "sojourn/http_server/message.hpp"

#include <string>
#include <string_view>

namespace sojourn::http_server {

/// A response with a JSON body.
[[nodiscard]] Response json_response(http::status status, std::string body);

/// 204.
[[nodiscard]] Response empty_response();

/// A refusal with `{"error": name}`.
[[nodiscard]] Response refusal(http::status status, std::string_view name);

/// A refusal with `{"error": name, "message": message}`.
[[nodiscard]] Response
refusal(http::status status, std::string_view name, std::string_view message);

/// 400 with `{"error": "bad_request", "field": ..., "message": ...}`, naming what was wrong.
[[nodiscard]] Response bad_request(std::string_view field, std::string_view message);

/// 405, with what is allowed, such as "GET, HEAD".
[[nodiscard]] Response method_not_allowed(std::string_view allowed);

/// 503, to be tried again after this time.
[[nodiscard]] Response unavailable(std::string_view name, Duration retry_after);

/// Tells the client to come back after this time: whole seconds, rounded up, at least one.
void set_retry_after(Response& response, Duration wait);

} // namespace sojourn::http_server

#endif // SOJOURN_HTTP_SERVER_RESPONSES_HPP

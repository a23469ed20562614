/// @file
/// What the server tells, as JSON texts.

#ifndef HTTP_SESSIONS_JSON_HPP
#define HTTP_SESSIONS_JSON_HPP

#include <sojourn/core/metrics.hpp>
#include <sojourn/core/session_info.hpp>

#include <string>
#include <string_view>

namespace http_sessions {

/// A session, as its client sees it. Attributes must be UTF-8.
[[nodiscard]] std::string session_json(const sojourn::SessionInfo& session);

[[nodiscard]] std::string metrics_json(const sojourn::Metrics& metrics);

/// `{"status": ...}`.
[[nodiscard]] std::string status_json(std::string_view status);

} // namespace http_sessions

#endif // HTTP_SESSIONS_JSON_HPP

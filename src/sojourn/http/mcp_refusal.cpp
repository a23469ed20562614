#include "sojourn/http/mcp_refusal.hpp"

#include "sojourn/http/retry_after.hpp"

namespace sojourn::http {

namespace {

constexpr McpRefusal not_found(McpRevision revision) noexcept
{
    if (has_sessions(revision)) {
        return {
            .code = McpErrorCode::session_not_found,
            .message = "Session not found",
        };
    }
    return {
        .code = McpErrorCode::invalid_params,
        .message = "what the request names is unknown or has expired; it must be made anew",
    };
}

constexpr McpRefusal unavailable(std::string_view message, Duration retry_after) noexcept
{
    return {
        .code = McpErrorCode::unavailable,
        .message = message,
        .retry_after = to_retry_after(retry_after),
    };
}

} // namespace

McpRefusal to_mcp_refusal(const Error& error, McpRevision revision) noexcept
{
    if (error == errc::not_found || error == errc::invalid_id) {
        return not_found(revision);
    }
    if (error == errc::rate_limited) {
        return {
            .code = McpErrorCode::rate_limited,
            .message = "too many requests; Retry-After says when to send the next",
            .retry_after = to_retry_after(error.retry_after()),
        };
    }
    if (error == errc::overloaded || error == errc::timed_out) {
        return unavailable("the server is at its limit; try again later", error.retry_after());
    }
    if (error == errc::store_unavailable || error == errc::store_full) {
        return unavailable("the server has no access to its sessions; try again later", {});
    }
    if (error == errc::stopping) {
        return unavailable("the server is stopping; try again later", error.retry_after());
    }
    return {.message = "the server has failed, and not for what the request says"};
}

} // namespace sojourn::http

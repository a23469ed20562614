#include "reply.hpp"

#include "json.hpp"

#include <sojourn/http/retry_after.hpp>

#include <string>

namespace http_sessions {

namespace {

void set_retry_after(Response& response, sojourn::Duration wait)
{
    const auto seconds = sojourn::http::to_retry_after(wait);
    response.set(http::field::retry_after, std::to_string(seconds.count()));
}

} // namespace

Response json_response(http::status status, std::string body)
{
    Response response(status, 11);
    response.set(http::field::cache_control, "no-store");
    response.set(http::field::content_type, "application/json");
    response.body() = std::move(body);
    response.prepare_payload();
    return response;
}

Response empty_response()
{
    // Not prepared: a response of status 204 has no Content-Length, not even of zero.
    Response response(http::status::no_content, 11);
    response.set(http::field::cache_control, "no-store");
    return response;
}

Response refusal(http::status status, std::string_view name)
{
    return json_response(status, error_json(name));
}

Response bad_request(std::string_view field, std::string_view message)
{
    return json_response(http::status::bad_request, error_json("bad_request", field, message));
}

Response no_session()
{
    auto response = refusal(http::status::unauthorized, "no_session");
    // RFC 9110 demands a challenge; no browser knows this scheme, so none asks for a password.
    response.set(http::field::www_authenticate, "Cookie realm=\"session\"");
    return response;
}

Response unavailable(std::string_view name, sojourn::Duration retry_after)
{
    auto response = refusal(http::status::service_unavailable, name);
    set_retry_after(response, retry_after);
    return response;
}

Response refusal(const sojourn::Error& error)
{
    using sojourn::errc;

    if (error == errc::not_found || error == errc::invalid_id) {
        return no_session();
    }
    if (error == errc::rate_limited) {
        auto response = refusal(http::status::too_many_requests, "rate_limited");
        set_retry_after(response, error.retry_after());
        return response;
    }
    if (error == errc::overloaded) {
        return unavailable("overloaded", error.retry_after());
    }
    if (error == errc::stopping) {
        return unavailable("stopping", error.retry_after());
    }
    if (error == errc::attributes_too_large) {
        return refusal(http::status::payload_too_large, "attributes_too_large");
    }
    if (error == errc::conflict) {
        return refusal(http::status::conflict, "conflict");
    }
    // No random bytes, no memory: ours to mend, and nothing the client did.
    return unavailable("unavailable", error.retry_after());
}

Response greeting()
{
    return json_response(http::status::ok, R"({"hello":"world"})");
}

Reply greeting_to(sojourn::Result<sojourn::SessionLease> lease)
{
    if (lease) {
        return Reply(greeting(), *std::move(lease));
    }
    return Reply(lease.error() == sojourn::errc::not_found ? greeting() : refusal(lease.error()));
}

} // namespace http_sessions

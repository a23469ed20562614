#include "reply.hpp"

#include <utility>

namespace http_sessions {

Response no_session()
{
    auto response = refusal(http::status::unauthorized, "no_session");
    // RFC 9110 demands a challenge; no browser knows this scheme, so none asks for a password.
    response.set(http::field::www_authenticate, "Cookie realm=\"session\"");
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
        sojourn::http_server::set_retry_after(response, error.retry_after());
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

#include "sojourn/http_server/responses.hpp"

#include "sojourn/http/retry_after.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string>
#include <utility>

namespace sojourn::http_server {

namespace json = boost::json;

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
    return json_response(status, json::serialize(json::object{{"error", name}}));
}

Response refusal(http::status status, std::string_view name, std::string_view message)
{
    return json_response(
        status, json::serialize(json::object{{"error", name}, {"message", message}})
    );
}

Response bad_request(std::string_view field, std::string_view message)
{
    const json::object body{{"error", "bad_request"}, {"field", field}, {"message", message}};
    return json_response(http::status::bad_request, json::serialize(body));
}

Response method_not_allowed(std::string_view allowed)
{
    auto response = refusal(http::status::method_not_allowed, "method_not_allowed");
    response.set(http::field::allow, allowed);
    return response;
}

Response unavailable(std::string_view name, Duration retry_after)
{
    auto response = refusal(http::status::service_unavailable, name);
    set_retry_after(response, retry_after);
    return response;
}

void set_retry_after(Response& response, Duration wait)
{
    const auto seconds = sojourn::http::to_retry_after(wait);
    response.set(http::field::retry_after, std::to_string(seconds.count()));
}

} // namespace sojourn::http_server

#include "mcp_gateway/answers.hpp"

#include "mcp_gateway/fields.hpp"

#include <sojourn/http/server_sent_event.hpp>
#include <sojourn/http_server/responses.hpp>

#include <boost/beast/core/error.hpp>

#include <optional>
#include <utility>

namespace mcp_gateway {

using sojourn::http::McpRefusal;
using sojourn::http_server::Response;

namespace {

std::optional<RequestId> first_of(const std::vector<RequestId>& requests)
{
    return requests.empty() ? std::nullopt : std::optional(requests.front());
}

Response header_of(const UpstreamResponse& response)
{
    Response header;
    header.result(response.header().result_int());
    pass_on(response.header(), header);
    return header;
}

} // namespace

Response error_answer(
    http::status status, const std::vector<RequestId>& requests, int code, std::string_view message
)
{
    return sojourn::http_server::json_response(
        status, error_body(first_of(requests), code, message)
    );
}

Response refusal_answer(const std::vector<RequestId>& requests, const McpRefusal& refusal)
{
    auto response = sojourn::http_server::json_response(
        static_cast<http::status>(refusal.status()), refusal_body(first_of(requests), refusal)
    );
    if (!refusal.allow.empty()) {
        response.set(http::field::allow, refusal.allow);
    }
    if (refusal.retry_after > std::chrono::seconds::zero()) {
        response.set(http::field::retry_after, std::to_string(refusal.retry_after.count()));
    }
    return response;
}

Response session_ended(const std::vector<RequestId>& requests)
{
    return error_answer(
        http::status::not_found,
        requests,
        static_cast<int>(sojourn::http::McpErrorCode::session_not_found),
        "the session ended before the answer came"
    );
}

Response upstream_failed(const std::vector<RequestId>& requests, boost::system::error_code error)
{
    if (error == boost::beast::error::timeout) {
        return error_answer(
            http::status::gateway_timeout, requests, 504, "the server took too long to answer"
        );
    }
    return error_answer(
        http::status::bad_gateway, requests, 502, "the server cannot be reached, or broke off"
    );
}

boost::asio::awaitable<Response> whole_answer(
    UpstreamResponse& response,
    const std::vector<RequestId>& requests,
    std::chrono::milliseconds limit
)
{
    auto body = co_await response.read_all(limit);
    if (!body) {
        co_return upstream_failed(requests, body.error());
    }
    auto answer = header_of(response);
    answer.body() = *std::move(body);
    answer.prepare_payload();
    co_return answer;
}

Response stream_header_of(const UpstreamResponse& response)
{
    auto header = header_of(response);
    make_stream(header);
    return header;
}

void make_stream(Response& header)
{
    header.set(http::field::content_type, sojourn::http::event_stream_type);
    header.set(http::field::cache_control, "no-cache, no-transform");
    header.set("X-Accel-Buffering", "no");
}

} // namespace mcp_gateway

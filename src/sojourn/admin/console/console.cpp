#include "sojourn/admin/console/console.hpp"

#include "sojourn/detail/assert.hpp"
#include "sojourn/http_server/responses.hpp"

#include <string>

namespace sojourn::admin::console {

namespace http = boost::beast::http;
using http::verb;
using http_server::Response;

namespace {

/// The page for an endpoint that asks for a token. It must know beforehand: to try without one is a
/// failed request, which browsers report.
std::string page_that_asks_for_a_token()
{
    constexpr std::string_view no = R"(data-needs-token="no")";
    constexpr std::string_view yes = R"(data-needs-token="yes")";
    std::string text(page);
    const auto where = text.find(no);
    SOJOURN_ASSERT(where != std::string::npos);
    return text.replace(where, no.size(), yes);
}

} // namespace

Response response(verb method, const Options& options)
{
    if (method != verb::get && method != verb::head) {
        return http_server::method_not_allowed("GET, HEAD");
    }
    Response response(http::status::ok, 11);
    response.set(http::field::content_type, "text/html; charset=utf-8");
    response.set(http::field::cache_control, "no-store");
    response.set("Content-Security-Policy", policy);
    response.set("Referrer-Policy", "no-referrer");
    response.set("X-Content-Type-Options", "nosniff");
    response.set("Cross-Origin-Opener-Policy", "same-origin");
    response.set("Cross-Origin-Resource-Policy", "same-origin");
    response.body() = options.needs_token() ? page_that_asks_for_a_token() : std::string(page);
    response.prepare_payload();
    return response;
}

} // namespace sojourn::admin::console

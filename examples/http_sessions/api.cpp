#include "api.hpp"

#include "creation_request.hpp"
#include "json.hpp"
#include "reply.hpp"

#include <sojourn/http_server/utf8.hpp>

#include <string>
#include <utility>

namespace http_sessions {

namespace asio = boost::asio;

namespace {

bool is_about_sessions(Resource resource)
{
    return resource == Resource::session || resource == Resource::attribute ||
           resource == Resource::rotation;
}

/// An answer that waits for nothing.
asio::awaitable<Reply> at_once(Response response)
{
    co_return Reply(std::move(response));
}

} // namespace

Api::Api(sojourn::SessionService& service, const ServerOptions& options)
    : service_(service), sessions_(options.sessions), cookie_(options.cookie)
{
}

// Only picks the coroutine that answers: one of its own would be one more to every request.
asio::awaitable<Reply> Api::answer(const Request& request, const std::string& peer)
{
    const auto route = find_route(request.target());
    if (route.resource == Resource::nothing) {
        return at_once(refusal(http::status::not_found, "not_found"));
    }
    if (sessions_ == Sessions::off && is_about_sessions(route.resource)) {
        return at_once(refusal(http::status::not_found, "sessions_off"));
    }
    if (!allows(route.resource, request.method())) {
        return at_once(method_not_allowed(allowed_methods(route.resource)));
    }
    switch (route.resource) {
    case Resource::greeting:
        return greet(request);
    case Resource::liveness:
        return at_once(json_response(http::status::ok, status_json("alive")));
    case Resource::readiness:
        return readiness();
    case Resource::statistics:
        return statistics();
    default:
        break;
    }
    if (route.resource == Resource::session && request.method() == http::verb::post) {
        return create_session(request, peer);
    }
    return use_session(request, route);
}

// As most requests to most servers: whoever comes is served, and whoever has a session keeps it by
// coming. A cookie that names none makes none.
asio::awaitable<Reply> Api::greet(const Request& request)
{
    if (sessions_ == Sessions::off) {
        return at_once(greeting());
    }
    auto id = read_cookie(request);
    return id ? greet_holder(*std::move(id)) : at_once(greeting());
}

asio::awaitable<Reply> Api::greet_holder(sojourn::SessionId id)
{
    auto lease = co_await service_.acquire(std::move(id));
    co_return greeting_to(std::move(lease));
}

// Beast finds fields by comparing names, letter by letter, in a tree; of the few that a request
// has, the numbers of all are compared sooner.
sojourn::Result<sojourn::SessionId> Api::read_cookie(const Request& request) const
{
    sojourn::http::SessionCookie::Reader reader(cookie_);
    for (const auto& line : request) {
        if (line.name() == http::field::cookie) {
            reader.look_in(line.value());
        }
    }
    return reader.id();
}

// A cookie that comes with the request is not looked at: an id is never the client's choice, and
// whoever creates a session gets a new one.
asio::awaitable<Reply> Api::create_session(const Request& request, const std::string& peer)
{
    auto wish = parse_creation_request(request.body(), service_.options().idle_timeout());
    if (!wish) {
        co_return Reply(bad_request(wish.error().field, wish.error().message));
    }
    wish->peer(peer);
    auto created = co_await service_.create(*std::move(wish));
    if (!created) {
        co_return Reply(refusal(created.error()));
    }
    auto response = json_response(http::status::created, session_json(created->lease.info()));
    response.set(http::field::set_cookie, cookie_.give(created->id));
    co_return Reply(std::move(response), std::move(created->lease));
}

asio::awaitable<Reply> Api::use_session(const Request& request, Route route)
{
    const auto id = read_cookie(request);
    if (!id) {
        co_return Reply(no_session());
    }
    auto lease = co_await service_.acquire(*id);
    if (!lease) {
        co_return Reply(refusal(lease.error()));
    }
    if (route.resource == Resource::attribute) {
        auto response = co_await set_attribute(request, route.attribute_name, *id);
        co_return Reply(std::move(response), *std::move(lease));
    }
    if (route.resource == Resource::rotation) {
        auto response = co_await rotate_session(*id);
        co_return Reply(std::move(response), *std::move(lease));
    }
    if (request.method() == http::verb::delete_) {
        auto response = co_await delete_session(*id);
        co_return Reply(std::move(response), *std::move(lease));
    }
    auto response = json_response(http::status::ok, session_json(lease->info()));
    co_return Reply(std::move(response), *std::move(lease));
}

asio::awaitable<Response>
Api::set_attribute(const Request& request, std::string_view name, sojourn::SessionId id)
{
    if (!is_attribute_name(name)) {
        co_return bad_request("name", accepted_attribute_names);
    }
    if (!sojourn::http_server::is_utf8(request.body())) {
        co_return bad_request("body", "must be UTF-8");
    }
    const auto set = [name, &request](sojourn::Attributes& attributes) {
        attributes.set(name, request.body());
    };
    const auto written = co_await service_.modify(std::move(id), set);
    co_return written ? empty_response() : refusal(written.error());
}

asio::awaitable<Response> Api::rotate_session(sojourn::SessionId id)
{
    const auto fresh = co_await service_.rotate(std::move(id));
    if (!fresh) {
        co_return refusal(fresh.error());
    }
    auto response = empty_response();
    response.set(http::field::set_cookie, cookie_.give(*fresh));
    co_return response;
}

asio::awaitable<Response> Api::delete_session(sojourn::SessionId id)
{
    const auto removed = co_await service_.remove(std::move(id));
    if (!removed) {
        co_return refusal(removed.error());
    }
    auto response = empty_response();
    response.set(http::field::set_cookie, cookie_.take_away());
    co_return response;
}

asio::awaitable<Reply> Api::readiness()
{
    const auto health = co_await service_.health();
    if (is_ending_.load(std::memory_order_relaxed) || !health || !health->is_ready()) {
        co_return Reply(unavailable("not_ready", sojourn::Duration::zero()));
    }
    co_return Reply(json_response(http::status::ok, status_json("ready")));
}

asio::awaitable<Reply> Api::statistics()
{
    const auto metrics = co_await service_.metrics();
    co_return Reply(
        metrics ? json_response(http::status::ok, metrics_json(*metrics)) : refusal(metrics.error())
    );
}

} // namespace http_sessions

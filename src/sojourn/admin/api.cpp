#include "sojourn/admin/api.hpp"

#include "sojourn/admin/console/console.hpp"
#include "sojourn/admin/cross_site.hpp"
#include "sojourn/admin/event_stream.hpp"
#include "sojourn/admin/event_subscription.hpp"
#include "sojourn/admin/json.hpp"
#include "sojourn/http/server_sent_event.hpp"
#include "sojourn/http_server/responses.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

namespace sojourn::admin {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using http_server::json_response;
using http_server::Reply;
using http_server::Request;
using http_server::Response;
using http_server::unavailable;

namespace {

/// An answer that waits for nothing.
awaitable<Reply> at_once(Response response)
{
    co_return Reply(std::move(response));
}

/// RFC 9110 11.6.2: the scheme in letters of either case, one space, the token.
std::optional<std::string_view> bearer_token(const Request& request)
{
    constexpr std::string_view scheme = "Bearer ";
    const auto [first, last] = request.equal_range(http::field::authorization);
    if (first == last || std::next(first) != last) {
        return std::nullopt;
    }
    const std::string_view value = first->value();
    if (!boost::beast::iequals(value.substr(0, scheme.size()), scheme)) {
        return std::nullopt;
    }
    return value.substr(scheme.size());
}

Response unauthorized()
{
    auto response = http_server::refusal(
        http::status::unauthorized, "unauthorized", "show a token: Authorization: Bearer TOKEN"
    );
    response.set(http::field::www_authenticate, "Bearer realm=\"sojourn\"");
    return response;
}

Response forbidden()
{
    return http_server::refusal(
        http::status::forbidden, "forbidden", "this needs to be allowed to change things"
    );
}

Response refusal_of(const Misunderstanding& wrong)
{
    if (wrong.status == http::status::method_not_allowed) {
        return http_server::method_not_allowed(wrong.allowed);
    }
    if (wrong.status == http::status::not_found) {
        return http_server::refusal(wrong.status, "not_found", wrong.message);
    }
    return http_server::bad_request(wrong.field, wrong.message);
}

/// An administrator's operations know no error but that something has run out.
Response failure(const Error& error)
{
    return unavailable("unavailable", error.retry_after());
}

/// How many sessions a command has ended, or would.
Reply how_many(const Result<std::size_t>& sessions, bool is_dry_run)
{
    return Reply(
        sessions ? json_response(http::status::ok, ended_json(*sessions, is_dry_run))
                 : failure(sessions.error())
    );
}

Response unknown_session()
{
    return http_server::refusal(
        http::status::not_found, "not_found", "there is no session of this reference"
    );
}

/// Whether the first comes before the second.
bool is_before(SessionOrder order, const SessionInfo& first, const SessionInfo& second)
{
    switch (order) {
    case SessionOrder::idle:
        return first.idle_for > second.idle_for;
    case SessionOrder::age:
        return first.created < second.created;
    case SessionOrder::requests:
        return first.requests > second.requests;
    }
    return false;
}

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};

} // namespace

Api::Api(SessionService& service, Options options) : service_(service), options_(std::move(options))
{
}

awaitable<Reply> Api::answer(const Request& request, const std::string& /*peer*/)
{
    if (options_.has_console() && request.target() == "/") {
        return at_once(console::response(request.method(), options_));
    }
    const auto access = options_.access_by(bearer_token(request));
    if (access == Access::none) {
        return at_once(unauthorized());
    }
    if (const auto objection = cross_site_objection(request, options_)) {
        return at_once(http_server::refusal(http::status::forbidden, "cross_site", *objection));
    }
    const auto read = read_command(request.method(), request.target());
    if (const auto* const wrong = std::get_if<Misunderstanding>(&read)) {
        return at_once(refusal_of(*wrong));
    }
    if (!request.body().empty()) {
        // Somebody may have put a dry_run there.
        return at_once(http_server::bad_request("body", "parameters are taken in the query only"));
    }
    const auto& command = std::get<Command>(read);
    if (needed_for(command) == Access::change && access != Access::change) {
        return at_once(forbidden());
    }
    return obey(command);
}

awaitable<Reply> Api::obey(const Command& command)
{
    return std::visit(
        Overloaded{
            [this](const ListSessions& list_some) {
                if (list_some.order) {
                    return list_first(list_some.filter, *list_some.order, list_some.limit);
                }
                ListOptions wish;
                wish.filter(list_some.filter).limit(list_some.limit).after(list_some.after);
                return list(std::move(wish));
            },
            [this](const ShowSession& one) { return show(one.reference); },
            [this](const ShowFrames& some) { return frames(some.reference, some.query); },
            [this](const DeleteSession& one) {
                return remove(SessionFilter().reference(one.reference));
            },
            [this](const DeletePrincipal& whose) { return remove_principal(whose.principal); },
            [this](const CleanUp& which) {
                if (which.filter) {
                    return which.is_dry_run ? count(*which.filter) : clean_up(*which.filter);
                }
                return which.is_dry_run ? count_expired() : end_expired();
            },
            [this](const ShowStatistics&) { return statistics(); },
            [this](const ShowHealth&) { return health(); },
            [this](const ShowMetrics&) { return metrics(); },
            [this](const FollowEvents&) { return follow_events(); },
            [this](const Drain& when) { return drain(when.deadline); },
        },
        command
    );
}

awaitable<Reply> Api::list(ListOptions wish)
{
    const auto page = co_await service_.list(std::move(wish));
    co_return Reply(
        page ? json_response(http::status::ok, page_json(*page)) : failure(page.error())
    );
}

// Looks at all sessions, a page at a time, and keeps no more than are asked for and a page.
awaitable<Reply> Api::list_first(SessionFilter filter, SessionOrder order, std::size_t limit)
{
    const auto before = [order](const SessionInfo& first, const SessionInfo& second) {
        return is_before(order, first, second);
    };
    SessionPage first;
    ListOptions wish;
    wish.filter(std::move(filter)).limit(1000);
    for (bool has_more = true; has_more;) {
        auto page = co_await service_.list(wish);
        if (!page) {
            co_return Reply(failure(page.error()));
        }
        std::ranges::move(page->sessions, std::back_inserter(first.sessions));
        const auto kept = std::min(limit, first.sessions.size());
        const auto end = first.sessions.begin() + static_cast<std::ptrdiff_t>(kept);
        std::partial_sort(first.sessions.begin(), end, first.sessions.end(), before);
        first.sessions.erase(end, first.sessions.end());
        const auto& next = page->next;
        has_more = next.has_value();
        if (next) {
            wish.after(*next);
        }
    }
    co_return Reply(json_response(http::status::ok, page_json(first)));
}

awaitable<Reply> Api::show(SessionReference reference)
{
    ListOptions wish;
    wish.filter(SessionFilter().reference(reference)).limit(1);
    const auto page = co_await service_.list(std::move(wish));
    if (!page) {
        co_return Reply(failure(page.error()));
    }
    if (page->sessions.empty()) {
        co_return Reply(unknown_session());
    }
    co_return Reply(json_response(http::status::ok, session_json(page->sessions.front())));
}

awaitable<Reply> Api::frames(SessionReference reference, FrameQuery query)
{
    const auto page = co_await service_.frames(reference, query);
    if (page) {
        co_return Reply(json_response(http::status::ok, frames_json(*page)));
    }
    if (page.error() == errc::not_found) {
        co_return Reply(unknown_session());
    }
    if (page.error() == errc::not_recorded) {
        co_return Reply(
            http_server::refusal(http::status::not_found, "not_recorded", page.error().message())
        );
    }
    co_return Reply(failure(page.error()));
}

awaitable<Reply> Api::remove(SessionFilter filter)
{
    const auto ended = co_await service_.remove_matching(std::move(filter));
    if (!ended) {
        co_return Reply(failure(ended.error()));
    }
    co_return Reply(*ended == 0 ? unknown_session() : http_server::empty_response());
}

awaitable<Reply> Api::remove_principal(std::string principal)
{
    const auto ended = co_await service_.remove_by_principal(std::move(principal));
    co_return how_many(ended, false);
}

awaitable<Reply> Api::clean_up(SessionFilter filter)
{
    const auto ended = co_await service_.remove_matching(std::move(filter));
    co_return how_many(ended, false);
}

awaitable<Reply> Api::count(SessionFilter filter)
{
    const auto meant = co_await service_.count(std::move(filter));
    co_return how_many(meant, true);
}

awaitable<Reply> Api::end_expired()
{
    const auto ended = co_await service_.cleanup(CleanupScope::expired);
    co_return how_many(ended, false);
}

// A filter means none that have expired: so they are those that live and are not meant.
awaitable<Reply> Api::count_expired()
{
    const auto meant = co_await service_.count(SessionFilter());
    if (!meant) {
        co_return Reply(failure(meant.error()));
    }
    const auto metrics = co_await service_.metrics();
    if (!metrics) {
        co_return Reply(failure(metrics.error()));
    }
    const auto open = metrics->live - metrics->closing;
    const auto expired = open > *meant ? open - *meant : 0;
    co_return Reply(json_response(http::status::ok, ended_json(expired, true)));
}

awaitable<Reply> Api::statistics()
{
    const auto metrics = co_await service_.metrics();
    if (!metrics) {
        co_return Reply(failure(metrics.error()));
    }
    const auto in_flight = co_await service_.in_flight();
    if (!in_flight) {
        co_return Reply(failure(in_flight.error()));
    }
    const auto state = co_await service_.health();
    if (!state) {
        co_return Reply(failure(state.error()));
    }
    co_return Reply(json_response(http::status::ok, statistics_json(*metrics, *in_flight, *state)));
}

awaitable<Reply> Api::health()
{
    const auto state = co_await service_.health();
    if (!state) {
        co_return Reply(failure(state.error()));
    }
    const auto status = state->is_ready() ? http::status::ok : http::status::service_unavailable;
    co_return Reply(json_response(status, health_json(*state)));
}

awaitable<Reply> Api::metrics()
{
    if (!options_.metrics()) {
        co_return Reply(http_server::refusal(
            http::status::not_found, "not_found", "this server has no metrics for Prometheus"
        ));
    }
    auto text = co_await options_.metrics()(service_);
    if (!text) {
        co_return Reply(failure(text.error()));
    }
    auto response = json_response(http::status::ok, *std::move(text));
    response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    co_return Reply(std::move(response));
}

awaitable<Reply> Api::follow_events()
{
    if (!options_.events()) {
        co_return Reply(http_server::refusal(
            http::status::not_found, "not_found", "this server has no feed of events"
        ));
    }
    auto subscription = co_await options_.events()->subscribe(co_await asio::this_coro::executor);
    auto header = json_response(http::status::ok, {});
    header.set(http::field::content_type, sojourn::http::event_stream_type);
    co_return Reply(
        std::move(header),
        std::make_unique<EventStream>(
            service_, std::move(subscription), options_.refusal_interval()
        )
    );
}

// Begins it and waits for nothing: it may take longer than a client has patience. `GET /health`
// tells how far it is, and a second drain with a shorter deadline hurries it.
awaitable<Reply> Api::drain(Duration deadline)
{
    service_.async_drain(deadline, [](const Result<DrainReport>&) {});
    co_return Reply(json_response(http::status::accepted, state_json(service_.state())));
}

} // namespace sojourn::admin

#include "mcp_gateway/gateway.hpp"

#include "mcp_gateway/answers.hpp"
#include "mcp_gateway/fields.hpp"
#include "mcp_gateway/pass_through_body.hpp"
#include "mcp_gateway/run_on.hpp"

#include <sojourn/core/create_options.hpp>
#include <sojourn/http/mcp_refusal.hpp>
#include <sojourn/http_server/responses.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace mcp_gateway {

namespace asio = boost::asio;
using asio::awaitable;
using sojourn::Error;
using sojourn::SessionReference;
using sojourn::http::McpAction;
using sojourn::http::McpRefusal;
using sojourn::http_server::Reply;
using sojourn::http_server::Request;
using sojourn::http_server::Response;

namespace {

/// Ended sessions that the upstream is told of at once. It may hang, and others wait to be told.
constexpr std::size_t max_tellers = 64;

sojourn::http::AllowedOrigins allowed_by(const GatewayOptions& options)
{
    using sojourn::http::ListensOn;
    sojourn::http::AllowedOrigins origins(
        options.listen.address().is_loopback() ? ListensOn::loopback : ListensOn::network
    );
    for (const auto& origin : options.origins) {
        origins.add(origin);
    }
    return origins;
}

std::string_view path_of(std::string_view target)
{
    return target.substr(0, target.find('?'));
}

/// The request as the upstream is to get it.
Request forwarded_of(const Request& request, const std::string& peer)
{
    Request forwarded(request.method(), request.target(), 11);
    pass_on(request, forwarded);
    if (!peer.empty()) {
        forwarded.set("X-Forwarded-For", peer);
    }
    forwarded.body() = request.body();
    return forwarded;
}

/// Without sessions, a client that goes has cancelled its request. With them it has cancelled
/// nothing; but a stream to listen to can be asked for again, and who asks should not find it
/// taken.
bool is_given_up_with_client(McpAction action)
{
    return action == McpAction::pass_through || action == McpAction::open_stream;
}

/// Tells the upstream, and then gives the permit back.
awaitable<void> tell_with(std::shared_ptr<Conversation> over, sojourn::Permit /*held*/)
{
    co_await over->tell_end();
}

/// Whether a session may have begun with this answer: one that is a stream has yet to say so.
bool may_have_begun(const Reply& reply, std::vector<RequestId> requests)
{
    const auto& response = reply.response;
    if (http::to_status_class(response.result()) != http::status_class::successful) {
        return false;
    }
    return reply.stream != nullptr ||
           (!take_answered(requests, response.body()).empty() && !is_error(response.body()));
}

} // namespace

Gateway::Gateway(const asio::any_io_executor& executor, const GatewayOptions& options)
    : executor_(executor),
      options_(options),
      origins_(allowed_by(options)),
      upstream_(options.upstream, options.upstream_limits),
      conversations_(executor),
      rates_(executor, options.service.request_rate()),
      tellers_(
          executor,
          sojourn::SemaphoreOptions()
              .permits(max_tellers)
              .max_waiters(options.service.max_pending_events())
              .max_wait(std::nullopt)
      )
{
}

sojourn::ServiceEnvironment Gateway::environment()
{
    return sojourn::ServiceEnvironment().on_removed([this](const sojourn::RemovedSession& session) {
        return tell_end(session.reference);
    });
}

awaitable<Reply> Gateway::answer(const Request& request, const std::string& peer)
{
    if (path_of(request.target()) != path_of(upstream_.address().target)) {
        co_return Reply(sojourn::http_server::refusal(http::status::not_found, "not_found"));
    }
    sojourn::http::McpRequest facts;
    facts.method = request.method_string();
    for (const auto& field : request) {
        facts.add_field(field.name_string(), field.value());
    }
    const auto body = read_json_rpc(request.body());
    if (body) {
        facts.message = body->message();
    }
    const auto verdict = sojourn::http::judge(facts, origins_);
    if (!verdict) {
        co_return Reply(
            refusal_answer(body ? body->requests : std::vector<RequestId>(), verdict.error())
        );
    }
    const auto reader = co_await asio::this_coro::executor;
    const auto call = call_of(request, peer, body, *verdict, reader);
    auto obeying = obey(call);
    if (is_given_up_with_client(call->task.action)) {
        co_return co_await std::move(obeying);
    }
    auto reply = co_await run_to_end(std::move(obeying));
    if (!reply) {
        call->has_client = false;
        co_return Reply(Response()); // which nobody is sent
    }
    co_return *std::move(reply);
}

std::shared_ptr<Gateway::Call> Gateway::call_of(
    const Request& request,
    const std::string& peer,
    const std::optional<JsonRpcBody>& body,
    const sojourn::http::McpTask& task,
    const asio::any_io_executor& reader
) const
{
    const auto call = std::make_shared<Call>(Call{
        .task = task,
        .body = body.value_or(JsonRpcBody()),
        .peer = peer,
        .principal = principal_of(request),
        .forwarded = Forwarded(forwarded_of(request, peer), task.revision, reader)
    });
    call->forwarded.requests = call->body.requests;
    return call;
}

awaitable<Reply> Gateway::obey(std::shared_ptr<Call> call)
{
    // In so many statements: g++ 12 miscompiles the shorter form.
    auto& known = *call;
    const bool is_refused = co_await is_foreign(known);
    if (is_refused) {
        co_return unknown(known);
    }
    auto fulfilling = fulfil(known);
    co_return co_await std::move(fulfilling);
}

/// Whether the session is somebody else's. Looked at first: who has somebody else's id shall not
/// use up what is its owner's.
awaitable<bool> Gateway::is_foreign(const Call& call)
{
    if (options_.principal_field.empty() || call.task.session_id.empty()) {
        co_return false;
    }
    const auto session = co_await service_->peek(call.task.session_id);
    co_return session && session->principal_text() != call.principal;
}

awaitable<Reply> Gateway::fulfil(Call& call)
{
    switch (call.task.action) {
    case McpAction::initialize:
        return initialize(call);
    case McpAction::deliver:
        return deliver(call);
    case McpAction::open_stream:
        return open_stream(call);
    case McpAction::end_session:
        return end_session(call);
    case McpAction::pass_through:
        break;
    }
    return pass_through(call);
}

/// The session comes first: who may not have one shall not trouble the upstream.
awaitable<Reply> Gateway::initialize(Call& call)
{
    auto created =
        co_await service_->create(sojourn::CreateOptions().principal(call.principal).peer(call.peer)
        );
    if (!created) {
        co_return refused(call, created.error());
    }
    const auto id = created->id;
    const auto reference = created->lease.info().reference;
    const auto conversation = make_conversation();
    co_await conversations_.call([&](Conversations& all) { all[reference] = conversation; });

    call.forwarded.on_error = [this, id] { end_later(id); };
    auto delivery =
        conversation->deliver(Hold(std::move(created->lease)), std::move(call.forwarded));
    auto reply = co_await run_on(conversation->strand(), std::move(delivery));
    if (call.has_client && may_have_begun(reply, call.body.requests)) {
        reply.response.set(session_field, id.text());
    } else {
        static_cast<void>(co_await service_->remove(id));
    }
    co_return reply;
}

std::shared_ptr<Conversation> Gateway::make_conversation() const
{
    return std::make_shared<Conversation>(
        executor_,
        upstream_,
        Conversation::Times{.patience = options_.patience, .keep_alive = options_.keep_alive}
    );
}

void Gateway::end_later(const sojourn::SessionId& id)
{
    asio::co_spawn(executor_, end(id), [](const std::exception_ptr& /*no memory; it will expire*/) {
    });
}

awaitable<void> Gateway::end(sojourn::SessionId id)
{
    static_cast<void>(co_await service_->remove(id));
}

awaitable<Reply> Gateway::deliver(Call& call)
{
    auto lease =
        co_await service_->acquire(call.task.session_id, sojourn::AcquireOptions().peer(call.peer));
    if (!lease) {
        co_return refused(call, lease.error());
    }
    const auto conversation = co_await find(call, lease->info());
    if (!conversation) {
        co_return unknown(call);
    }
    auto delivery = conversation->deliver(Hold(*std::move(lease)), std::move(call.forwarded));
    auto reply = co_await run_on(conversation->strand(), std::move(delivery));
    co_return co_await checked(call, std::move(reply));
}

awaitable<Reply> Gateway::open_stream(Call& call)
{
    auto lease = co_await service_->acquire_weak(call.task.session_id);
    if (!lease) {
        co_return refused(call, lease.error());
    }
    const auto conversation = co_await find(call, lease->info());
    if (!conversation) {
        co_return unknown(call);
    }
    auto opening = conversation->open_stream(
        Hold(*std::move(lease)), std::move(call.forwarded), call.task.last_event_id
    );
    auto reply = co_await run_on(conversation->strand(), std::move(opening));
    co_return co_await checked(call, std::move(reply));
}

/// Whoever waits for the session to end tells the upstream, whatever ended it.
awaitable<Reply> Gateway::end_session(Call& call)
{
    auto lease =
        co_await service_->acquire(call.task.session_id, sojourn::AcquireOptions().peer(call.peer));
    if (!lease) {
        co_return refused(call, lease.error());
    }
    if (!co_await find(call, lease->info())) {
        co_return unknown(call);
    }
    const auto removed = co_await service_->remove(call.task.session_id);
    if (!removed) {
        co_return refused(call, removed.error());
    }
    co_return Reply(sojourn::http_server::empty_response());
}

/// No session: the caller has a rate, and the rest is between it and the upstream.
awaitable<Reply> Gateway::pass_through(Call& call)
{
    const auto& name = call.principal.empty() ? call.peer : call.principal;
    const auto now = sojourn::TimePoint(std::chrono::steady_clock::now().time_since_epoch());
    const auto wait =
        co_await rates_.call([&](CallerRates& rates) { return rates.admit(name, now); });
    if (wait > sojourn::Duration::zero()) {
        co_return refused(call, Error(sojourn::errc::rate_limited, wait));
    }
    auto asked = co_await upstream_.ask(std::move(call.forwarded.request));
    if (!asked) {
        co_return Reply(upstream_failed(call.body.requests, asked.error()));
    }
    auto response = std::move(*asked);
    if (response->is_event_stream()) {
        auto header = stream_header_of(*response);
        co_return Reply(std::move(header), std::make_unique<PassThroughBody>(std::move(response)));
    }
    auto answer =
        co_await whole_answer(*response, call.body.requests, upstream_.limits().body_time);
    co_return Reply(std::move(answer));
}

awaitable<void> Gateway::tell_end(SessionReference reference)
{
    const auto conversation = co_await conversations_.call([&](Conversations& all) {
        const auto entry = all.extract(reference);
        return entry.empty() ? nullptr : entry.mapped();
    });
    auto permit = co_await tellers_.acquire();
    if (!conversation || !permit) {
        co_return;
    }
    // Not waited for here: listeners are told one after the other.
    asio::co_spawn(
        conversation->strand(),
        tell_with(conversation, *std::move(permit)),
        [](const std::exception_ptr& /*no memory to tell*/) {}
    );
}

awaitable<void> Gateway::finish(sojourn::Duration limit)
{
    const auto end = std::chrono::steady_clock::now() + limit;
    std::vector<sojourn::Permit> all;
    for (std::size_t i = 0; i < max_tellers; ++i) {
        auto permit = co_await tellers_.acquire(end - std::chrono::steady_clock::now());
        if (!permit) {
            co_return;
        }
        all.push_back(*std::move(permit));
    }
}

/// The conversation of this session, if it is the caller's; null if not. Who has somebody else's id
/// is told nothing but what everybody is told of an id that there is not.
awaitable<std::shared_ptr<Conversation>>
Gateway::find(const Call& call, const sojourn::SessionInfo& session)
{
    if (session.principal_text() != call.principal) {
        co_return nullptr;
    }
    co_return co_await conversations_.call([&](Conversations& all) {
        const auto entry = all.find(session.reference);
        return entry == all.end() ? nullptr : entry->second;
    });
}

/// The upstream's answer; unless it does not know the session any more, because it was started
/// again, say. Then nobody does.
awaitable<Reply> Gateway::checked(const Call& call, Reply reply)
{
    const auto status = reply.response.result();
    const bool is_forgotten =
        status == http::status::not_found ||
        (status == http::status::bad_request && is_about_unknown_session(reply.response.body()));
    if (!is_forgotten) {
        co_return reply;
    }
    static_cast<void>(co_await service_->remove(call.task.session_id));
    co_return unknown(call);
}

std::string Gateway::principal_of(const Request& request) const
{
    return options_.principal_field.empty() ? std::string()
                                            : std::string(request[options_.principal_field]);
}

Reply Gateway::unknown(const Call& call)
{
    return refused(call, sojourn::errc::not_found);
}

Reply Gateway::refused(const Call& call, const Error& error)
{
    return Reply(
        refusal_answer(call.body.requests, sojourn::http::to_mcp_refusal(error, call.task.revision))
    );
}

} // namespace mcp_gateway

#include "mcp_gateway/relay.hpp"

#include <sojourn/http/mcp_event_id.hpp>
#include <sojourn/http/mcp_refusal.hpp>
#include <sojourn/http/server_sent_event_reader.hpp>
#include <sojourn/http_server/as_result.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <utility>

namespace mcp_gateway {

namespace asio = boost::asio;
using asio::awaitable;
using sojourn::FrameDirection;
using sojourn::http::McpErrorCode;
using sojourn::http::McpEventId;
using sojourn::http::ServerSentEvent;
using sojourn::http::ServerSentEventReader;
using sojourn::http_server::as_result;

namespace {

/// An event may be a picture in a result.
constexpr std::size_t max_event_bytes = std::size_t{16} * 1024 * 1024;

constexpr int bad_gateway = 502;

/// How long an upstream that says nothing of it is left alone before it is asked for the rest of a
/// stream; what it says counts within bounds.
constexpr auto default_retry = std::chrono::seconds(1);
constexpr auto least_retry = std::chrono::milliseconds(10);
constexpr auto most_retry = std::chrono::minutes(1);

} // namespace

Relay::Relay(
    const asio::any_io_executor& strand,
    Stream stream,
    Hold hold,
    std::unique_ptr<UpstreamResponse> response,
    std::vector<RequestId> requests
)
    : strand_(strand),
      stream_(std::move(stream)),
      hold_(std::move(hold)),
      response_(std::move(response)),
      requests_(std::move(requests)),
      patience_(strand),
      retry_(default_retry),
      last_heard_(std::chrono::steady_clock::now())
{
}

Relay::~Relay()
{
    if (mailbox_) {
        mailbox_->close();
    }
}

awaitable<void> Relay::run(std::shared_ptr<Relay> self)
{
    try {
        self->watch_session();
        co_await self->read_all();
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
        // No memory for an event. There may be some for an error.
    }
    self->end();
    try {
        co_await self->answer_the_rest();
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
        // Nor for that. The client sees that the stream has ended.
    }
    self->stop();
}

void Relay::end() noexcept
{
    has_ended_ = true;
    response_->close();
    asking_.emit(asio::cancellation_type::terminal);
}

void Relay::stop() noexcept
{
    patience_.cancel();
    session_watch_.emit(asio::cancellation_type::terminal);
    if (mailbox_) {
        mailbox_->close();
    }
}

std::shared_ptr<Mailbox> Relay::attach(const asio::any_io_executor& reader)
{
    if (mailbox_) {
        mailbox_->discard();
    }
    patience_.cancel();
    mailbox_ = std::make_shared<Mailbox>(reader);
    return mailbox_;
}

void Relay::leave(const std::shared_ptr<Mailbox>& mailbox)
{
    if (mailbox_ == mailbox) {
        wait_for_client();
    }
}

awaitable<void> Relay::read_all()
{
    bool goes_on = true;
    while (goes_on) {
        goes_on = co_await read_to_end();
        if (goes_on) {
            goes_on = co_await has_rest();
        }
    }
}

/// Reads what the upstream sends on one connection. False if it is of no use to ask for more.
awaitable<bool> Relay::read_to_end()
{
    ServerSentEventReader reader(max_event_bytes);
    while (!reader.has_overflowed()) {
        const auto piece = co_await response_->read_some();
        if (!piece || piece->empty()) {
            co_return !has_ended_;
        }
        reader.add(*piece);
        while (auto event = reader.next()) {
            co_await take(*std::move(event));
        }
    }
    co_return false;
}

/// Whether the upstream goes on with the stream when it is asked to.
awaitable<bool> Relay::has_rest()
{
    const auto silent_for = std::chrono::steady_clock::now() - last_heard_;
    if (requests_.empty() || upstream_event_.empty() || silent_for > stream_.silence) {
        co_return false;
    }
    // In a coroutine of its own, since only such a one can be cancelled alone.
    auto asking = ask_for_rest(shared_from_this());
    auto token = asio::bind_cancellation_slot(asking_.slot(), as_result);
    const auto [thrown, is_there] = co_await asio::co_spawn(strand_, std::move(asking), token);
    co_return !thrown && is_there;
}

awaitable<bool> Relay::ask_for_rest(std::shared_ptr<Relay> self)
{
    asio::steady_timer pause(self->strand_, self->retry_);
    const auto [cancelled] = co_await pause.async_wait(as_result);
    if (cancelled) {
        co_return false;
    }
    auto asking = self->stream_.ask_for_rest(self->upstream_event_);
    auto rest = co_await std::move(asking);
    if (!rest || !rest->is_event_stream() || self->has_ended_) {
        co_return false;
    }
    self->response_ = std::move(rest);
    co_return true;
}

/// Takes an event of the upstream, whose names for them mean nothing to the client: it gets ours.
awaitable<void> Relay::take(ServerSentEvent event)
{
    const auto id = std::exchange(event.id, std::nullopt);
    last_heard_ = std::chrono::steady_clock::now();
    if (event.retry) {
        retry_ = std::clamp<std::chrono::milliseconds>(*event.retry, least_retry, most_retry);
    }
    co_await pass_on(std::move(event));
    if (id) {
        upstream_event_ = *id;
    }
}

/// Records an event, and hands it on under its number.
awaitable<void> Relay::pass_on(ServerSentEvent event)
{
    bool is_refusal = false;
    if (const auto& data = event.data; data && !data->empty()) {
        auto answered = take_answered(requests_, *data);
        is_refusal = !answered.empty() && is_error(*data);
        const auto sequence =
            co_await hold_.record(FrameDirection::to_client, *data, stream_.number);
        if (sequence > 0) {
            last_sequence_ = sequence;
            event.id = McpEventId{.stream = stream_.number, .sequence = sequence}.text();
        } else {
            std::ranges::move(answered, std::back_inserter(unrecorded_));
        }
    } else if (event.retry) {
        event.data.reset(); // Older clients take an event without data for an error.
    } else {
        co_return;
    }
    if (mailbox_) {
        // Kept here: another may take its place while we wait.
        const auto mailbox = mailbox_;
        auto text = std::make_shared<const std::string>(event.text());
        static_cast<void>(co_await mailbox->put(std::move(text)));
    }
    if (is_refusal && stream_.on_error) {
        stream_.on_error();
    }
}

awaitable<void> Relay::answer_the_rest()
{
    for (const auto requests = requests_; const auto& request : requests) {
        ServerSentEvent event;
        event.type = "message";
        event.data =
            has_session_ended_
                ? error_body(
                      request,
                      static_cast<int>(McpErrorCode::session_not_found),
                      "the session ended before the answer came"
                  )
                : error_body(request, bad_gateway, "the server ended before it had answered");
        co_await pass_on(std::move(event));
    }
}

void Relay::watch_session()
{
    asio::co_spawn(
        strand_,
        await_session_end(shared_from_this()),
        asio::bind_cancellation_slot(session_watch_.slot(), [](const std::exception_ptr&) {})
    );
}

/// A session that ends takes its streams with it, and it cannot go before they do.
awaitable<void> Relay::await_session_end(std::shared_ptr<Relay> self)
{
    const auto is_over = co_await self->hold_.closed();
    if (is_over) {
        self->has_session_ended_ = true;
        self->end();
    }
}

void Relay::wait_for_client()
{
    patience_.expires_after(stream_.patience);
    patience_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
        const auto self = weak.lock();
        if (!error && self && !self->is_attached()) {
            self->end();
        }
    });
}

} // namespace mcp_gateway

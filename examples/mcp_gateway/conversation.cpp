#include "mcp_gateway/conversation.hpp"

#include "mcp_gateway/answers.hpp"
#include "mcp_gateway/fields.hpp"
#include "mcp_gateway/while_session_lives.hpp"

#include <sojourn/http/server_sent_event.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>

#include <exception>
#include <limits>
#include <utility>

namespace mcp_gateway {

namespace asio = boost::asio;
using asio::awaitable;
using sojourn::FrameDirection;
using sojourn::http::McpEventId;
using sojourn::http::McpRevision;
using sojourn::http::ServerSentEvent;
using sojourn::http_server::Reply;
using sojourn::http_server::Request;
using sojourn::http_server::Response;

namespace {

/// The number of the stream of what the upstream itself has to say. Answers have those after it.
constexpr std::uint32_t own_stream = 1;

/// Streams that are over of which it is known that an answer was lost.
constexpr std::size_t max_unrecorded_streams = 100;

/// An id to come back with for a client that loses its connection before it has got an event. Older
/// clients take an event without data for an error.
std::string priming_event(McpRevision revision, std::uint32_t stream)
{
    if (revision < McpRevision::v2025_11_25) {
        return {};
    }
    ServerSentEvent event;
    event.id = McpEventId{.stream = stream, .sequence = 0}.text();
    event.data = "";
    return event.text();
}

/// A request for what comes after an event, of the same client.
Request request_for_rest(const Request& request)
{
    Request wish(http::verb::get, request.target(), 11);
    pass_on(request, wish);
    wish.erase(http::field::content_type);
    wish.set(http::field::accept, sojourn::http::event_stream_type);
    return wish;
}

/// Errors for requests whose answers are lost.
std::string unrecorded_events(const std::vector<RequestId>& requests)
{
    std::string events;
    for (const auto& request : requests) {
        ServerSentEvent event;
        event.type = "message";
        event.data = error_body(
            request, 502, "the answer came while nobody read it, and there was no room to keep it"
        );
        events += event.text();
    }
    return events;
}

std::string replayed_event(const sojourn::Frame& frame)
{
    ServerSentEvent event;
    event.id = McpEventId{.stream = frame.stream, .sequence = frame.sequence}.text();
    event.type = "message";
    event.data = frame.payload;
    return event.text();
}

/// Says, as long as it is there, that a stream is being opened.
class Opening {
public:
    explicit Opening(bool& is_opening) : is_opening_(is_opening) { is_opening_ = true; }

    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;
    Opening(Opening&&) = delete;
    Opening& operator=(Opening&&) = delete;

    ~Opening() { is_opening_ = false; }

private:
    bool& is_opening_;
};

} // namespace

Conversation::Conversation(
    const asio::any_io_executor& executor, const Upstream& upstream, const Times& times
)
    : strand_(asio::make_strand(executor)),
      upstream_(upstream),
      times_(times),
      last_stream_(own_stream)
{
}

awaitable<Reply> Conversation::deliver(Hold hold, Forwarded message)
{
    const auto self = shared_from_this();
    co_await hold.record(FrameDirection::from_client, message.request.body(), 0);
    auto asked = co_await ask(hold, message);
    if (!asked) {
        co_return Reply(std::move(asked).error());
    }
    auto response = *std::move(asked);
    if (const auto id = response->header()[session_field]; upstream_id_.empty() && !id.empty()) {
        upstream_id_ = id;
    }
    if (response->is_event_stream()) {
        auto header = stream_header_of(*response);
        const auto number = ++last_stream_;
        const auto relay = begin_relay(number, std::move(hold), std::move(response), message);
        auto stream = read_relay(relay, message);
        stream->begin_with(priming_event(message.revision, number));
        co_return Reply(std::move(header), std::move(stream));
    }
    auto answer = co_await whole_answer(*response, message.requests, upstream_.limits().body_time);
    if (!answer.body().empty()) {
        co_await hold.record(FrameDirection::to_client, answer.body(), 0);
    }
    co_return Reply(std::move(answer), hold.take_lease());
}

awaitable<Conversation::Asked> Conversation::ask(const Hold& hold, Forwarded& message) const
{
    prepare(message.request);
    auto asking = upstream_.ask(message.request);
    auto asked = co_await while_session_lives(strand_, hold, std::move(asking));
    if (!asked) {
        co_return session_ended(message.requests);
    }
    auto& response = *asked;
    if (!response) {
        co_return upstream_failed(message.requests, response.error());
    }
    co_return std::move(*response);
}

awaitable<Reply>
Conversation::open_stream(Hold hold, Forwarded wish, std::optional<McpEventId> last_event)
{
    const auto self = shared_from_this();
    const auto number = last_event ? last_event->stream : own_stream;
    const auto relay = find(number);
    const bool is_read = relay && relay->is_attached();
    if ((number == own_stream && is_opening_) || (!last_event && is_read)) {
        co_return Reply(error_answer(
            http::status::conflict, {}, 409, "somebody reads this session's stream already"
        ));
    }
    std::optional<Opening> opening;
    if (number == own_stream && !relay) {
        opening.emplace(is_opening_);
    }
    Response header;
    make_stream(header);
    if (relay) {
        // Whoever read it before has lost it, or its client would not ask. What comes from here on
        // goes to the new one, so what came before is all that there is to replay.
        const auto until = relay->last_sequence();
        auto stream = read_relay(relay, wish);
        if (last_event) {
            auto events = co_await replay(hold, *last_event, until);
            stream->begin_with(std::move(events));
        }
        co_return Reply(std::move(header), std::move(stream));
    }
    std::string replayed;
    if (last_event) {
        replayed = co_await replay(hold, *last_event, std::numeric_limits<std::uint64_t>::max());
    }
    if (number == own_stream) {
        if (last_event && !last_own_event_.empty()) {
            wish.request.set(last_event_field, last_own_event_);
        }
        auto asking = ask_for_own_stream(std::move(hold), std::move(wish), std::move(replayed));
        co_return co_await std::move(asking);
    }
    // Of an answer that is complete, that is all.
    header.body() = std::move(replayed);
    header.prepare_payload();
    co_return Reply(std::move(header));
}

awaitable<Reply> Conversation::ask_for_own_stream(Hold hold, Forwarded wish, std::string replayed)
{
    auto asked = co_await ask(hold, wish);
    if (!asked) {
        co_return Reply(std::move(asked).error());
    }
    auto response = *std::move(asked);
    if (!response->is_event_stream()) {
        // It has nothing to say, most likely: 405. Or it does not know the event.
        last_own_event_.clear();
        auto answer = co_await whole_answer(*response, wish.requests, upstream_.limits().body_time);
        co_return Reply(std::move(answer));
    }
    auto header = stream_header_of(*response);
    const auto relay = begin_relay(own_stream, std::move(hold), std::move(response), wish);
    auto stream = read_relay(relay, wish);
    stream->begin_with(
        replayed.empty() ? priming_event(wish.revision, own_stream) : std::move(replayed)
    );
    co_return Reply(std::move(header), std::move(stream));
}

/// Null if there is no answer to be had.
awaitable<std::unique_ptr<UpstreamResponse>>
Conversation::ask_for_rest(Request request, std::string last_event) const
{
    const auto self = shared_from_this();
    prepare(request);
    request.set(last_event_field, last_event);
    auto asking = upstream_.ask(std::move(request));
    auto asked = co_await std::move(asking);
    if (!asked) {
        co_return nullptr;
    }
    co_return *std::move(asked);
}

/// The events of a stream after this one and up to that number. Those that were dropped from the
/// session's ring are lost, and the gap in the numbers shows it; but a request whose answer never
/// got there has an error.
awaitable<std::string>
Conversation::replay(const Hold& hold, McpEventId last, std::uint64_t until) const
{
    std::string events;
    if (last.stream < own_stream || last.stream > last_stream_) {
        co_return events;
    }
    sojourn::FrameQuery query;
    query.after(last.sequence).stream(static_cast<std::uint32_t>(last.stream));
    for (bool has_more = true; has_more;) {
        const auto page = co_await hold.frames(query);
        if (!page) {
            co_return events;
        }
        for (const auto& frame : page->frames) {
            if (frame->sequence <= until && frame->direction == FrameDirection::to_client) {
                events += replayed_event(*frame);
            }
        }
        query.after(page->next);
        has_more = page->next < page->newest && page->next < until;
    }
    const auto relay = find(last.stream);
    const auto over = unrecorded_.find(static_cast<std::uint32_t>(last.stream));
    if (relay) {
        events += unrecorded_events(relay->unrecorded());
    } else if (over != unrecorded_.end()) {
        events += unrecorded_events(over->second);
    }
    co_return events;
}

awaitable<void> Conversation::tell_end()
{
    const auto self = shared_from_this();
    for (const auto& [number, relay] : relays_) {
        relay->end();
    }
    if (upstream_id_.empty()) {
        co_return;
    }
    Request request(http::verb::delete_, "/", 11);
    prepare(request);
    const auto limit = upstream_.limits().end_time;
    auto asked = co_await upstream_.ask(std::move(request), limit);
    if (asked) {
        static_cast<void>(co_await (*asked)->read_all(limit));
    }
}

std::shared_ptr<Relay> Conversation::find(std::uint64_t number) const
{
    for (const auto& [other, relay] : relays_) {
        if (other == number) {
            return relay;
        }
    }
    return nullptr;
}

std::unique_ptr<RelayBody>
Conversation::read_relay(const std::shared_ptr<Relay>& relay, const Forwarded& wish) const
{
    const auto at_stop =
        relay->number() == own_stream ? RelayBody::AtStop::end : RelayBody::AtStop::go_on;
    return std::make_unique<RelayBody>(
        strand_,
        relay,
        wish.reader,
        RelayBody::Manner{.keep_alive = times_.keep_alive, .at_stop = at_stop}
    );
}

std::shared_ptr<Relay> Conversation::begin_relay(
    std::uint32_t number, Hold hold, std::unique_ptr<UpstreamResponse> response, Forwarded& asked
)
{
    auto relay = std::make_shared<Relay>(
        strand_,
        Relay::Stream{
            .number = number,
            .patience = times_.patience,
            .on_error = std::move(asked.on_error),
            // Weak, as the conversation holds its relays.
            .ask_for_rest = [weak = weak_from_this(),
                             request = request_for_rest(asked.request)](std::string last
                            ) { return weak.lock()->ask_for_rest(request, std::move(last)); },
            .silence = upstream_.limits().silence
        },
        std::move(hold),
        std::move(response),
        std::move(asked.requests)
    );
    relays_[number] = relay;
    asio::co_spawn(
        strand_,
        Relay::run(relay),
        [self = shared_from_this(), relay](const std::exception_ptr& /*no memory*/) {
            self->end_relay(relay);
        }
    );
    return relay;
}

void Conversation::end_relay(const std::shared_ptr<Relay>& relay)
{
    const auto entry = relays_.find(relay->number());
    if (entry == relays_.end() || entry->second != relay) {
        return;
    }
    relays_.erase(entry);
    if (relay->number() == own_stream) {
        last_own_event_ = relay->upstream_event();
    }
    if (!relay->unrecorded().empty()) {
        if (unrecorded_.size() == max_unrecorded_streams) {
            unrecorded_.erase(unrecorded_.begin());
        }
        unrecorded_[relay->number()] = relay->unrecorded();
    }
}

/// The client's names for the session and its events mean nothing to the upstream.
void Conversation::prepare(Request& request) const
{
    if (!upstream_id_.empty()) {
        request.set(session_field, upstream_id_);
    }
}

} // namespace mcp_gateway

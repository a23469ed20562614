#include "sojourn/http_server/connection.hpp"

#include "sojourn/http_server/as_result.hpp"
#include "sojourn/http_server/responses.hpp"
#include "sojourn/http_server/socket_ends.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/system/errc.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sojourn::http_server {

namespace asio = boost::asio;

namespace {

/// The most that is buffered of what a client sent ahead; a little more than a header may have, so
/// that a header is refused for its own size.
constexpr std::size_t bytes_beyond_header = std::size_t{8} * 1024;

/// The most that is written in one go of a stream.
constexpr std::size_t piece_bytes = std::size_t{64} * 1024;

/// The most that is read of what a client sends while it is sent a stream.
constexpr std::size_t read_ahead_bytes = std::size_t{4} * 1024;

/// The most that is read and thrown away of what a client sends after its last answer.
constexpr std::size_t discarded_bytes_max = std::size_t{1024} * 1024;

bool is_about_http(boost::system::error_code error)
{
    return error.category() == http::make_error_code(http::error::bad_version).category();
}

/// Whether we can tell where the body ends. Beast takes every coding but a final `chunked` for no
/// body at all, and what the client meant as a body would be the next request. RFC 9112 6.1 and 6.3
/// let us refuse all that we do not know, and what a client of HTTP/1.0 cannot mean.
bool has_known_framing(const Request& request)
{
    const auto [first, last] = request.equal_range(http::field::transfer_encoding);
    if (first == last) {
        return true;
    }
    return request.version() >= 11 && std::next(first) == last &&
           boost::beast::iequals(first->value(), "chunked");
}

/// Whom we talk to. In IPv6 a client has as many addresses as it likes with the same first 64 bits.
std::string address_of(const Socket& socket)
{
    boost::system::error_code error;
    const auto endpoint = to_tcp(socket.remote_endpoint(error));
    if (error || !endpoint) {
        return {};
    }
    const auto address = endpoint->address();
    if (!address.is_v6()) {
        return address.to_string();
    }
    if (address.to_v6().is_v4_mapped()) {
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
    }
    auto bytes = address.to_v6().to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return asio::ip::address_v6(bytes).to_string();
}

/// RFC 9112: a request of HTTP/1.1 names its host exactly once, or is answered 400.
bool names_its_host(const Request& request)
{
    const auto [first, last] = request.equal_range(http::field::host);
    const auto count = std::distance(first, last);
    return count == 1 || (count == 0 && request.version() < 11);
}

bool wants_to_be_told_to_continue(const Request& request)
{
    return request.version() >= 11 &&
           boost::beast::iequals(request[http::field::expect], "100-continue");
}

} // namespace

/// Writes parts of a body as chunks, as RFC 9112 7.1 has them.
class Connection::PartWriter : public StreamWriter {
public:
    PartWriter(Connection& connection, bool has_chunks)
        : connection_(connection), has_chunks_(has_chunks)
    {
    }

    asio::awaitable<bool> write(std::string_view part) override
    {
        if (connection_.is_client_gone_) {
            co_return false;
        }
        ErrorCode error;
        while (!error && !part.empty()) {
            // Piece by piece: the client has its time for each, so one that reads is not cut off.
            const auto bytes = asio::buffer(part.substr(0, piece_bytes));
            part.remove_prefix(bytes.size());
            if (has_chunks_) {
                error = co_await connection_.write_some(http::make_chunk(bytes));
            } else {
                error = co_await connection_.write_some(bytes);
            }
        }
        if (error) {
            connection_.is_client_gone_ = true;
        }
        co_return !error;
    }

private:
    Connection& connection_;
    bool has_chunks_;
};

Connection::Connection(Socket socket, Responder& responder, const Limits& limits)
    : socket_(std::move(socket)),
      executor_(socket_.get_executor()),
      responder_(responder),
      limits_(limits),
      peer_(address_of(socket_)),
      buffer_(limits.header_bytes + bytes_beyond_header),
      timer_(executor_),
      reading_ahead_has_ended_(executor_)
{
}

asio::awaitable<void> Connection::serve(std::shared_ptr<Connection> self)
{
    try {
        co_await self->serve_requests();
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
        // No memory, and no way to say so.
    }
    self->allow_no_more();
    close_quietly(self->socket_);
}

void Connection::finish()
{
    asio::post(executor_, [self = shared_from_this()] {
        self->is_finishing_ = true;
        if (self->stream_ != nullptr) {
            self->stream_->finish();
        }
        if (self->is_idle_) {
            // Cancelled, not shut down: if a request has just come in after all, it is answered.
            stop_waiting(self->socket_);
        }
    });
}

void Connection::abort()
{
    asio::post(executor_, [self = shared_from_this()] { self->on_time_up(TimeUp::close); });
}

asio::awaitable<void> Connection::serve_requests()
{
    auto patience = limits_.request_time;
    while (co_await await_request(patience)) {
        if (co_await exchange() == Next::end) {
            co_return;
        }
        patience = limits_.keep_alive_time;
    }
}

/// Waits for the first bytes of the next request; false if there will be none. A connection that is
/// finishing does not wait, but does not drop what has come already.
asio::awaitable<bool> Connection::await_request(std::chrono::milliseconds patience)
{
    if (buffer_.size() > 0) {
        co_return true;
    }
    if (is_finishing_) {
        co_return has_unread(socket_);
    }
    constexpr std::size_t chunk = 4096;
    is_idle_ = true;
    allow(patience, TimeUp::stop_waiting);
    const auto [error, length] =
        co_await socket_.async_read_some(buffer_.prepare(chunk), as_result);
    allow_no_more();
    is_idle_ = false;
    buffer_.commit(length);
    // A wait that was ended may have been ended just after something came.
    co_return !error || (error == asio::error::operation_aborted && has_unread(socket_));
}

/// Reads a request, or what is left of one, and answers it.
asio::awaitable<Connection::Next> Connection::exchange()
{
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
    parser.body_limit(limits_.body_bytes);

    allow(limits_.request_time, TimeUp::stop_reading);
    const auto error = co_await read(parser);
    allow_no_more();
    if (error && !is_about_http(error)) {
        co_return Next::end; // Nobody is there to be answered.
    }

    const auto& request = parser.get();
    auto reply = co_await answer(request, error);
    if (is_client_gone_ || is_reading_ahead_) {
        co_return Next::end;
    }
    const bool goes_on = !error && request.keep_alive() && !is_finishing_;
    if (!error) {
        reply.response.version(request.version());
    }
    reply.response.keep_alive(goes_on);

    const auto method = error ? http::verb::unknown : request.method();
    ErrorCode write_error;
    if (reply.stream) {
        write_error = co_await write_stream(reply.response, method, *reply.stream);
        reply.stream.reset();
    } else {
        write_error = co_await write(reply.response, method);
    }
    reply.lease.release();
    if (write_error) {
        co_return Next::end;
    }
    if (!goes_on) {
        co_await part();
        co_return Next::end;
    }
    co_return Next::request;
}

asio::awaitable<Connection::ErrorCode> Connection::read(Parser& parser)
{
    const auto [header_error, header_length] =
        co_await http::async_read_header(socket_, buffer_, parser, as_result);
    if (header_error) {
        co_return header_error;
    }
    if (!has_known_framing(parser.get())) {
        co_return http::make_error_code(http::error::bad_transfer_encoding);
    }
    if (parser.is_done()) {
        co_return ErrorCode();
    }
    if (wants_to_be_told_to_continue(parser.get())) {
        constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        const auto [error, length] =
            co_await asio::async_write(socket_, asio::buffer(go_on), as_result);
        if (error) {
            co_return error;
        }
    }
    // Beast adds the trailer fields of a chunked body to those of the header, where nobody could
    // tell them apart. RFC 9110 6.5.1 forbids that: a cookie in a trailer, say, is none.
    auto header = parser.get().base();
    const auto [body_error, body_length] =
        co_await http::async_read(socket_, buffer_, parser, as_result);
    parser.get().base() = std::move(header);
    co_return body_error;
}

asio::awaitable<Reply> Connection::answer(const Request& request, ErrorCode error)
{
    if (error) {
        co_return Reply(refusal_of(error));
    }
    if (!names_its_host(request)) {
        co_return Reply(bad_request("Host", "must be there exactly once"));
    }
    try {
        co_return co_await ask_responder(request);
    } catch (const std::exception&) {
        // No memory, most likely. The next request may find some.
        co_return Reply(refusal(http::status::internal_server_error, "internal"));
    }
}

asio::awaitable<Reply> Connection::ask_responder(const Request& request)
{
    if (!responder_.is_cancelled_with_client(request)) {
        co_return co_await responder_.answer(request, peer_);
    }
    std::optional<Reply> reply;
    auto answering = answer_into(request, reply);
    const auto exception = co_await run_with_client(std::move(answering));
    if (exception) {
        std::rethrow_exception(exception);
    }
    // NOLINTNEXTLINE(bugprone-unchecked-optional-access): it is filled, or something was thrown
    co_return *std::move(reply);
}

asio::awaitable<void> Connection::answer_into(const Request& request, std::optional<Reply>& reply)
{
    reply.emplace(co_await responder_.answer(request, peer_));
}

asio::awaitable<Connection::ErrorCode>
Connection::write(const Response& response, http::verb method)
{
    http::response_serializer<http::string_body> serializer(response);
    allow(limits_.response_time, TimeUp::close);
    ErrorCode error;
    if (method == http::verb::head) {
        const auto [header_error, length] =
            co_await http::async_write_header(socket_, serializer, as_result);
        error = header_error;
    } else {
        const auto [message_error, length] =
            co_await http::async_write(socket_, serializer, as_result);
        error = message_error;
    }
    allow_no_more();
    co_return error;
}

/// Writes a header, and then what the body gives, a chunk for each part; a client of HTTP/1.0 knows
/// no chunks, and sees the end by the connection's.
asio::awaitable<Connection::ErrorCode>
Connection::write_stream(const Response& response, http::verb method, StreamBody& body)
{
    http::response<http::empty_body> header(response.base());
    header.erase(http::field::content_length);
    const bool has_chunks = header.version() >= 11;
    header.chunked(has_chunks);
    if (!has_chunks) {
        header.keep_alive(false);
    }
    http::response_serializer<http::empty_body> serializer(header);
    allow(limits_.response_time, TimeUp::close);
    const auto [error, length] = co_await http::async_write_header(socket_, serializer, as_result);
    allow_no_more();
    if (error || method == http::verb::head) {
        co_return error;
    }

    PartWriter writer(*this, has_chunks);
    const bool is_whole = co_await run(body, writer);
    if (!is_whole || !has_chunks) {
        co_return make_error_code(boost::system::errc::connection_aborted);
    }
    co_return co_await write_some(http::make_chunk_last());
}

/// Runs a body to its end; false if it did not get there.
asio::awaitable<bool> Connection::run(StreamBody& body, PartWriter& writer)
{
    stream_ = &body;
    if (is_finishing_) {
        body.finish();
    }
    const auto exception = co_await run_with_client(body.write_to(writer));
    stream_ = nullptr;
    co_return !exception && !is_client_gone_;
}

/// Runs what is of no use without the client, and returns what it threw. All the while the client
/// is listened to: the work may wait for long, and should not once nobody is there.
asio::awaitable<std::exception_ptr> Connection::run_with_client(asio::awaitable<void> work)
{
    runs_with_client_ = true;
    std::exception_ptr failure;
    try {
        buffer_.reserve(std::min(buffer_.max_size(), buffer_.size() + read_ahead_bytes));
        read_ahead();
        // In a coroutine of its own, since only such a one can be cancelled alone.
        const auto [thrown] = co_await asio::co_spawn(
            executor_, std::move(work), asio::bind_cancellation_slot(client_gone_.slot(), as_result)
        );
        failure = thrown;
    } catch (const std::exception&) {
        failure = std::current_exception();
    }
    runs_with_client_ = false;
    co_await stop_reading_ahead();
    co_return failure;
}

template <class Buffers>
asio::awaitable<Connection::ErrorCode> Connection::write_some(Buffers buffers)
{
    allow(limits_.response_time, TimeUp::close);
    const auto [error, length] = co_await asio::async_write(socket_, buffers, as_result);
    allow_no_more();
    co_return error;
}

/// Reads what comes meanwhile: some of the next request, and then the client's end.
/// As much as the buffer holds; a client that sends more ahead is not listened to any longer.
void Connection::read_ahead()
{
    const auto room = buffer_.capacity() - buffer_.size();
    if (!runs_with_client_ || room == 0) {
        return;
    }
    is_reading_ahead_ = true;
    socket_.async_read_some(
        buffer_.prepare(room),
        [self = shared_from_this()](ErrorCode error, std::size_t length) {
            self->on_read_ahead(error, length);
        }
    );
}

void Connection::on_read_ahead(ErrorCode error, std::size_t length)
{
    is_reading_ahead_ = false;
    reading_ahead_has_ended_.cancel();
    buffer_.commit(length);
    if (error) {
        on_client_gone();
        return;
    }
    try {
        read_ahead();
    } catch (const std::exception&) {
        // No memory. Whether the client is there shows when something is written to it.
        is_reading_ahead_ = false;
    }
}

asio::awaitable<void> Connection::stop_reading_ahead()
{
    if (is_reading_ahead_) {
        stop_waiting(socket_);
        reading_ahead_has_ended_.expires_at(asio::steady_timer::time_point::max());
        co_await reading_ahead_has_ended_.async_wait(as_result);
    }
}

void Connection::on_client_gone()
{
    if (runs_with_client_) {
        is_client_gone_ = true;
        client_gone_.emit(asio::cancellation_type::terminal);
    }
}

/// Ends the connection so that the client surely gets its last answer. Were the socket closed while
/// something that the client sent lies unread, the kernel would reset the connection, and the
/// answer could be lost; so we say that we are done, and read until the client is.
asio::awaitable<void> Connection::part()
{
    end_writing(socket_);
    ErrorCode error;
    std::array<char, 4096> discarded{};
    std::size_t total = 0;
    allow(limits_.linger_time, TimeUp::close);
    while (!error && total < discarded_bytes_max) {
        const auto [read_error, length] =
            co_await socket_.async_read_some(asio::buffer(discarded), as_result);
        error = read_error;
        total += length;
    }
    allow_no_more();
}

Response Connection::refusal_of(ErrorCode error) const
{
    if (is_late_) {
        return refusal(http::status::request_timeout, "request_timeout");
    }
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
        return refusal(http::status::request_header_fields_too_large, "header_too_large");
    }
    if (error == http::error::body_limit) {
        return refusal(http::status::payload_too_large, "body_too_large");
    }
    if (error == http::error::bad_transfer_encoding) {
        return bad_request(
            "Transfer-Encoding", "must be chunked and nothing else, in HTTP/1.1, without a length"
        );
    }
    return refusal(http::status::bad_request, "bad_request");
}

/// Gives the client this much time for what it does next.
void Connection::allow(std::chrono::milliseconds time, TimeUp then)
{
    timer_.expires_after(time);
    timer_.async_wait([weak = weak_from_this(), allowance = ++allowance_, then](ErrorCode) {
        const auto self = weak.lock();
        if (self && self->allowance_ == allowance) {
            self->on_time_up(then);
        }
    });
}

void Connection::allow_no_more()
{
    ++allowance_;
    timer_.cancel();
}

void Connection::on_time_up(TimeUp then)
{
    switch (then) {
    case TimeUp::stop_waiting:
        stop_waiting(socket_);
        break;
    case TimeUp::stop_reading:
        // Ends this read and all that follow; a cancel would miss the moment between two of them.
        is_late_ = true;
        stop_reading(socket_);
        break;
    case TimeUp::close:
        close_quietly(socket_);
        on_client_gone();
        break;
    }
}

} // namespace sojourn::http_server

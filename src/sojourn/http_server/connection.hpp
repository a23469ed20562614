/// @file
/// One client's connection: reads requests one after the other, and writes their answers. Whatever
/// the client sends or fails to send ends within the limits, and ends this connection only.

#ifndef SOJOURN_HTTP_SERVER_CONNECTION_HPP
#define SOJOURN_HTTP_SERVER_CONNECTION_HPP

#include "sojourn/http_server/limits.hpp"
#include "sojourn/http_server/message.hpp"
#include "sojourn/http_server/protocol.hpp"
#include "sojourn/http_server/responder.hpp"
#include "sojourn/http_server/stream_body.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>

namespace sojourn::http_server {

/// A connection. Made by `make_shared`.
///
/// *Thread safety*: `finish` and `abort`, any thread; the rest runs on the socket's executor, which
/// must be a strand or belong to one thread. *Lifetime*: its coroutine keeps it alive; the
/// responder and the limits must outlive it.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(Socket socket, Responder& responder, const Limits& limits);

    /// Serves requests until either side ends it.
    static boost::asio::awaitable<void> serve(std::shared_ptr<Connection> self);

    /// Ends it after the request that it is about to read, answer or have answered, and after one
    /// of which anything has come; at once if it idles.
    void finish();

    /// Ends it at once.
    void abort();

    [[nodiscard]] const boost::asio::any_io_executor& executor() { return executor_; }

private:
    class PartWriter;

    using Parser = http::request_parser<http::string_body>;
    using ErrorCode = boost::system::error_code;

    /// What happens when the client's time is up.
    enum class TimeUp : std::uint8_t { stop_waiting, stop_reading, close };

    /// What comes after a response.
    enum class Next : std::uint8_t { request, end };

    boost::asio::awaitable<void> serve_requests();
    boost::asio::awaitable<bool> await_request(std::chrono::milliseconds patience);
    boost::asio::awaitable<Next> exchange();
    boost::asio::awaitable<ErrorCode> read(Parser& parser);
    boost::asio::awaitable<Reply> answer(const Request& request, ErrorCode error);
    boost::asio::awaitable<Reply> ask_responder(const Request& request);
    boost::asio::awaitable<void> answer_into(const Request& request, std::optional<Reply>& reply);
    boost::asio::awaitable<ErrorCode> write(const Response& response, http::verb method);
    boost::asio::awaitable<ErrorCode>
    write_stream(const Response& response, http::verb method, StreamBody& body);
    boost::asio::awaitable<bool> run(StreamBody& body, PartWriter& writer);
    boost::asio::awaitable<std::exception_ptr> run_with_client(boost::asio::awaitable<void> work);
    template <class Buffers>
    boost::asio::awaitable<ErrorCode> write_some(Buffers buffers);
    boost::asio::awaitable<void> part();

    void read_ahead();
    void on_read_ahead(ErrorCode error, std::size_t length);
    boost::asio::awaitable<void> stop_reading_ahead();
    void on_client_gone();

    [[nodiscard]] Response refusal_of(ErrorCode error) const;
    void allow(std::chrono::milliseconds time, TimeUp then);
    void allow_no_more();
    void on_time_up(TimeUp then);

    Socket socket_;
    boost::asio::any_io_executor executor_;
    Responder& responder_;
    const Limits& limits_;
    /// Clients that are one to whoever counts them: an IPv4 address, the network of an IPv6
    /// address, or nothing.
    const std::string peer_;
    boost::beast::flat_buffer buffer_;
    boost::asio::steady_timer timer_;
    /// Tells a time that is up from one that was, but is not any more.
    std::uint64_t allowance_ = 0;
    bool is_idle_ = false;
    bool is_late_ = false;
    bool is_finishing_ = false;
    /// The body that is streamed, if one is.
    StreamBody* stream_ = nullptr;
    /// Cancels what is of no use without the client.
    boost::asio::cancellation_signal client_gone_;
    boost::asio::steady_timer reading_ahead_has_ended_;
    bool runs_with_client_ = false;
    bool is_reading_ahead_ = false;
    bool is_client_gone_ = false;
};

} // namespace sojourn::http_server

#endif // SOJOURN_HTTP_SERVER_CONNECTION_HPP

/// @file
/// The body of a response that is made while it is sent: of unknown length, or without an end.

#ifndef SOJOURN_HTTP_SERVER_STREAM_BODY_HPP
#define SOJOURN_HTTP_SERVER_STREAM_BODY_HPP

#include <boost/asio/awaitable.hpp>

#include <string_view>

namespace sojourn::http_server {

/// Sends the parts of a body to a client. *Thread safety*: one coroutine, on the connection's
/// executor.
class StreamWriter {
public:
    StreamWriter() = default;
    StreamWriter(const StreamWriter&) = delete;
    StreamWriter& operator=(const StreamWriter&) = delete;
    StreamWriter(StreamWriter&&) = delete;
    StreamWriter& operator=(StreamWriter&&) = delete;
    virtual ~StreamWriter() = default;

    /// Sends a part as it is, at once, and completes when it is on its way: a slow client slows
    /// down who writes. One that takes nothing for `Limits::response_time` is cut off. False if the
    /// client is gone; then nothing that is written gets to it any more.
    [[nodiscard]] virtual boost::asio::awaitable<bool> write(std::string_view part) = 0;
};

/// Makes such a body.
class StreamBody {
public:
    StreamBody() = default;
    StreamBody(const StreamBody&) = delete;
    StreamBody& operator=(const StreamBody&) = delete;
    StreamBody(StreamBody&&) = delete;
    StreamBody& operator=(StreamBody&&) = delete;
    virtual ~StreamBody() = default;

    /// Writes the body from its beginning to its end, on the connection's executor.
    ///
    /// *Cancellation*: when the client has gone, or the server cuts it off, it is cancelled
    /// (terminal), and must come to an end soon: the connection waits for it. What it throws, or
    /// being cancelled, leaves the body without its end, and a client of HTTP/1.1 can tell.
    [[nodiscard]] virtual boost::asio::awaitable<void> write_to(StreamWriter& writer) = 0;

    /// The server stops, and waits for those it serves: a body without an end should come to one.
    /// Called on the connection's executor while `write_to` waits for something, or before.
    virtual void finish() noexcept {}
};

} // namespace sojourn::http_server

#endif // SOJOURN_HTTP_SERVER_STREAM_BODY_HPP

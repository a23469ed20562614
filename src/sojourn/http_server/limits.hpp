/// @file
/// How much a client may ask of the server, in bytes, in time and in connections. Whatever a client
/// does, its connection ends within these; tests make them short.

#ifndef SOJOURN_HTTP_SERVER_LIMITS_HPP
#define SOJOURN_HTTP_SERVER_LIMITS_HPP

#include <chrono>
#include <cstddef>

namespace sojourn::http_server {

struct Limits {
    /// Connections that are served at once; one more is answered 503 and closed. Fewer than the
    /// 1024 file descriptors that a process may usually have: without one left to accept it with, a
    /// client would get no answer at all.
    std::size_t connections = 900;
    /// Bytes of a request's first line and its header; beyond: 431.
    std::size_t header_bytes = std::size_t{8} * 1024;
    /// Bytes of a request's body; beyond: 413.
    std::size_t body_bytes = std::size_t{64} * 1024;
    /// From a request's first byte to its last; beyond: 408. Also for the first byte of the first
    /// request, where silence ends the connection without a word.
    std::chrono::milliseconds request_time = std::chrono::seconds(10);
    /// How long a connection may idle between requests; beyond, it is closed.
    std::chrono::milliseconds keep_alive_time = std::chrono::seconds(60);
    /// From a response's first byte to its last; beyond, the connection is closed.
    std::chrono::milliseconds response_time = std::chrono::seconds(10);
    /// How long to listen, after the last response, for the client to close first.
    std::chrono::milliseconds linger_time = std::chrono::seconds(2);
    /// How long `Server::stop` waits for the requests in flight; beyond, they are cut off.
    std::chrono::milliseconds stop_time = std::chrono::seconds(10);
    /// The pause after a connection could not be accepted, for want of file descriptors mostly.
    std::chrono::milliseconds accept_pause = std::chrono::milliseconds(100);
};

} // namespace sojourn::http_server

#endif // SOJOURN_HTTP_SERVER_LIMITS_HPP

/// @file
/// The ways to end what goes on at a socket, and to see what would be lost. None of them can fail
/// in a way that matters: where it does, the other side is gone already.

#ifndef SOJOURN_HTTP_SERVER_SOCKET_ENDS_HPP
#define SOJOURN_HTTP_SERVER_SOCKET_ENDS_HPP

#include "sojourn/http_server/protocol.hpp"

#include <boost/system/error_code.hpp>

namespace sojourn::http_server {

/// Ends the operations that wait right now, at a socket or an acceptor.
template <class AnySocket>
void stop_waiting(AnySocket& socket)
{
    boost::system::error_code ignored;
    ignored = socket.cancel(ignored);
}

/// Ends the reading that goes on, and all that follows.
inline void stop_reading(Socket& socket)
{
    boost::system::error_code ignored;
    ignored = socket.shutdown(Socket::shutdown_receive, ignored);
}

/// Says that nothing more will be written.
inline void end_writing(Socket& socket)
{
    boost::system::error_code ignored;
    ignored = socket.shutdown(Socket::shutdown_send, ignored);
}

/// Whether something came that was not read yet.
inline bool has_unread(const Socket& socket)
{
    boost::system::error_code ignored;
    return socket.available(ignored) > 0;
}

/// Closes a socket, or an acceptor.
template <class AnySocket>
void close_quietly(AnySocket& socket)
{
    boost::system::error_code ignored;
    ignored = socket.close(ignored);
}

} // namespace sojourn::http_server

#endif // SOJOURN_HTTP_SERVER_SOCKET_ENDS_HPP

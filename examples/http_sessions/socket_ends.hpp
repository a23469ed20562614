/// @file
/// The ways to end what goes on at a socket, and to see what would be lost. None of them can fail
/// in a way that matters: where it does, the other side is gone already.

#ifndef HTTP_SESSIONS_SOCKET_ENDS_HPP
#define HTTP_SESSIONS_SOCKET_ENDS_HPP

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

namespace http_sessions {

/// Ends the operations that wait right now, at a socket or an acceptor.
template <class Socket>
void stop_waiting(Socket& socket)
{
    boost::system::error_code ignored;
    ignored = socket.cancel(ignored);
}

/// Ends the reading that goes on, and all that follows.
inline void stop_reading(boost::asio::ip::tcp::socket& socket)
{
    boost::system::error_code ignored;
    ignored = socket.shutdown(boost::asio::ip::tcp::socket::shutdown_receive, ignored);
}

/// Says that nothing more will be written.
inline void end_writing(boost::asio::ip::tcp::socket& socket)
{
    boost::system::error_code ignored;
    ignored = socket.shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
}

/// Whether something came that was not read yet.
inline bool has_unread(const boost::asio::ip::tcp::socket& socket)
{
    boost::system::error_code ignored;
    return socket.available(ignored) > 0;
}

/// Closes a socket, or an acceptor.
template <class Socket>
void close_quietly(Socket& socket)
{
    boost::system::error_code ignored;
    ignored = socket.close(ignored);
}

} // namespace http_sessions

#endif // HTTP_SESSIONS_SOCKET_ENDS_HPP

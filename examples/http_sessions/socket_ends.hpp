/// @file
/// The ways to end what goes on at a socket. None of them can fail in a way that matters: where it
/// does, the other side is gone already.

#ifndef HTTP_SESSIONS_SOCKET_ENDS_HPP
#define HTTP_SESSIONS_SOCKET_ENDS_HPP

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

namespace http_sessions {

/// Ends the operations that wait right now.
inline void stop_waiting(boost::asio::ip::tcp::socket& socket)
{
    boost::system::error_code ignored;
    static_cast<void>(socket.cancel(ignored));
}

/// Ends the reading that goes on, and all that follows.
inline void stop_reading(boost::asio::ip::tcp::socket& socket)
{
    boost::system::error_code ignored;
    static_cast<void>(socket.shutdown(boost::asio::ip::tcp::socket::shutdown_receive, ignored));
}

/// Says that nothing more will be written.
inline void end_writing(boost::asio::ip::tcp::socket& socket)
{
    boost::system::error_code ignored;
    static_cast<void>(socket.shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored));
}

/// Closes a socket, or an acceptor.
template <class Socket>
void close_quietly(Socket& socket)
{
    boost::system::error_code ignored;
    static_cast<void>(socket.close(ignored));
}

} // namespace http_sessions

#endif // HTTP_SESSIONS_SOCKET_ENDS_HPP

/// @file
/// What a server listens on: TCP or a Unix domain socket, told apart only where it matters.

#ifndef SOJOURN_HTTP_SERVER_PROTOCOL_HPP
#define SOJOURN_HTTP_SERVER_PROTOCOL_HPP

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <optional>

namespace sojourn::http_server {

using Protocol = boost::asio::generic::stream_protocol;
using Socket = Protocol::socket;
using Acceptor = boost::asio::basic_socket_acceptor<Protocol>;

/// The same endpoint if it is one of TCP.
[[nodiscard]] std::optional<boost::asio::ip::tcp::endpoint>
to_tcp(const Protocol::endpoint& endpoint);

} // namespace sojourn::http_server

#endif // SOJOURN_HTTP_SERVER_PROTOCOL_HPP

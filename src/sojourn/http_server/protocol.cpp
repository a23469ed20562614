#include "sojourn/http_server/protocol.hpp"

#include <boost/asio/detail/socket_types.hpp>

#include <cstring>

namespace sojourn::http_server {

std::optional<boost::asio::ip::tcp::endpoint> to_tcp(const Protocol::endpoint& endpoint)
{
    boost::asio::ip::tcp::endpoint tcp;
    const auto family = endpoint.protocol().family();
    if ((family != AF_INET && family != AF_INET6) || endpoint.size() > tcp.capacity()) {
        return std::nullopt;
    }
    // Both hold what the kernel calls an address; neither makes one from the other.
    std::memcpy(tcp.data(), endpoint.data(), endpoint.size());
    tcp.resize(endpoint.size());
    return tcp;
}

} // namespace sojourn::http_server

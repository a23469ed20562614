/// @file
/// All that can be set about the gateway.

#ifndef MCP_GATEWAY_GATEWAY_OPTIONS_HPP
#define MCP_GATEWAY_GATEWAY_OPTIONS_HPP

#include "mcp_gateway/upstream.hpp"

#include <sojourn/admin/options.hpp>
#include <sojourn/core/service_options.hpp>
#include <sojourn/http/allowed_origins.hpp>
#include <sojourn/http_server/limits.hpp>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace mcp_gateway {

struct GatewayOptions {
    GatewayOptions()
    {
        limits.body_bytes = std::size_t{4} * 1024 * 1024;
        limits.stop_time = std::chrono::seconds(30);
    }

    /// Where to listen; port 0 is any that is free.
    boost::asio::ip::tcp::endpoint listen{boost::asio::ip::address_v4::loopback(), 8090};
    UpstreamAddress upstream;
    /// How long it may take.
    Upstream::Limits upstream_limits;
    /// Threads that serve.
    unsigned threads = 1;
    /// Where all come from one address, as behind a proxy, no creation rate would be fair to them.
    sojourn::ServiceOptions service = sojourn::ServiceOptions()
                                          .creation_rate(sojourn::RateLimit::unlimited())
                                          .max_frames_per_session(256)
                                          .max_frame_bytes_per_session(std::size_t{1} << 20U);
    sojourn::http_server::Limits limits;
    /// How long an answer that nobody reads is waited for: its client may come back.
    std::chrono::milliseconds patience = std::chrono::minutes(5);
    /// How often something is said on a stream that has nothing to say: more often than those on
    /// the way lose patience with it.
    std::chrono::milliseconds keep_alive = std::chrono::seconds(15);
    /// Pages that may call, besides those that always may.
    std::vector<sojourn::http::Origin> origins;
    /// The field in which a proxy before this one names the verified user; empty if there is none.
    std::string principal_field;
    /// For those who run it; none if there are no options.
    std::optional<sojourn::admin::Options> admin;
};

} // namespace mcp_gateway

#endif // MCP_GATEWAY_GATEWAY_OPTIONS_HPP

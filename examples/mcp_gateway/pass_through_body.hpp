/// @file
/// A body that is the upstream's, byte for byte, as it comes.

#ifndef MCP_GATEWAY_PASS_THROUGH_BODY_HPP
#define MCP_GATEWAY_PASS_THROUGH_BODY_HPP

#include "mcp_gateway/upstream.hpp"

#include <sojourn/http_server/stream_body.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <stdexcept>
#include <utility>

namespace mcp_gateway {

/// When the client goes, the upstream's connection is closed: since 2026-07-28 that cancels the
/// request.
class PassThroughBody : public sojourn::http_server::StreamBody {
public:
    explicit PassThroughBody(std::unique_ptr<UpstreamResponse> response)
        : response_(std::move(response))
    {
    }

    [[nodiscard]] boost::asio::awaitable<void> write_to(sojourn::http_server::StreamWriter& writer
    ) override
    {
        bool is_there = true;
        while (is_there) {
            const auto piece = co_await response_->read_some();
            if (!piece) {
                // The client can tell that there should have been more.
                throw std::runtime_error("the upstream broke off");
            }
            if (piece->empty()) {
                co_return;
            }
            is_there = co_await writer.write(*piece);
        }
    }

private:
    std::unique_ptr<UpstreamResponse> response_;
};

} // namespace mcp_gateway

#endif // MCP_GATEWAY_PASS_THROUGH_BODY_HPP

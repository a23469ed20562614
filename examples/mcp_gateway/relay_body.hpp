/// @file
/// A stream as the body of a response.

#ifndef MCP_GATEWAY_RELAY_BODY_HPP
#define MCP_GATEWAY_RELAY_BODY_HPP

#include "mcp_gateway/mailbox.hpp"
#include "mcp_gateway/relay.hpp"

#include <sojourn/http_server/stream_body.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace mcp_gateway {

/// Sends what a relay gives. When it is destroyed, the client has left.
class RelayBody : public sojourn::http_server::StreamBody {
public:
    /// What becomes of it when the server stops: an answer is waited for; what a server itself has
    /// to say has no end to wait for.
    enum class AtStop : std::uint8_t { go_on, end };

    struct Manner {
        /// How often something is said while there is nothing to say.
        std::chrono::milliseconds keep_alive{};
        AtStop at_stop = AtStop::go_on;
    };

    /// Attaches to the relay, on its strand: what it gives from now on is sent to `reader`.
    RelayBody(
        boost::asio::any_io_executor strand,
        const std::shared_ptr<Relay>& relay,
        const boost::asio::any_io_executor& reader,
        const Manner& manner
    );

    /// Has these events sent first.
    void begin_with(std::string events) { prelude_ = std::move(events); }

    RelayBody(const RelayBody&) = delete;
    RelayBody& operator=(const RelayBody&) = delete;
    RelayBody(RelayBody&&) = delete;
    RelayBody& operator=(RelayBody&&) = delete;
    ~RelayBody() override;

    [[nodiscard]] boost::asio::awaitable<void> write_to(sojourn::http_server::StreamWriter& writer
    ) override;

    void finish() noexcept override;

private:
    void wake_later(boost::asio::steady_timer& timer);

    boost::asio::any_io_executor strand_;
    std::weak_ptr<Relay> relay_;
    std::shared_ptr<Mailbox> mailbox_;
    std::string prelude_;
    Manner manner_;
};

} // namespace mcp_gateway

#endif // MCP_GATEWAY_RELAY_BODY_HPP

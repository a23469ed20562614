/// @file
/// One session between a client and the upstream.

#ifndef MCP_GATEWAY_CONVERSATION_HPP
#define MCP_GATEWAY_CONVERSATION_HPP

#include "mcp_gateway/hold.hpp"
#include "mcp_gateway/json_rpc.hpp"
#include "mcp_gateway/relay.hpp"
#include "mcp_gateway/relay_body.hpp"
#include "mcp_gateway/upstream.hpp"

#include <sojourn/http/mcp_event_id.hpp>
#include <sojourn/http/mcp_revision.hpp>
#include <sojourn/http_server/message.hpp>
#include <sojourn/http_server/reply.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mcp_gateway {

/// A request on its way to the upstream.
class Forwarded {
public:
    // No aggregate: g++ 12 miscompiles those in a co_await expression.
    Forwarded(
        sojourn::http_server::Request to_send,
        sojourn::http::McpRevision spoken,
        boost::asio::any_io_executor from
    )
        : request(std::move(to_send)), revision(spoken), reader(std::move(from))
    {
    }

    sojourn::http_server::Request request;
    sojourn::http::McpRevision revision;
    /// Where the answer is sent from.
    boost::asio::any_io_executor reader;
    /// Who waits for answers.
    std::vector<RequestId> requests;
    /// Called on the conversation's strand if the answer is a stream in which there is an error, or
    /// none at all: an answer that is whole shows that itself.
    std::function<void()> on_error;
};

/// The exchanges of a session, and the streams that come of them.
///
/// *Thread safety*: all on `strand()`, but for that. Made by `make_shared`; the upstream must
/// outlive it.
class Conversation : public std::enable_shared_from_this<Conversation> {
public:
    struct Times {
        /// How long an answer that nobody reads is waited for.
        std::chrono::milliseconds patience{};
        /// How often something is said on a stream that has nothing to say.
        std::chrono::milliseconds keep_alive{};
    };

    Conversation(
        const boost::asio::any_io_executor& executor, const Upstream& upstream, const Times& times
    );

    [[nodiscard]] const boost::asio::any_io_executor& strand() const noexcept { return strand_; }

    /// Delivers a message, and gives the answer: whole, or as a stream. With `initialize` it learns
    /// what the upstream calls the session.
    [[nodiscard]] boost::asio::awaitable<sojourn::http_server::Reply>
    deliver(Hold hold, Forwarded message);

    /// Opens the stream of what the upstream itself has to say; or has a stream go on after the
    /// event that the client had last. 409 if somebody reads it already.
    [[nodiscard]] boost::asio::awaitable<sojourn::http_server::Reply>
    open_stream(Hold hold, Forwarded wish, std::optional<sojourn::http::McpEventId> last_event);

    /// Tells the upstream that the session is over.
    [[nodiscard]] boost::asio::awaitable<void> tell_end();

private:
    using Answer = boost::asio::awaitable<sojourn::http_server::Reply>;
    /// What the upstream answers, or what the client is told instead.
    using Asked =
        boost::system::result<std::unique_ptr<UpstreamResponse>, sojourn::http_server::Response>;

    [[nodiscard]] boost::asio::awaitable<Asked> ask(const Hold& hold, Forwarded& message) const;
    [[nodiscard]] boost::asio::awaitable<std::unique_ptr<UpstreamResponse>>
    ask_for_rest(sojourn::http_server::Request request, std::string last_event) const;
    [[nodiscard]] Answer ask_for_own_stream(Hold hold, Forwarded wish, std::string replayed);
    [[nodiscard]] boost::asio::awaitable<std::string>
    replay(const Hold& hold, sojourn::http::McpEventId last, std::uint64_t until) const;
    [[nodiscard]] std::shared_ptr<Relay> find(std::uint64_t number) const;
    [[nodiscard]] std::unique_ptr<RelayBody>
    read_relay(const std::shared_ptr<Relay>& relay, const Forwarded& wish) const;
    [[nodiscard]] std::shared_ptr<Relay> begin_relay(
        std::uint32_t number,
        Hold hold,
        std::unique_ptr<UpstreamResponse> response,
        Forwarded& asked
    );
    void prepare(sojourn::http_server::Request& request) const;
    void end_relay(const std::shared_ptr<Relay>& relay);

    boost::asio::any_io_executor strand_;
    const Upstream& upstream_;
    Times times_;
    std::string upstream_id_;
    std::map<std::uint32_t, std::shared_ptr<Relay>> relays_;
    std::uint32_t last_stream_;
    /// What the upstream calls the last event of the stream of what it has to say itself.
    std::string last_own_event_;
    /// Of streams that are over: requests whose answers were not recorded.
    std::map<std::uint32_t, std::vector<RequestId>> unrecorded_;
    bool is_opening_ = false;
};

} // namespace mcp_gateway

#endif // MCP_GATEWAY_CONVERSATION_HPP

/// @file
/// The gateway: clients of the Model Context Protocol before it, one server behind it.

#ifndef MCP_GATEWAY_GATEWAY_HPP
#define MCP_GATEWAY_GATEWAY_HPP

#include "mcp_gateway/caller_rates.hpp"
#include "mcp_gateway/conversation.hpp"
#include "mcp_gateway/gateway_options.hpp"
#include "mcp_gateway/json_rpc.hpp"

#include <sojourn/async/async_semaphore.hpp>
#include <sojourn/async/confined.hpp>
#include <sojourn/core/session_reference.hpp>
#include <sojourn/http/allowed_origins.hpp>
#include <sojourn/http/mcp_request.hpp>
#include <sojourn/http_server/responder.hpp>
#include <sojourn/service/service_environment.hpp>
#include <sojourn/service/session_service.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace mcp_gateway {

/// Answers the requests of clients. Their sessions are the service's, and for each of them there is
/// a `Conversation` with the upstream.
///
/// *Thread safety*: all members, any thread. *Lifetime*: must outlive the last run of its execution
/// context.
class Gateway : public sojourn::http_server::Responder {
public:
    /// The environment's removal listener is the gateway's: it tells the upstream.
    Gateway(const boost::asio::any_io_executor& executor, const GatewayOptions& options);

    /// What the service that it is to use must be made with.
    [[nodiscard]] sojourn::ServiceEnvironment environment();

    /// To be called once, before it is asked anything. The service must outlive it.
    void use(sojourn::SessionService& service) noexcept { service_ = &service; }

    /// Waits until the upstream has been told of all sessions that have ended, for no longer than
    /// that.
    [[nodiscard]] boost::asio::awaitable<void> finish(sojourn::Duration limit);

    /// Has a `finish` that runs, or comes later, not wait.
    void hurry() noexcept { tellers_.close(); }

    [[nodiscard]] boost::asio::awaitable<sojourn::http_server::Reply>
    answer(const sojourn::http_server::Request& request, const std::string& peer) override;

    /// Nobody is there for the answer then, so its connection can go. Whether the request is given
    /// up too is up to its revision.
    [[nodiscard]] bool is_cancelled_with_client(const sojourn::http_server::Request& /*request*/
    ) const override
    {
        return true;
    }

private:
    using Answer = boost::asio::awaitable<sojourn::http_server::Reply>;
    using Conversations =
        std::unordered_map<sojourn::SessionReference, std::shared_ptr<Conversation>>;

    /// A request, and all that is known of it. It may go on when its client has gone.
    struct Call {
        sojourn::http::McpTask task;
        JsonRpcBody body;
        std::string peer;
        std::string principal;
        Forwarded forwarded;
        bool has_client = true;
    };

    [[nodiscard]] std::shared_ptr<Call> call_of(
        const sojourn::http_server::Request& request,
        const std::string& peer,
        const std::optional<JsonRpcBody>& body,
        const sojourn::http::McpTask& task,
        const boost::asio::any_io_executor& reader
    ) const;
    [[nodiscard]] std::shared_ptr<Conversation> make_conversation() const;
    [[nodiscard]] Answer obey(std::shared_ptr<Call> call);
    [[nodiscard]] boost::asio::awaitable<bool> is_foreign(const Call& call);
    [[nodiscard]] Answer fulfil(Call& call);
    [[nodiscard]] Answer initialize(Call& call);
    [[nodiscard]] Answer deliver(Call& call);
    [[nodiscard]] Answer open_stream(Call& call);
    [[nodiscard]] Answer end_session(Call& call);
    [[nodiscard]] Answer pass_through(Call& call);
    [[nodiscard]] boost::asio::awaitable<void> end(sojourn::SessionId id);
    void end_later(const sojourn::SessionId& id);
    [[nodiscard]] boost::asio::awaitable<void> tell_end(sojourn::SessionReference reference);
    [[nodiscard]] boost::asio::awaitable<std::shared_ptr<Conversation>>
    find(const Call& call, const sojourn::SessionInfo& session);
    [[nodiscard]] Answer checked(const Call& call, sojourn::http_server::Reply reply);
    [[nodiscard]] std::string principal_of(const sojourn::http_server::Request& request) const;
    [[nodiscard]] static sojourn::http_server::Reply unknown(const Call& call);
    [[nodiscard]] static sojourn::http_server::Reply
    refused(const Call& call, const sojourn::Error& error);

    boost::asio::any_io_executor executor_;
    GatewayOptions options_;
    sojourn::http::AllowedOrigins origins_;
    Upstream upstream_;
    sojourn::Confined<Conversations> conversations_;
    sojourn::Confined<CallerRates> rates_;
    sojourn::AsyncSemaphore tellers_;
    sojourn::SessionService* service_ = nullptr;
};

} // namespace mcp_gateway

#endif // MCP_GATEWAY_GATEWAY_HPP

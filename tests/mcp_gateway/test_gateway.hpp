/// @file
/// The whole gateway in this process, on a free port, and clients of it.

#ifndef SOJOURN_TESTS_MCP_GATEWAY_TEST_GATEWAY_HPP
#define SOJOURN_TESTS_MCP_GATEWAY_TEST_GATEWAY_HPP

#include "http/http_client.hpp"
#include "mcp_gateway/gateway.hpp"
#include "mcp_gateway/gateway_options.hpp"
#include "mcp_gateway/scripted_upstream.hpp"
#include "support/context_threads.hpp"

#include <sojourn/core/metrics.hpp>
#include <sojourn/http_server/server.hpp>
#include <sojourn/service/session_service.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <string>
#include <string_view>

namespace sojourn::tests {

class TestGateway {
public:
    explicit TestGateway(
        const ScriptedUpstream& upstream, mcp_gateway::GatewayOptions options = {}
    );

    [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return server_.tcp_endpoint(); }

    [[nodiscard]] Metrics metrics();

private:
    mcp_gateway::GatewayOptions options_;
    boost::asio::io_context context_;
    mcp_gateway::Gateway gateway_;
    SessionService service_;
    http_server::Server server_;
    ContextThreads threads_;
};

inline constexpr std::string_view initialize_message =
    R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})";

inline constexpr std::string_view initialize_answer =
    R"({"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}})";

/// The call of a tool, and its answer.
inline constexpr std::string_view call_message =
    R"({"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"a"}})";

inline constexpr std::string_view call_answer = R"({"jsonrpc":"2.0","id":5,"result":{}})";

/// A POST of this message; of no session if there is no id.
[[nodiscard]] Request post_of(std::string_view message, std::string_view session = {});

/// A GET of the session's own stream, or of what comes after an event.
[[nodiscard]] Request get_of(std::string_view session, std::string_view last_event = {});

/// The request as it is sent.
[[nodiscard]] std::string text_of(const Request& request);

/// Has a session begin, which the upstream calls "upstream-session", and returns its id.
[[nodiscard]] std::string begin_session(const TestGateway& gateway, ScriptedUpstream& upstream);

/// What comes of a header up to its end.
std::string receive_header(HttpClient& client, Location where = Location::current());

/// What comes up to this text, and that.
std::string
receive_until(HttpClient& client, std::string_view text, Location where = Location::current());

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_MCP_GATEWAY_TEST_GATEWAY_HPP

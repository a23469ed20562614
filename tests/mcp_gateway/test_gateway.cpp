#include "mcp_gateway/test_gateway.hpp"

#include "support/run_coro.hpp"

#include <sojourn/http_server/protocol.hpp>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/beast/http/write.hpp>

#include <sstream>
#include <utility>

namespace sojourn::tests {

namespace asio = boost::asio;
using mcp_gateway::GatewayOptions;

namespace {

GatewayOptions with_address(GatewayOptions options, const ScriptedUpstream& upstream)
{
    options.upstream = upstream.address();
    options.listen.port(0);
    return options;
}

Request request_of(http::verb method, std::string_view session)
{
    Request request(method, "/mcp", 11);
    request.set(http::field::host, "localhost");
    request.set(http::field::accept, "application/json, text/event-stream");
    if (!session.empty()) {
        request.set("MCP-Protocol-Version", "2025-11-25");
        request.set("Mcp-Session-Id", session);
    }
    return request;
}

} // namespace

TestGateway::TestGateway(const ScriptedUpstream& upstream, GatewayOptions options)
    : options_(with_address(std::move(options), upstream)),
      gateway_(context_.get_executor(), options_),
      service_(context_.get_executor(), options_.service, gateway_.environment()),
      server_(
          context_.get_executor(),
          gateway_,
          http_server::Acceptor(context_, http_server::Protocol::endpoint(options_.listen)),
          options_.limits,
          http_server::Threads::many
      ),
      threads_(context_, 2)
{
    gateway_.use(service_);
    server_.start();
}

Metrics TestGateway::metrics()
{
    return *run_coro_on(context_.get_executor(), service_.metrics());
}

Request post_of(std::string_view message, std::string_view session)
{
    auto request = request_of(http::verb::post, session);
    request.set(http::field::content_type, "application/json");
    request.body() = message;
    request.prepare_payload();
    return request;
}

Request get_of(std::string_view session, std::string_view last_event)
{
    auto request = request_of(http::verb::get, session);
    if (!last_event.empty()) {
        request.set("Last-Event-ID", last_event);
    }
    return request;
}

std::string text_of(const Request& request)
{
    std::ostringstream text;
    text << request;
    return text.str();
}

std::string begin_session(const TestGateway& gateway, ScriptedUpstream& upstream)
{
    HttpClient client(gateway.endpoint());
    client.send(text_of(post_of(initialize_message)));
    upstream.next().send(json_answer(initialize_answer, "Mcp-Session-Id: upstream-session\r\n"));
    return client.receive()["Mcp-Session-Id"];
}

std::string receive_header(HttpClient& client, Location where)
{
    return receive_until(client, "\r\n\r\n", where);
}

std::string receive_until(HttpClient& client, std::string_view text, Location where)
{
    const TimeLimit until(default_limit);
    std::string received;
    while (!received.ends_with(text)) {
        if (until.is_over()) {
            throw TimedOut("there was only " + received, where);
        }
        received += client.receive_bytes(1, where);
    }
    return received;
}

} // namespace sojourn::tests

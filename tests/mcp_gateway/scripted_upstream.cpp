#include "mcp_gateway/scripted_upstream.hpp"

#include "support/run_coro.hpp"

#include <sojourn/http_server/as_result.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/system/error_code.hpp>

#include <poll.h>

#include <array>
#include <utility>

namespace sojourn::tests {

namespace asio = boost::asio;
using asio::ip::tcp;
using http_server::as_result;
using http_server::Request;

namespace {

asio::awaitable<Request> read_request(tcp::socket& socket)
{
    boost::beast::flat_buffer buffer;
    boost::beast::http::request_parser<boost::beast::http::string_body> parser;
    co_await boost::beast::http::async_read(socket, buffer, parser, asio::use_awaitable);
    co_return parser.release();
}

asio::awaitable<void> read_to_end(tcp::socket& socket)
{
    std::array<char, 256> ignored{};
    boost::system::error_code error;
    while (!error) {
        const auto [failed, length] =
            co_await socket.async_read_some(asio::buffer(ignored), as_result);
        error = failed;
    }
}

} // namespace

std::string json_answer(std::string_view body, std::string_view fields)
{
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + std::string(fields) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string event_of(std::string_view data)
{
    return "data: " + std::string(data) + "\n\n";
}

ScriptedExchange::ScriptedExchange(
    std::unique_ptr<asio::io_context> context, tcp::socket socket, Request request
)
    : context_(std::move(context)), socket_(std::move(socket)), request_(std::move(request))
{
}

void ScriptedExchange::send(std::string_view bytes, Location where)
{
    run_coro(
        *context_,
        asio::async_write(socket_, asio::buffer(bytes), asio::use_awaitable),
        default_limit,
        where
    );
}

std::size_t ScriptedExchange::flood(
    std::string_view text, std::size_t from, std::size_t to, std::chrono::milliseconds patience
)
{
    socket_.non_blocking(true);
    // Little, so that it is the gateway that holds what is taken, or its sockets.
    socket_.set_option(asio::socket_base::send_buffer_size(64 * 1024));
    pollfd until_taken{.fd = socket_.native_handle(), .events = POLLOUT, .revents = 0};
    boost::system::error_code error;
    auto sent = from;
    while (sent < to && !error && ::poll(&until_taken, 1, static_cast<int>(patience.count())) > 0) {
        const auto rest = text.substr(sent % text.size(), to - sent);
        sent += socket_.write_some(asio::buffer(rest), error);
    }
    return sent;
}

void ScriptedExchange::await_end(Location where)
{
    run_coro(*context_, read_to_end(socket_), default_limit, where);
}

ScriptedUpstream::ScriptedUpstream()
    : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0))
{
}

mcp_gateway::UpstreamAddress ScriptedUpstream::address() const
{
    return {
        .host = "127.0.0.1",
        .port = std::to_string(acceptor_.local_endpoint().port()),
        .target = "/mcp"
    };
}

ScriptedExchange ScriptedUpstream::next(Location where)
{
    auto context = std::make_unique<asio::io_context>();
    tcp::socket socket(*context);
    run_coro(context_, acceptor_.async_accept(socket, asio::use_awaitable), default_limit, where);
    auto request = run_coro(*context, read_request(socket), default_limit, where);
    return {std::move(context), std::move(socket), std::move(request)};
}

} // namespace sojourn::tests

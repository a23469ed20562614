#include "http/http_client.hpp"

#include "support/run_coro.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <array>
#include <utility>

namespace sojourn::tests {

namespace asio = boost::asio;
using http_server::Protocol;
using http_server::Socket;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

asio::awaitable<std::string> read_rest(Socket& socket)
{
    std::string text;
    std::array<char, 4096> part{};
    while (true) {
        const auto [error, length] = co_await socket.async_read_some(asio::buffer(part), as_result);
        text.append(part.data(), length);
        if (error) {
            co_return text;
        }
    }
}

asio::awaitable<Response>
read_response(Socket& socket, boost::beast::flat_buffer& buffer, bool is_header_only)
{
    http::response_parser<http::string_body> parser;
    parser.skip(is_header_only);
    co_await http::async_read(socket, buffer, parser, asio::use_awaitable);
    co_return parser.release();
}

} // namespace

Request request_for(
    http::verb method, std::string_view target, std::string_view cookie, std::string_view body
)
{
    Request request(method, target, 11);
    request.set(http::field::host, "localhost");
    if (!cookie.empty()) {
        request.set(http::field::cookie, cookie);
    }
    request.body() = body;
    request.prepare_payload();
    return request;
}

std::string cookie_of(const Response& response)
{
    const std::string_view text = response[http::field::set_cookie];
    return std::string(text.substr(0, text.find(';')));
}

HttpClient::HttpClient(const Protocol::endpoint& server) : socket_(context_)
{
    socket_.connect(server);
}

Response HttpClient::ask(const Request& request, Location where)
{
    run_coro(
        context_, http::async_write(socket_, request, asio::use_awaitable), default_limit, where
    );
    const bool is_header_only = request.method() == http::verb::head;
    return run_coro(
        context_, read_response(socket_, buffer_, is_header_only), default_limit, where
    );
}

void HttpClient::send(std::string_view bytes, Location where)
{
    run_coro(
        context_,
        asio::async_write(socket_, asio::buffer(bytes), asio::use_awaitable),
        default_limit,
        where
    );
}

Response HttpClient::receive(Location where)
{
    return run_coro(context_, read_response(socket_, buffer_, false), default_limit, where);
}

std::string HttpClient::receive_bytes(std::size_t count, Location where)
{
    std::string text(count, '\0');
    run_coro(
        context_,
        asio::async_read(socket_, asio::buffer(text), asio::use_awaitable),
        default_limit,
        where
    );
    return text;
}

std::string HttpClient::receive_rest(Location where)
{
    return run_coro(context_, read_rest(socket_), default_limit, where);
}

void HttpClient::end_sending()
{
    socket_.shutdown(Socket::shutdown_send);
}

std::string answer_to(const Protocol::endpoint& server, std::string_view bytes, Location where)
{
    HttpClient client(server);
    client.send(bytes, where);
    return client.receive_rest(where);
}

} // namespace sojourn::tests

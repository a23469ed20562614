#include "loopback_client.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <chrono>
#include <string_view>
#include <utility>

namespace http_sessions {

namespace asio = boost::asio;

LoopbackClient::LoopbackClient(
    const asio::any_io_executor& executor, asio::ip::tcp::endpoint server
)
    : server_(std::move(server)), stream_(executor)
{
}

asio::awaitable<Response>
LoopbackClient::ask(http::verb method, std::string target, std::string body)
{
    Request request(method, target, 11);
    request.set(http::field::host, "localhost");
    if (has_cookie()) {
        request.set(http::field::cookie, cookie_);
    }
    request.body() = std::move(body);
    request.prepare_payload();

    stream_.expires_after(std::chrono::seconds(10));
    if (!is_connected_) {
        co_await stream_.async_connect(server_, asio::use_awaitable);
        is_connected_ = true;
    }
    co_await http::async_write(stream_, request, asio::use_awaitable);
    Response response;
    co_await http::async_read(stream_, buffer_, response, asio::use_awaitable);
    stream_.expires_never();

    if (!response.keep_alive()) {
        stream_.close();
        is_connected_ = false;
    }
    keep_cookie_of(response);
    co_return response;
}

void LoopbackClient::keep_cookie_of(const Response& response)
{
    const auto given = response.find(http::field::set_cookie);
    if (given == response.end()) {
        return;
    }
    const std::string_view text = given->value();
    const auto pair = text.substr(0, text.find(';'));
    // An empty value, "name=", takes the cookie away.
    cookie_ = pair.ends_with('=') ? std::string_view() : pair;
}

} // namespace http_sessions

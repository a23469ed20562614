// Metrics for Prometheus: a server answers its scrapes with what its sessions say at that moment.
// It scrapes itself once and prints the answer; with `serve`, it leaves that to others until it is
// interrupted.

#include <sojourn/prometheus/exposition.hpp>
#include <sojourn/prometheus/sample.hpp>
#include <sojourn/sojourn.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

constexpr int visitors = 3;

asio::awaitable<void> receive_visitors(sojourn::SessionService& sessions)
{
    for (int i = 0; i < visitors; ++i) {
        const auto created = co_await sessions.create();
        const auto lease = co_await sessions.acquire(created.value().id);
    }
}

// [answer]
// The answer to a scrape. If there is no sample, Prometheus is told so, and asks again later.
asio::awaitable<http::response<http::string_body>> answer(sojourn::SessionService& sessions)
{
    http::response<http::string_body> answer;
    const auto sample = co_await sojourn::prometheus::sample(sessions);
    if (sample) {
        answer.set(http::field::content_type, sojourn::prometheus::exposition_content_type);
        answer.body() = sojourn::prometheus::exposition(*sample);
    } else {
        answer.result(http::status::service_unavailable);
    }
    answer.keep_alive(false);
    answer.prepare_payload();
    co_return answer;
}

// [/answer]

asio::awaitable<void> serve(tcp::socket client, sojourn::SessionService& sessions)
{
    beast::tcp_stream stream(std::move(client));
    stream.expires_after(10s);
    beast::flat_buffer buffer;
    http::request<http::empty_body> request;
    co_await http::async_read(stream, buffer, request, asio::use_awaitable);
    const auto response = co_await answer(sessions);
    co_await http::async_write(stream, response, asio::use_awaitable);
}

asio::awaitable<void> serve_all(tcp::acceptor& acceptor, sojourn::SessionService& sessions)
{
    for (;;) {
        auto client = co_await acceptor.async_accept(asio::use_awaitable);
        // Who goes away in the middle of a scrape harms nobody else.
        const auto ignore = [](const std::exception_ptr&) {};
        asio::co_spawn(acceptor.get_executor(), serve(std::move(client), sessions), ignore);
    }
}

asio::awaitable<std::string> scrape(tcp::endpoint server)
{
    beast::tcp_stream stream(co_await asio::this_coro::executor);
    stream.expires_after(10s);
    co_await stream.async_connect(server, asio::use_awaitable);
    const http::request<http::empty_body> request(http::verb::get, "/metrics", 11);
    co_await http::async_write(stream, request, asio::use_awaitable);
    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    co_await http::async_read(stream, buffer, response, asio::use_awaitable);
    co_return std::move(response.body());
}

} // namespace

int main(int argc, char** argv)
{
    asio::io_context context;
    sojourn::SessionService sessions(context.get_executor());
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    const auto fail = [](const std::exception_ptr& failure) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    };
    asio::co_spawn(context, receive_visitors(sessions), fail);
    asio::co_spawn(context, serve_all(acceptor, sessions), fail);

    std::string scraped;
    asio::signal_set interruption(context, SIGINT, SIGTERM);
    const bool is_for_others = argc == 2 && std::string_view(argv[1]) == "serve";
    if (is_for_others) {
        std::cout << "http://" << acceptor.local_endpoint() << "/metrics\n" << std::flush;
        interruption.async_wait([&](const auto&, int) { context.stop(); });
    } else {
        asio::co_spawn(
            context,
            scrape(acceptor.local_endpoint()),
            [&](const std::exception_ptr& failure, std::string text) {
                fail(failure);
                scraped = std::move(text);
                context.stop();
            }
        );
    }
    context.run();
    std::cout << scraped;
    const auto expected = "sojourn_sessions_created_total " + std::to_string(visitors);
    return is_for_others || scraped.find(expected) != std::string::npos ? EXIT_SUCCESS
                                                                        : EXIT_FAILURE;
}

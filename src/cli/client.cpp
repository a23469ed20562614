#include "cli/client.hpp"

#include <sojourn/http/decimal.hpp>
#include <sojourn/http_server/as_result.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/parse.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <string_view>
#include <utility>

namespace sojourn::cli {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using http_server::Socket;

namespace {

constexpr auto longest_wait = std::chrono::seconds(10);
constexpr std::uint64_t longest_body = std::uint64_t{16} * 1024 * 1024;

using Request = http::request<http::empty_body>;
using Parser = http::response_parser<http::string_body>;

asio::awaitable<void> exchange(
    Socket& socket,
    const http_server::Protocol::endpoint& endpoint,
    const Request& request,
    Parser& parser
)
{
    boost::beast::flat_buffer buffer;
    co_await socket.async_connect(endpoint, asio::use_awaitable);
    // A server that has no room says so and closes, perhaps before it has read: so whether this
    // went well does not matter.
    static_cast<void>(co_await http::async_write(socket, request, http_server::as_result));
    co_await http::async_read(socket, buffer, parser, asio::use_awaitable);
}

std::optional<asio::ip::tcp::endpoint> parse_tcp(std::string_view text)
{
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    auto address = std::string(text.substr(0, colon));
    if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
        address = address.substr(1, address.size() - 2);
    } else if (address == "localhost") {
        address = "127.0.0.1";
    }
    boost::system::error_code error;
    const auto parsed = asio::ip::make_address(address, error);
    const auto port = sojourn::http::parse_decimal<std::uint16_t>(text.substr(colon + 1));
    if (error || !port || *port == 0) {
        return std::nullopt;
    }
    return asio::ip::tcp::endpoint(parsed, *port);
}

} // namespace

std::optional<Address> parse_address(const std::string& text)
{
    constexpr std::string_view unix_scheme = "unix:";
    constexpr std::string_view http_scheme = "http://";
    if (text.starts_with(unix_scheme)) {
        const auto path = text.substr(unix_scheme.size());
        constexpr std::size_t longest_path = 107;
        if (path.empty() || path.size() > longest_path) {
            return std::nullopt;
        }
        return Address{asio::local::stream_protocol::endpoint(path), text};
    }
    if (text.starts_with(http_scheme)) {
        auto rest = std::string_view(text).substr(http_scheme.size());
        if (rest.ends_with('/')) {
            rest.remove_suffix(1);
        }
        if (const auto endpoint = parse_tcp(rest)) {
            return Address{*endpoint, text};
        }
    }
    return std::nullopt;
}

Client::Client(Address address, std::optional<std::string> token)
    : address_(std::move(address)), token_(std::move(token))
{
}

Answer Client::ask(http::verb method, const std::string& target) const
{
    Request request(method, target, 11);
    request.set(http::field::host, "localhost");
    request.set(http::field::user_agent, "sojournctl");
    request.keep_alive(false);
    if (token_) {
        request.set(http::field::authorization, "Bearer " + *token_);
    }
    request.prepare_payload();

    asio::io_context context;
    Socket socket(context);
    Parser parser;
    parser.body_limit(longest_body);
    std::optional<std::exception_ptr> outcome;
    asio::co_spawn(
        context,
        exchange(socket, address_.endpoint, request, parser),
        [&outcome](const std::exception_ptr& thrown) { outcome = thrown; }
    );
    context.run_for(longest_wait);
    try {
        if (!outcome) {
            throw Unreachable("no answer within 10 s");
        }
        if (*outcome) {
            std::rethrow_exception(*outcome);
        }
        auto response = parser.release();
        Answer answer{response.result(), nullptr};
        if (!response.body().empty()) {
            answer.body = boost::json::parse(response.body());
        }
        return answer;
    } catch (const boost::system::system_error& error) {
        const auto code = error.code();
        const bool is_gone = code == asio::error::connection_refused ||
                             code == asio::error::connection_reset ||
                             code == boost::system::errc::no_such_file_or_directory ||
                             code == http::error::end_of_stream;
        throw Unreachable(code.message(), is_gone);
    }
}

} // namespace sojourn::cli

#include "mcp_gateway/upstream.hpp"

#include <sojourn/http/letter_case.hpp>
#include <sojourn/http/server_sent_event.hpp>
#include <sojourn/http_server/as_result.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/url/parse.hpp>

#include <limits>
#include <utility>

namespace mcp_gateway {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;
using sojourn::http_server::as_result;
using sojourn::http_server::Request;

namespace {

/// A number, since Beast does not know the name of each.
bool is_interim(unsigned status)
{
    return http::to_status_class(status) == http::status_class::informational;
}

} // namespace

std::optional<UpstreamAddress> UpstreamAddress::parse(std::string_view url)
{
    const auto parsed = boost::urls::parse_uri(url);
    if (!parsed || parsed->scheme() != "http" || parsed->host().empty() || parsed->has_userinfo() ||
        parsed->has_fragment()) {
        return std::nullopt;
    }
    UpstreamAddress address;
    address.host = parsed->host_address();
    address.port = parsed->has_port() ? std::string(parsed->port()) : "80";
    address.target = parsed->encoded_target();
    if (!address.target.starts_with('/')) {
        address.target.insert(0, 1, '/');
    }
    return address;
}

std::string UpstreamAddress::authority() const
{
    const bool is_v6 = host.find(':') != std::string::npos;
    return (is_v6 ? "[" + host + "]" : host) + ":" + port;
}

UpstreamResponse::UpstreamResponse(
    const asio::any_io_executor& executor, std::uint64_t max_body_bytes
)
    : max_body_bytes_(max_body_bytes), stream_(executor), parser_(std::make_unique<Parser>())
{
}

bool UpstreamResponse::is_event_stream() const
{
    std::string_view type = header()[http::field::content_type];
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' ')) {
        type.remove_suffix(1);
    }
    return sojourn::http::is_same_text(type, sojourn::http::event_stream_type);
}

/// Reads the header of the answer. Before it a server may say that it is at work, or what the
/// answer will be like (RFC 9110, section 15.2).
awaitable<error_code> UpstreamResponse::read_header()
{
    while (true) {
        parser_ = std::make_unique<Parser>();
        parser_->body_limit(max_body_bytes_);
        const auto [error, length] =
            co_await http::async_read_header(stream_, buffer_, *parser_, as_result);
        if (error || !is_interim(parser_->get().result_int())) {
            co_return error;
        }
    }
}

awaitable<IoResult<std::string_view>> UpstreamResponse::read_some()
{
    auto& body = parser_->get().body();
    if (silence_ > std::chrono::milliseconds::zero()) {
        stream_.expires_after(silence_);
    }
    while (!parser_->is_done()) {
        body.data = piece_.data();
        body.size = piece_.size();
        const auto [error, length] =
            co_await http::async_read_some(stream_, buffer_, *parser_, as_result);
        const auto taken = piece_.size() - body.size;
        if (taken > 0) {
            co_return std::string_view(piece_.data(), taken);
        }
        if (error && error != http::error::need_buffer) {
            co_return error;
        }
    }
    co_return std::string_view();
}

awaitable<IoResult<std::string>> UpstreamResponse::read_all(std::chrono::milliseconds limit)
{
    stream_.expires_after(limit);
    std::string whole;
    while (true) {
        const auto piece = co_await read_some();
        if (!piece) {
            co_return piece.error();
        }
        if (piece->empty()) {
            co_return whole;
        }
        whole += *piece;
    }
}

void UpstreamResponse::close() noexcept
{
    stream_.cancel();
    error_code ignored;
    ignored = stream_.socket().close(ignored);
}

awaitable<IoResult<std::unique_ptr<UpstreamResponse>>> Upstream::ask(Request request) const
{
    return ask(std::move(request), limits_.answer_time);
}

awaitable<IoResult<std::unique_ptr<UpstreamResponse>>>
Upstream::ask(Request request, std::chrono::milliseconds limit) const
{
    const auto executor = co_await asio::this_coro::executor;
    auto response = std::make_unique<UpstreamResponse>(executor, limits_.body_bytes);
    auto& stream = response->stream_;

    asio::ip::tcp::resolver resolver(executor);
    const auto [unknown, endpoints] =
        co_await resolver.async_resolve(address_.host, address_.port, as_result);
    if (unknown) {
        co_return unknown;
    }
    stream.expires_after(limits_.connect_time);
    const auto [refused, endpoint] = co_await stream.async_connect(endpoints, as_result);
    if (refused) {
        co_return refused;
    }
    error_code ignored;
    ignored = stream.socket().set_option(asio::ip::tcp::no_delay(true), ignored);

    request.version(11);
    request.keep_alive(false);
    request.target(address_.target);
    request.set(http::field::host, address_.authority());
    request.prepare_payload();
    stream.expires_after(limit);
    const auto [unsent, sent] = co_await http::async_write(stream, request, as_result);
    if (unsent) {
        co_return unsent;
    }
    const auto failed = co_await response->read_header();
    if (failed) {
        co_return failed;
    }
    if (response->is_event_stream()) {
        // A stream may have nothing to say for long, and say much in the end.
        response->silence_ = limits_.silence;
        response->parser_->body_limit(boost::none);
    }
    co_return response;
}

} // namespace mcp_gateway

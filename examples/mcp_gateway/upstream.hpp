/// @file
/// The MCP server behind the gateway, as a client of HTTP/1.1 sees it.

#ifndef MCP_GATEWAY_UPSTREAM_HPP
#define MCP_GATEWAY_UPSTREAM_HPP

#include <sojourn/http_server/message.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mcp_gateway {

namespace http = boost::beast::http;

template <class T>
using IoResult = boost::system::result<T>;

/// Where it is: `http://HOST:PORT/PATH`.
struct UpstreamAddress {
    std::string host;
    std::string port;
    std::string target;

    /// Reads a URL; nothing if it is not of this form. *Exceptions*: `bad_alloc`.
    [[nodiscard]] static std::optional<UpstreamAddress> parse(std::string_view url);

    /// As the `Host` field has it.
    [[nodiscard]] std::string authority() const;
};

/// What it answers: a header, and a body that comes as it comes. Its connection is its own, and
/// ends with it.
///
/// *Thread safety*: one coroutine at a time, on the executor that it was asked on; `close` on the
/// same executor. *Cancellation*: terminal, and then it is of no use any more.
class UpstreamResponse {
public:
    UpstreamResponse(const boost::asio::any_io_executor& executor, std::uint64_t max_body_bytes);

    [[nodiscard]] const http::response_header<>& header() const { return parser_->get(); }

    [[nodiscard]] bool is_event_stream() const;

    /// The next bytes of the body; none at its end. An error if the connection ends before.
    [[nodiscard]] boost::asio::awaitable<IoResult<std::string_view>> read_some();

    /// The whole of it, within so long.
    [[nodiscard]] boost::asio::awaitable<IoResult<std::string>>
    read_all(std::chrono::milliseconds limit);

    /// Has whoever waits for it get an error.
    void close() noexcept;

private:
    friend class Upstream;

    using Parser = http::response_parser<http::buffer_body>;

    [[nodiscard]] boost::asio::awaitable<boost::system::error_code> read_header();

    std::uint64_t max_body_bytes_;
    /// How long the next bytes are waited for, if it is a stream.
    std::chrono::milliseconds silence_{};
    boost::beast::tcp_stream stream_;
    boost::beast::flat_buffer buffer_;
    /// Of the header that was read last. Not null; a parser cannot be used twice.
    std::unique_ptr<Parser> parser_;
    std::array<char, 8192> piece_{};
};

/// *Thread safety*: all members, any thread.
class Upstream {
public:
    struct Limits {
        std::chrono::milliseconds connect_time = std::chrono::seconds(5);
        /// Until its answer begins; it may take long to work it out.
        std::chrono::milliseconds answer_time = std::chrono::minutes(5);
        /// How long a stream may say nothing at all. Its server may be gone without a word.
        std::chrono::milliseconds silence = std::chrono::hours(1);
        /// For the rest of an answer that is no stream.
        std::chrono::milliseconds body_time = std::chrono::minutes(1);
        /// Until it has heard that a session is over.
        std::chrono::milliseconds end_time = std::chrono::seconds(10);
        /// Bytes of an answer that is no stream.
        std::uint64_t body_bytes = std::uint64_t{64} * 1024 * 1024;
    };

    Upstream(UpstreamAddress address, const Limits& limits)
        : address_(std::move(address)), limits_(limits)
    {
    }

    [[nodiscard]] const UpstreamAddress& address() const noexcept { return address_; }

    [[nodiscard]] const Limits& limits() const noexcept { return limits_; }

    /// Sends a request, with this server's target and host, and waits for the header of the answer.
    /// On the caller's executor, which must be a strand or belong to one thread.
    [[nodiscard]] boost::asio::awaitable<IoResult<std::unique_ptr<UpstreamResponse>>>
    ask(sojourn::http_server::Request request) const;

    /// The same, but the answer must begin within so long.
    [[nodiscard]] boost::asio::awaitable<IoResult<std::unique_ptr<UpstreamResponse>>>
    ask(sojourn::http_server::Request request, std::chrono::milliseconds limit) const;

private:
    UpstreamAddress address_;
    Limits limits_;
};

} // namespace mcp_gateway

#endif // MCP_GATEWAY_UPSTREAM_HPP

/// @file
/// Where an admin endpoint listens, and who may do what there.

#ifndef SOJOURN_ADMIN_OPTIONS_HPP
#define SOJOURN_ADMIN_OPTIONS_HPP

#include "sojourn/admin/event_feed.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/http_server/limits.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace sojourn {
class SessionService;
} // namespace sojourn

namespace sojourn::admin {

/// What somebody may do.
enum class Access : std::uint8_t {
    none,
    /// Look.
    read,
    /// Look, end sessions, and drain.
    change,
};

/// Options of an `Endpoint`, with chained setters.
class Options {
public:
    /// Bytes of the shortest and of the longest token.
    static constexpr std::size_t min_token_length = 16;
    static constexpr std::size_t max_token_length = 512;

    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    Options() {} // NOLINT(modernize-use-equals-default)

    /// Listens on a Unix domain socket of this name, which only the user who runs the server may
    /// open: the file has mode 0600. No longer than 107 bytes.
    Options& unix_socket(std::string path)
    {
        listen_ = std::move(path);
        return *this;
    }

    /// Listens on TCP instead. Everybody on the machine can connect, or everybody on the network if
    /// the address is no loopback's; so a token is needed. Nothing is encrypted.
    Options& tcp(const boost::asio::ip::tcp::endpoint& where)
    {
        listen_ = where;
        return *this;
    }

    /// Who shows this token, as `Authorization: Bearer TOKEN`, may do everything. Letters, digits
    /// and `-._~+/=`, 16 to 512 of them: draw it at random. Default none, and then whoever can open
    /// the socket may do everything; unless there is a token for reading, and then nobody may
    /// change anything.
    Options& token(std::string text)
    {
        token_ = std::move(text);
        return *this;
    }

    /// Who shows this token may look, and change nothing: for dashboards. Default none.
    Options& read_token(std::string text)
    {
        read_token_ = std::move(text);
        return *this;
    }

    /// Whether anybody may change anything. Default true.
    Options& allow_changes(bool allowed) noexcept
    {
        may_change_ = allowed;
        return *this;
    }

    /// What `GET /metrics` answers, in Prometheus' text format; `prometheus::scrape` of the
    /// component `sojourn::prometheus` has it. Called for each scrape. Default none, and then there
    /// is no such resource.
    Options&
    metrics(std::function<boost::asio::awaitable<Result<std::string>>(SessionService&)> text)
    {
        metrics_ = std::move(text);
        return *this;
    }

    [[nodiscard]] const auto& metrics() const noexcept { return metrics_; }

    /// What `GET /events` tells. Each that follows it takes one of the connections. Default none,
    /// and then there is no such resource.
    Options& events(std::shared_ptr<EventFeed> feed)
    {
        events_ = std::move(feed);
        return *this;
    }

    [[nodiscard]] const std::shared_ptr<EventFeed>& events() const noexcept { return events_; }

    /// How often who follows events is told of what was refused since. 10 ms to 1 minute, outside
    /// the nearest bound; default 1 second.
    Options& refusal_interval(std::chrono::milliseconds interval) noexcept
    {
        refusal_interval_ = std::clamp<std::chrono::milliseconds>(
            interval, std::chrono::milliseconds(10), std::chrono::minutes(1)
        );
        return *this;
    }

    [[nodiscard]] std::chrono::milliseconds refusal_interval() const noexcept
    {
        return refusal_interval_;
    }

    /// Whether `GET /` answers with the console, a page that shows in a browser what the endpoint
    /// tells. It holds no secrets and is served without a token, which it then asks for. Default
    /// false, and then there is no such resource.
    Options& console(bool served) noexcept
    {
        has_console_ = served;
        return *this;
    }

    /// How much a client may ask for. Default 32 connections; else as `Limits` says.
    Options& limits(const http_server::Limits& limits) noexcept
    {
        limits_ = limits;
        return *this;
    }

    /// What is wrong with these options, in words; nothing if they will do. *Exceptions*:
    /// `bad_alloc`.
    [[nodiscard]] std::optional<std::string> objection() const;

    /// What who shows this token may do, or who shows none. Compares in a time that tells nothing
    /// of how much of a guess was right.
    [[nodiscard]] Access access_by(std::optional<std::string_view> token) const noexcept;

    /// Whether nobody may do anything without a token.
    [[nodiscard]] bool needs_token() const noexcept { return token_ || read_token_; }

    [[nodiscard]] bool has_console() const noexcept { return has_console_; }

    /// The Unix socket's path, or where on TCP. An empty path if neither was set.
    [[nodiscard]] const std::variant<std::string, boost::asio::ip::tcp::endpoint>&
    listen() const noexcept
    {
        return listen_;
    }

    [[nodiscard]] const http_server::Limits& limits() const noexcept { return limits_; }

private:
    std::variant<std::string, boost::asio::ip::tcp::endpoint> listen_;
    std::optional<std::string> token_;
    std::optional<std::string> read_token_;
    bool may_change_ = true;
    bool has_console_ = false;
    std::function<boost::asio::awaitable<Result<std::string>>(SessionService&)> metrics_;
    std::shared_ptr<EventFeed> events_;
    std::chrono::milliseconds refusal_interval_ = std::chrono::seconds(1);
    http_server::Limits limits_{.connections = 32};
};

} // namespace sojourn::admin

#endif // SOJOURN_ADMIN_OPTIONS_HPP

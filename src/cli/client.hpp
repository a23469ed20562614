/// @file
/// Asks an admin endpoint. Blocks, for a limited time.

#ifndef SOJOURN_CLI_CLIENT_HPP
#define SOJOURN_CLI_CLIENT_HPP

#include <sojourn/http_server/protocol.hpp>

#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <stdexcept>
#include <string>

namespace sojourn::cli {

/// Where an admin endpoint is.
struct Address {
    http_server::Protocol::endpoint endpoint;
    /// As the user wrote it.
    std::string text;
};

/// Reads "unix:PATH" or "http://ADDRESS:PORT"; nothing from any other text.
[[nodiscard]] std::optional<Address> parse_address(const std::string& text);

/// Nobody answers there, or not in HTTP.
class Unreachable : public std::runtime_error {
public:
    explicit Unreachable(const std::string& why, bool is_gone = false)
        : std::runtime_error(why), is_gone_(is_gone)
    {
    }

    /// Whether nobody is there, as opposed to somebody who does not answer.
    [[nodiscard]] bool is_gone() const noexcept { return is_gone_; }

private:
    bool is_gone_;
};

/// What the endpoint answered.
struct Answer {
    boost::beast::http::status status{};
    boost::json::value body;
};

class Client {
public:
    Client(Address address, std::optional<std::string> token);

    /// Sends one request over a connection of its own. Throws `Unreachable`, after ten seconds at
    /// the latest.
    [[nodiscard]] Answer ask(boost::beast::http::verb method, const std::string& target) const;

private:
    Address address_;
    std::optional<std::string> token_;
};

} // namespace sojourn::cli

#endif // SOJOURN_CLI_CLIENT_HPP

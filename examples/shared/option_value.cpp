#include "shared/option_value.hpp"

#include <sojourn/core/duration.hpp>

#include <CLI/CLI.hpp>
#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace examples {

using boost::asio::ip::tcp;

namespace {

/// The number, if the text is one of these bounds. It is decimal, whatever zeros it begins with.
template <class Number>
std::optional<Number> to_number(std::string_view text, Number least, Number most)
{
    Number number{};
    const auto* const begin = text.data();
    const auto* const end = begin + text.size();
    const auto [rest, error] = std::from_chars(begin, end, number);
    if (error != std::errc() || rest != end || number < least || number > most) {
        return std::nullopt;
    }
    return number;
}

} // namespace

void refuse(const std::string& option, const std::string& why)
{
    throw CLI::ValidationError(option, why);
}

std::size_t to_count(const std::string& option, const std::string& text, std::size_t most)
{
    const auto number = to_number<std::size_t>(text, 1, most);
    if (!number) {
        refuse(option, "'" + text + "' is not a whole number from 1 to " + std::to_string(most));
    }
    return *number;
}

sojourn::Duration to_duration(const std::string& option, const std::string& text)
{
    const auto length = sojourn::parse_duration(text);
    if (!length) {
        refuse(option, "'" + text + "': " + length.error().message());
    }
    return *length;
}

tcp::endpoint to_endpoint(const std::string& option, const std::string& text)
{
    // "[::1]:80" or "127.0.0.1:80". Without its brackets, an IPv6 address and a port cannot be told
    // apart.
    const auto colon = text.rfind(':');
    auto address = text.substr(0, colon);
    const bool is_bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
    if (is_bracketed) {
        address = address.substr(1, address.size() - 2);
    }
    boost::system::error_code error;
    const auto parsed = boost::asio::ip::make_address(address, error);
    const auto port =
        colon == std::string::npos
            ? std::nullopt
            : to_number<std::uint16_t>(std::string_view(text).substr(colon + 1), 0, 65'535);
    if (error || !port || parsed.is_v6() != is_bracketed) {
        refuse(
            option,
            "'" + text +
                "' is not ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080, with a port from 0 "
                "to 65535"
        );
    }
    return {parsed, *port};
}

sojourn::RateLimit to_rate(const std::string& option, const std::string& text)
{
    if (text == "unlimited") {
        return sojourn::RateLimit::unlimited();
    }
    constexpr std::uint32_t rate_max = 1'000'000'000;
    constexpr std::uint32_t burst_max = 1'000'000;
    const auto rate = to_number<std::uint32_t>(text, 1, rate_max);
    if (!rate) {
        refuse(
            option, "'" + text + "' is neither a whole number from 1 to 1000000000 nor 'unlimited'"
        );
    }
    return {*rate, std::min(*rate, burst_max)};
}

} // namespace examples

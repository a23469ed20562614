#include "sojourn/http/origin.hpp"

#include "sojourn/http/decimal.hpp"
#include "sojourn/http/letter_case.hpp"
#include "sojourn/http/token.hpp"

#include <algorithm>
#include <utility>

namespace sojourn::http {

namespace {

constexpr bool is_among(char character, std::string_view characters) noexcept
{
    return characters.find(character) != std::string_view::npos;
}

/// RFC 3986, section 3.1.
constexpr bool is_scheme(std::string_view text) noexcept
{
    const auto fits = [](char character) {
        return is_alphanumeric(character) || is_among(character, "+-.");
    };
    return !text.empty() && !is_among(text.front(), "0123456789+-.") &&
           std::ranges::all_of(text, fits);
}

/// What is between the brackets, which the browser has understood as an address.
constexpr bool is_ipv6_address(std::string_view text) noexcept
{
    return !text.empty() && std::ranges::all_of(text, [](char character) {
        return is_among(to_lower(character), "0123456789abcdef:.");
    });
}

constexpr bool is_name_or_ipv4_address(std::string_view text) noexcept
{
    return !text.empty() && std::ranges::all_of(text, [](char character) {
        return is_alphanumeric(character) || is_among(character, "-._");
    });
}

constexpr bool is_host(std::string_view text) noexcept
{
    if (text.starts_with('[') && text.ends_with(']')) {
        return is_ipv6_address(text.substr(1, text.size() - 2));
    }
    return is_name_or_ipv4_address(text);
}

std::optional<std::uint16_t> default_port(std::string_view scheme) noexcept
{
    if (scheme == "http") {
        return std::uint16_t{80};
    }
    return scheme == "https" ? std::optional(std::uint16_t{443}) : std::nullopt;
}

std::string in_small_letters(std::string_view text)
{
    std::string small(text);
    std::ranges::transform(small, small.begin(), to_lower);
    return small;
}

} // namespace

Origin::Origin(std::string scheme, std::string host, std::optional<std::uint16_t> port)
    : scheme_(std::move(scheme)),
      host_(std::move(host)),
      port_(port == default_port(scheme_) ? std::nullopt : port)
{
}

std::optional<Origin> Origin::parse(std::string_view text)
{
    constexpr std::string_view separator = "://";
    const auto scheme_end = text.find(separator);
    if (scheme_end == std::string_view::npos) {
        return std::nullopt;
    }
    const auto scheme = text.substr(0, scheme_end);
    auto host = text.substr(scheme_end + separator.size());

    std::optional<std::uint16_t> port;
    // The colons of an IPv6 address are inside its brackets.
    if (const auto colon = host.rfind(':');
        colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
        port = parse_decimal<std::uint16_t>(host.substr(colon + 1));
        if (!port) {
            return std::nullopt;
        }
        host = host.substr(0, colon);
    }
    if (!is_scheme(scheme) || !is_host(host)) {
        return std::nullopt;
    }
    return Origin(in_small_letters(scheme), in_small_letters(host), port);
}

std::string Origin::text() const
{
    auto text = scheme_ + "://" + host_;
    if (port_) {
        text += ":" + std::to_string(*port_);
    }
    return text;
}

bool Origin::is_loopback() const noexcept
{
    return (scheme_ == "http" || scheme_ == "https") &&
           (host_ == "localhost" || host_ == "127.0.0.1" || host_ == "[::1]");
}

} // namespace sojourn::http

/// @file
/// A web origin: whose page sent a request. RFC 6454.

#ifndef SOJOURN_HTTP_ORIGIN_HPP
#define SOJOURN_HTTP_ORIGIN_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sojourn::http {

/// A scheme, a host and a port. Equal when all three are: letters of scheme and host count in
/// either case, and a scheme's default port as if it were written.
class Origin {
public:
    /// Reads an origin as browsers write it (RFC 6454, section 6.2): `scheme://host` or
    /// `scheme://host:port`, an IPv6 address in brackets. Nothing if it is anything else: several
    /// of them, a URL with a path, or `null`, which any page can have itself sent as. Linear in the
    /// text. *Exceptions*: `bad_alloc`.
    [[nodiscard]] static std::optional<Origin> parse(std::string_view text);

    /// As it is parsed: in small letters, and without the default port. *Exceptions*: `bad_alloc`.
    [[nodiscard]] std::string text() const;

    /// Whether the page is of a server on the browser's own machine: http or https, on any port of
    /// `localhost`, `127.0.0.1` or `[::1]`.
    [[nodiscard]] bool is_loopback() const noexcept;

    friend bool operator==(const Origin&, const Origin&) = default;

private:
    Origin(std::string scheme, std::string host, std::optional<std::uint16_t> port);

    std::string scheme_;
    std::string host_;
    // Nothing is the scheme's own.
    std::optional<std::uint16_t> port_;
};

} // namespace sojourn::http

#endif // SOJOURN_HTTP_ORIGIN_HPP

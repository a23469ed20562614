#include "sojourn/admin/cross_site.hpp"

#include "sojourn/http/letter_case.hpp"
#include "sojourn/http/origin.hpp"
#include "sojourn/http/singleton_field.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/system/error_code.hpp>

#include <string>

namespace sojourn::admin {

namespace {

using boost::beast::http::field;
using http_server::Request;
using sojourn::http::Origin;
using sojourn::http::SingletonField;

template <class Name>
SingletonField read_field(const Request& request, Name name)
{
    SingletonField value;
    const auto [first, last] = request.equal_range(name);
    for (auto line = first; line != last; ++line) {
        value.add(line->value());
    }
    return value;
}

/// Whether it says who asks, and that is a page of another site. What a user has typed is `none`.
bool is_of_another_site(const SingletonField& fetch_site)
{
    return !fetch_site.is_absent() && fetch_site.value() != "same-origin" &&
           fetch_site.value() != "none";
}

/// Whether a page of this origin came from this host; by way of a proxy it may have been https.
bool is_page_of(const SingletonField& origin, std::string_view host)
{
    const auto text = origin.value();
    const auto page = text ? Origin::parse(*text) : std::nullopt;
    return page && (page == Origin::parse("http://" + std::string(host)) ||
                    page == Origin::parse("https://" + std::string(host)));
}

/// Whether no DNS was asked for it, or none that others answer: `localhost` stays on the machine
/// (RFC 6761, section 6.3).
bool is_localhost_or_address(std::string_view host)
{
    // The colons of an IPv6 address are inside its brackets.
    const auto colon = host.find(':', host.starts_with('[') ? host.find(']') : 0);
    auto name = host.substr(0, colon);
    if (name.starts_with('[') && name.ends_with(']')) {
        name = name.substr(1, name.size() - 2);
    }
    boost::system::error_code error;
    static_cast<void>(boost::asio::ip::make_address(name, error));
    return !error || sojourn::http::is_same_text(name, "localhost");
}

} // namespace

std::optional<std::string_view> cross_site_objection(const Request& request, const Options& options)
{
    if (is_of_another_site(read_field(request, "Sec-Fetch-Site"))) {
        return "a page of another site asks";
    }
    const std::string_view host = request[field::host];
    if (const auto origin = read_field(request, field::origin);
        !origin.is_absent() && !is_page_of(origin, host)) {
        return "a page of another server asks; a proxy must pass Host on";
    }
    // Without one, no browser asks.
    if (!host.empty() && !options.needs_token() && !is_localhost_or_address(host)) {
        return "without a token, Host must be localhost or an address";
    }
    return std::nullopt;
}

} // namespace sojourn::admin

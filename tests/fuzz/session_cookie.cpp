/// @file
/// Fuzzes the cookie of the example server. The input's lines: the cookie's name, then what comes
/// in fields of a request's header. Each of these is a `Cookie`, unless it begins with '!'.

#include "http_sessions/session_cookie.hpp"

#include "fuzz/choices.hpp"
#include "fuzz/finding.hpp"

#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/algorithm/string/split.hpp>
#include <boost/algorithm/string/trim.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/fields.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace sojourn;
using namespace sojourn::tests;
using http_sessions::CookieTransport;
using http_sessions::SessionCookie;
namespace http = boost::beast::http;

namespace {

std::vector<std::string> split(const std::string& text, const char* separators)
{
    std::vector<std::string> parts;
    boost::algorithm::split(parts, text, boost::algorithm::is_any_of(separators));
    return parts;
}

std::string trimmed(const std::string& text)
{
    return boost::algorithm::trim_copy_if(text, boost::algorithm::is_any_of(" \t"));
}

/// Every value that the lines give to a cookie of this name.
std::vector<std::string> values_of(const std::vector<std::string>& lines, const std::string& name)
{
    std::vector<std::string> values;
    for (const auto& line : lines) {
        for (const auto& cookie : split(line, ";")) {
            const auto equals = std::min(cookie.find('='), cookie.size());
            if (trimmed(cookie.substr(0, equals)) == name) {
                values.push_back(trimmed(cookie.substr(std::min(equals + 1, cookie.size()))));
            }
        }
    }
    return values;
}

bool can_be_named(const std::string& name, CookieTransport transport)
{
    const std::string_view separators = "()<>@,;:\\\"/[]?={} \t";
    const bool is_token = !name.empty() && name.size() <= 64 &&
                          std::ranges::all_of(name, [separators](char character) {
                              return character > 32 && character < 127 &&
                                     separators.find(character) == std::string_view::npos;
                          });
    const bool needs_tls = boost::algorithm::istarts_with(name, "__host-") ||
                           boost::algorithm::istarts_with(name, "__secure-");
    return is_token && (transport == CookieTransport::secure || !needs_tls);
}

std::string checked_name(const std::string& name, CookieTransport transport)
{
    const bool is_expected = can_be_named(name, transport);
    const auto objection = SessionCookie::objection(name, transport);
    if (objection.has_value() == is_expected) {
        report_finding("a cookie named '{}': {}", name, objection.value_or("no objection"));
    }
    return is_expected ? name : std::string(SessionCookie::default_insecure_name);
}

void check_read(
    const SessionCookie& cookie, const http::fields& header, const std::vector<std::string>& lines
)
{
    const auto values = values_of(lines, cookie.name());
    const auto read = cookie.read(header);
    const bool is_expected =
        values.size() == 1 && SessionId::parse_issued(values.front()).has_value();
    if (read.has_value() != is_expected || (read && read->text() != values.front())) {
        report_finding(
            "'{}' is read as '{}', but there are {} values",
            cookie.name(),
            read ? read->text() : "nothing",
            values.size()
        );
    }
    if (!read && read.error() != errc::invalid_id) {
        report_finding("a cookie is refused with '{}'", read.error().message());
    }
}

/// What the client was given it shows us, among whatever else it has.
void check_given(const SessionCookie& cookie, const std::vector<std::string>& lines)
{
    const std::array<std::byte, SessionId::entropy_bytes> entropy{};
    const auto id = SessionId::from_entropy(entropy);
    const auto given = cookie.give(id);
    const auto shown = given.substr(0, given.find(';'));
    http::fields header;
    for (const auto& line : lines) {
        if (values_of({line}, cookie.name()).empty()) {
            header.insert(http::field::cookie, line);
        }
    }
    header.insert(http::field::cookie, shown);
    if (cookie.read(header) != id) {
        report_finding("'{}' is given, and not read", given);
    }
    if (!values_of({cookie.take_away()}, cookie.name()).front().empty()) {
        report_finding("'{}' takes nothing away", cookie.take_away());
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    auto lines = split(std::string(text_of({data, size})), "\n");
    const auto transport = size % 2 == 0 ? CookieTransport::secure : CookieTransport::insecure;
    const SessionCookie cookie(checked_name(lines.front(), transport), transport);
    lines.erase(lines.begin());

    http::fields header;
    for (const auto& line : lines) {
        const bool is_other = line.starts_with('!');
        header.insert(is_other ? http::field::accept : http::field::cookie, line);
    }
    std::erase_if(lines, [](const std::string& line) { return line.starts_with('!'); });
    check_read(cookie, header, lines);
    check_given(cookie, lines);
    return 0;
}

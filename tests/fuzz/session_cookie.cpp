/// @file
/// Fuzzes cookies. The input's lines: the cookie's name, then the `Cookie` fields of a request. The
/// same lines are also tried as the parts of a cookie that is given.

#include "fuzz/choices.hpp"
#include "fuzz/finding.hpp"

#include <sojourn/http/cookie.hpp>
#include <sojourn/http/session_cookie.hpp>
#include <sojourn/http/set_cookie.hpp>

#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/algorithm/string/split.hpp>
#include <boost/algorithm/string/trim.hpp>

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
using http::CookieTransport;
using http::SessionCookie;

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
            const auto equals = cookie.find('=');
            if (equals != std::string::npos && trimmed(cookie.substr(0, equals)) == name) {
                values.push_back(trimmed(cookie.substr(equals + 1)));
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

Result<SessionId> read_fields(const SessionCookie& cookie, const std::vector<std::string>& lines)
{
    SessionCookie::Reader reader(cookie);
    for (const auto& line : lines) {
        reader.look_in(line);
    }
    return reader.id();
}

void check_read(const SessionCookie& cookie, const std::vector<std::string>& lines)
{
    const auto values = values_of(lines, cookie.name());
    const auto read = read_fields(cookie, lines);
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
    auto others = lines;
    std::erase_if(others, [&](const std::string& line) {
        return !values_of({line}, cookie.name()).empty();
    });
    others.push_back(shown);
    if (read_fields(cookie, others) != id) {
        report_finding("'{}' is given, and not read", given);
    }
    if (!values_of({cookie.take_away()}, cookie.name()).front().empty()) {
        report_finding("'{}' takes nothing away", cookie.take_away());
    }
}

/// Whatever it is made of, what is written is one cookie, in one field.
void check_set(const std::vector<std::string>& lines)
{
    const auto line = [&](std::size_t index) {
        return index < lines.size() ? lines[index] : std::string();
    };
    http::SetCookie cookie(line(0), line(1));
    cookie.path("/" + line(2)).domain(line(3)).secure(lines.size() % 2 == 0);
    if (cookie.objection()) {
        return;
    }
    const auto text = cookie.text();
    const auto parts = static_cast<std::size_t>(std::ranges::count(text, ';')) + 1;
    const auto expected = 4U + (line(3).empty() ? 0U : 1U) + (lines.size() % 2 == 0 ? 1U : 0U);
    const bool is_one_field = std::ranges::all_of(text, [](char character) {
        return character >= ' ' && character <= '~';
    });
    std::string_view sent = std::string_view(text).substr(0, text.find(';'));
    const auto seen = http::take_cookie(sent);
    if (parts != expected || !is_one_field || seen != http::Cookie{line(0), line(1)}) {
        report_finding("a cookie is given as '{}'", text);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    auto lines = split(std::string(text_of({data, size})), "\n");
    check_set(lines);
    const auto transport = size % 2 == 0 ? CookieTransport::secure : CookieTransport::insecure;
    const SessionCookie cookie(checked_name(lines.front(), transport), transport);
    lines.erase(lines.begin());

    check_read(cookie, lines);
    check_given(cookie, lines);
    return 0;
}

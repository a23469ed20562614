#include <sojourn/core/error.hpp>
#include <sojourn/http/session_cookie.hpp>

#include <catch2/catch_test_macros.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace sojourn::tests {

namespace {

using http::CookieTransport;
using http::SameSite;
using http::SessionCookie;

const std::string id(SessionId::issued_length, 'A');
const std::string other_id(SessionId::issued_length, 'B');

Result<SessionId> read(std::initializer_list<std::string> fields)
{
    const SessionCookie cookie;
    SessionCookie::Reader reader(cookie);
    for (const auto& field : fields) {
        reader.look_in(field);
    }
    return reader.id();
}

bool finds_id(std::initializer_list<std::string> fields)
{
    const auto found = read(fields);
    return found && found->text() == id;
}

bool finds_nothing(std::initializer_list<std::string> fields)
{
    const auto found = read(fields);
    return found.has_error() && found.error() == errc::invalid_id;
}

} // namespace

TEST_CASE("session_cookie: the id is found among other cookies", "[http]")
{
    CHECK(finds_id({"__Host-id=" + id}));
    CHECK(finds_id({"theme=dark; __Host-id=" + id + "; lang=en"}));
    CHECK(finds_id({"theme=dark;__Host-id=" + id + ";"}));
    CHECK(finds_id({"\t __Host-id=" + id + " \t"}));
    CHECK(finds_id({"=; ;;__Host-id=" + id}));
    CHECK(finds_id({"theme=dark", "__Host-id=" + id}));
}

TEST_CASE(
    "session_cookie: what is not exactly one cookie of our name with an issued id is none", "[http]"
)
{
    CHECK(finds_nothing({}));
    CHECK(finds_nothing({""}));
    CHECK(finds_nothing({"__Host-id"}));
    CHECK(finds_nothing({"__Host-id="}));
    CHECK(finds_nothing({"__host-id=" + id}));
    CHECK(finds_nothing({"x__Host-id=" + id}));
    CHECK(finds_nothing({"__Host-idx=" + id}));
    CHECK(finds_nothing({"__Host-id=\"" + id + "\""}));
    CHECK(finds_nothing({"__Host-id=" + id + "A"}));
    CHECK(finds_nothing({"__Host-id=" + id.substr(1)}));
    CHECK(finds_nothing({"__Host-id=" + id.substr(1) + "="}));
    CHECK(finds_nothing({"__Host-id=" + id.substr(1) + "\xC3"}));
    CHECK(finds_nothing({"__Host-id=" + id.substr(1) + std::string(1, '\0')}));
}

TEST_CASE("session_cookie: a cookie that is there twice is none, even with equal values", "[http]")
{
    CHECK(finds_nothing({"__Host-id=" + id + "; __Host-id=" + other_id}));
    CHECK(finds_nothing({"__Host-id=" + id + "; __Host-id=" + id}));
    CHECK(finds_nothing({"__Host-id=" + id, "__Host-id=" + id}));
    CHECK(finds_nothing({"__Host-id=" + id, "__Host-id=" + id, "__Host-id=" + id}));
    CHECK(finds_nothing({"__Host-id=; __Host-id=" + id}));
}

TEST_CASE("session_cookie: a value without a name is nobody's cookie, whatever it says", "[http]")
{
    CHECK(finds_id({"__Host-id; __Host-id=" + id}));
    CHECK(finds_nothing({id}));
    CHECK(finds_nothing({"=" + id}));
    CHECK(finds_nothing({"=__Host-id=" + id}));
}

TEST_CASE("session_cookie: one field can be read at once", "[http]")
{
    const SessionCookie cookie("sid");
    CHECK(cookie.read("theme=dark; sid=" + id).value().text() == id);
    CHECK(cookie.read("theme=dark").error() == errc::invalid_id);
    CHECK(cookie.read("sid=" + id + "; sid=" + id).error() == errc::invalid_id);
}

TEST_CASE("session_cookie: it is given and taken away with the same rules", "[http]")
{
    const SessionCookie secure;
    CHECK(
        secure.give(*SessionId::parse_issued(id)) ==
        "__Host-id=" + id + "; Secure; HttpOnly; SameSite=Lax; Path=/"
    );
    CHECK(secure.take_away() == "__Host-id=; Max-Age=0; Secure; HttpOnly; SameSite=Lax; Path=/");

    const SessionCookie insecure("sid", CookieTransport::insecure);
    CHECK(
        insecure.give(*SessionId::parse_issued(id)) ==
        "sid=" + id + "; HttpOnly; SameSite=Lax; Path=/"
    );
    CHECK(insecure.take_away() == "sid=; Max-Age=0; HttpOnly; SameSite=Lax; Path=/");

    const SessionCookie strict("sid", CookieTransport::secure, SameSite::strict);
    CHECK(
        strict.give(*SessionId::parse_issued(id)) ==
        "sid=" + id + "; Secure; HttpOnly; SameSite=Strict; Path=/"
    );
    CHECK(strict.take_away() == "sid=; Max-Age=0; Secure; HttpOnly; SameSite=Strict; Path=/");
}

TEST_CASE("session_cookie: a name is a token, and promises nothing that does not hold", "[http]")
{
    using enum CookieTransport;
    CHECK_FALSE(SessionCookie::objection("__Host-id", secure));
    CHECK_FALSE(SessionCookie::objection("sid", secure));
    CHECK_FALSE(SessionCookie::objection("sid", insecure));

    for (const std::string_view name : {"", "a b", "a;b", "a=b", "a\r\nb", "\"a\"", "\xC3\xA9"}) {
        CHECK(SessionCookie::objection(name, secure));
    }
    CHECK_FALSE(SessionCookie::objection(std::string(64, 'a'), secure));
    CHECK(SessionCookie::objection(std::string(65, 'a'), secure));
    CHECK(SessionCookie::objection("__Host-id", insecure));
    CHECK(SessionCookie::objection("__HOST-id", insecure));
    CHECK(SessionCookie::objection("__Secure-id", insecure));
    CHECK_FALSE(SessionCookie::objection("sid", secure, SameSite::none));
    CHECK(SessionCookie::objection("sid", insecure, SameSite::none));
}

} // namespace sojourn::tests

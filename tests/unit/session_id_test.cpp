#include "sojourn/core/session_id.hpp"
#include "support/allocations.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#if __has_include(<fmt/format.h>)
#include <fmt/format.h>
#endif

using namespace std::string_view_literals;
using sojourn::errc;
using sojourn::SessionId;

namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };

template <class T>
concept Nameable = requires(const T& value) { to_string(value); };

static_assert(!Streamable<SessionId>, "a secret prints nowhere");
static_assert(!Nameable<SessionId>, "a secret prints nowhere");
static_assert(!std::is_convertible_v<SessionId, std::string_view>);
static_assert(!std::is_convertible_v<SessionId, std::string>);
static_assert(!std::is_constructible_v<SessionId, std::string_view>, "only `parse` lets a text in");
#if __has_include(<fmt/format.h>)
static_assert(!fmt::is_formattable<SessionId>::value, "a secret prints nowhere");
#endif
static_assert(std::is_default_constructible_v<SessionId>);
static_assert(std::is_nothrow_move_constructible_v<SessionId> && std::is_nothrow_move_assignable_v<SessionId>);
static_assert(!std::is_aggregate_v<SessionId>);

std::array<std::byte, SessionId::entropy_bytes> bytes_from(unsigned first, unsigned step)
{
    std::array<std::byte, SessionId::entropy_bytes> bytes{};
    for (unsigned i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>(first + i * step);
    }
    return bytes;
}

} // namespace

TEST_CASE("session_id: entropy is encoded as base64url without padding", "[unit][core]")
{
    // Written by Python: base64.urlsafe_b64encode(bytes(...)).rstrip(b"=").
    CHECK(
        SessionId::from_entropy(bytes_from(0, 0)).text() ==
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    );
    CHECK(
        SessionId::from_entropy(bytes_from(255, 0)).text() ==
        "__________________________________________8"
    );
    CHECK(
        SessionId::from_entropy(bytes_from(0, 1)).text() ==
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    );
    CHECK(
        SessionId::from_entropy(bytes_from(7, 31)).text() ==
        "ByZFZIOiweD_Hj1ce5q52PcWNVRzkrHQ7w4tTGuKqcg"
    );
    CHECK(
        SessionId::from_entropy(bytes_from(251, 0)).text() ==
        "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s"
    );
}

TEST_CASE("session_id: an issued id is read back and equal", "[unit][core]")
{
    const auto issued = SessionId::from_entropy(bytes_from(3, 7));
    CHECK(issued.text().size() == SessionId::issued_length);
    CHECK(SessionId::parse_issued(issued.text()).value() == issued);
    CHECK(SessionId::parse(issued.text()).value() == issued);
}

TEST_CASE("session_id: each bit of the entropy shows", "[unit][core]")
{
    const auto zero = SessionId::from_entropy(bytes_from(0, 0));
    std::vector<std::string> texts;
    for (std::size_t bit = 0; bit < 8 * SessionId::entropy_bytes; ++bit) {
        auto bytes = bytes_from(0, 0);
        bytes[bit / 8] = std::byte{1} << (bit % 8);
        const auto id = SessionId::from_entropy(bytes);
        CHECK(!(id == zero));
        texts.emplace_back(id.text());
    }
    std::ranges::sort(texts);
    CHECK(std::ranges::adjacent_find(texts) == texts.end());
}

TEST_CASE("session_id: a peer may bring 1 to 128 visible characters", "[unit][core]")
{
    CHECK(SessionId::parse("a").value().text() == "a");
    CHECK(SessionId::parse(std::string(128, 'x')).value().text() == std::string(128, 'x'));
    CHECK(SessionId::parse(std::string(129, 'x')).error() == errc::invalid_id);
    CHECK(SessionId::parse("").error() == errc::invalid_id);
    CHECK(SessionId::parse(std::string_view()).error() == errc::invalid_id);
    CHECK(SessionId::parse("!~").has_value());
}

TEST_CASE("session_id: of all bytes only the visible ASCII ones are taken", "[unit][core]")
{
    for (int value = 0; value < 256; ++value) {
        const bool is_visible = value >= 0x21 && value <= 0x7E;
        for (const std::size_t place : {0U, 20U, 42U}) {
            std::string text(SessionId::issued_length, 'a');
            text[place] = static_cast<char>(value);
            CAPTURE(value, place);
            CHECK(SessionId::parse(text).has_value() == is_visible);
        }
    }
}

TEST_CASE("session_id: of all bytes only the base64url ones are in an issued id", "[unit][core]")
{
    constexpr auto alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"sv;
    for (int value = 0; value < 256; ++value) {
        const auto character = static_cast<char>(value);
        std::string text(SessionId::issued_length, 'a');
        text.back() = character;
        CAPTURE(value);
        CHECK(
            SessionId::parse_issued(text).has_value() == (alphabet.find(character) != alphabet.npos)
        );
    }
}

TEST_CASE("session_id: an issued id has 43 characters", "[unit][core]")
{
    CHECK(SessionId::parse_issued(std::string(43, 'a')).has_value());
    CHECK(SessionId::parse_issued(std::string(42, 'a')).error() == errc::invalid_id);
    CHECK(SessionId::parse_issued(std::string(44, 'a')).error() == errc::invalid_id);
    CHECK(SessionId::parse_issued("").error() == errc::invalid_id);
}

TEST_CASE("session_id: hostile texts are refused and not echoed", "[unit][core]")
{
    const std::string text = GENERATE(
        std::string("id\r\nSet-Cookie: x=y"),
        std::string("abc\r"),
        std::string("abc\n"),
        std::string("\0", 1),
        std::string("abc\0def", 7),
        std::string("a b"),
        std::string("a\tb"),
        std::string("\x7f"),
        std::string("\xC3\xA9t\xC3\xA9"),
        std::string("\xFF\xFE"),
        std::string(1U << 20U, 'a'),
        std::string(1U << 20U, '\0'),
        std::string("\x1b[31mred")
    );
    for (const auto& result : {SessionId::parse(text), SessionId::parse_issued(text)}) {
        REQUIRE(result.has_error());
        CHECK(result.error() == errc::invalid_id);
        CHECK(result.error().message() == "not a session id");
    }
}

TEST_CASE("session_id: ids of any length are kept, copied and moved", "[unit][core]")
{
    // 47 characters are stored in place, 48 are not.
    const auto length = GENERATE(1U, 42U, 43U, 44U, 46U, 47U, 48U, 49U, 127U, 128U);
    std::string text(length, 'x');
    text.front() = 'a';
    text.back() = 'z';
    CAPTURE(length);

    const auto id = SessionId::parse(text).value();
    CHECK(id.text() == text);
    SessionId copy = id;
    CHECK(copy.text() == text);
    CHECK(copy == id);

    const SessionId moved = std::move(copy);
    CHECK(moved.text() == text);
    copy = id;
    CHECK(copy.text() == text);

    SessionId assigned = SessionId::parse("short").value();
    assigned = id;
    CHECK(assigned.text() == text);
    assigned = SessionId::parse("short").value();
    CHECK(assigned.text() == "short");
    CHECK(id.text() == text);
}

TEST_CASE("session_id: an id that is assigned to itself stays what it is", "[unit][core]")
{
    for (const std::size_t length : {1U, 43U, 128U}) {
        const std::string text(length, 'x');
        auto id = SessionId::parse(text).value();
        auto& same = id;
        id = same;
        CHECK(id.text() == text);
        id = std::move(same);
        CHECK(id.text() == text); // NOLINT(bugprone-use-after-move): that is the point
    }
}

TEST_CASE("session_id: a copy allocates nothing, so it cannot fail", "[unit][core]")
{
    const auto length = GENERATE(1U, 43U, 47U, 48U, 128U);
    const auto id = SessionId::parse(std::string(length, 'x')).value();
    SessionId assigned;
    const auto before = sojourn::tests::allocations_made();
    const auto copy = id;
    assigned = id;
    const auto after = sojourn::tests::allocations_made();
    CHECK(before == after);
    CHECK((copy == id && assigned == id));
}

TEST_CASE("session_id: ids are equal when every character is", "[unit][core]")
{
    const auto length = GENERATE(1U, 43U, 47U, 48U, 128U);
    const std::string text(length, 'k');
    const auto id = SessionId::parse(text).value();
    CHECK(id == SessionId::parse(text).value());
    for (std::size_t place = 0; place < length; ++place) {
        auto other = text;
        other[place] = 'l';
        CAPTURE(length, place);
        CHECK_FALSE(id == SessionId::parse(other).value());
    }
    if (length < SessionId::max_length) {
        CHECK_FALSE(id == SessionId::parse(text + 'k').value());
    }
    CHECK_FALSE(id == SessionId());
}

TEST_CASE("session_id: a default-constructed id names no session", "[unit][core]")
{
    const SessionId none;
    CHECK(none.empty());
    CHECK(none.text().empty());
    CHECK(none == SessionId());
    CHECK_FALSE(SessionId::parse("a").value().empty());
}

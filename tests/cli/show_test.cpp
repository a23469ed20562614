#include "cli/show.hpp"
#include "cli/table.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <sstream>
#include <string>

using namespace sojourn::cli;
namespace json = boost::json;

namespace {

std::size_t widest_line(const std::string& text)
{
    std::istringstream lines(text);
    std::size_t widest = 0;
    for (std::string line; std::getline(lines, line);) {
        const auto is_beginning = [](char byte) {
            return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
        };
        widest =
            std::max(widest, static_cast<std::size_t>(std::ranges::count_if(line, is_beginning)));
    }
    return widest;
}

json::array sessions_of(const std::string& principal)
{
    return {json::object{
        {"reference", "0123456789abcdef"},
        {"principal", principal},
        {"created", "2026-01-31T09:00:00Z"},
        {"use", "half_open"},
        {"idle_seconds", 90.5},
        {"expires_in_seconds", 3600},
        {"requests", 12345},
    }};
}

} // namespace

TEST_CASE("show: a length of time has no more than two units", "[cli]")
{
    CHECK(show_seconds(0) == "0ms");
    CHECK(show_seconds(0.45) == "450ms");
    CHECK(show_seconds(1) == "1s");
    CHECK(show_seconds(59.9) == "59s");
    CHECK(show_seconds(60) == "1m");
    CHECK(show_seconds(90) == "1m30s");
    CHECK(show_seconds(3600) == "1h");
    CHECK(show_seconds(3661) == "1h1m");
    CHECK(show_seconds(86400 + 59) == "1d");
    CHECK(show_seconds(7 * 86400 + 3600) == "7d1h");
}

TEST_CASE("show: a table fits the terminal, and says where it was cut", "[cli]")
{
    const std::string long_name(200, 'p');
    const auto whole = show_sessions(sessions_of(long_name), std::nullopt);
    CHECK(whole.find(long_name) != std::string::npos);
    const auto cut = show_sessions(sessions_of(long_name), 100);
    CHECK(widest_line(cut) <= 100);
    CHECK(widest_line(show_sessions(sessions_of(long_name), 80)) <= 80);
    CHECK(cut.find("ppp…") != std::string::npos);
    CHECK(cut.find("0123456789abcdef") != std::string::npos);
    // Characters of several bytes are cut between characters.
    std::string umlauts;
    for (int i = 0; i < 100; ++i) {
        umlauts += "ä";
    }
    const auto cut_umlauts = show_sessions(sessions_of(umlauts), 100);
    CHECK(widest_line(cut_umlauts) <= 100);
    CHECK(cut_umlauts.find("ä…") != std::string::npos);
    CHECK(harmless(cut_umlauts).find("??") == std::string::npos);
}

TEST_CASE("show: nothing that a terminal would obey gets there", "[cli]")
{
    CHECK(harmless("plain ä €") == "plain ä €");
    CHECK(harmless("\x1b[2Jx\r\n\t\x7f") == "?[2Jx????");
    CHECK(
        harmless("a\xC2\x9B"
                 "2J") == "a?2J"
    );
    CHECK(
        harmless("a\xE2\x80\xAE"
                 "b\xE2\x80\x8B"
                 "c") == "a?b?c"
    );
    CHECK(
        harmless("a\xD8\x9C"
                 "b\xE2\x80\xA8"
                 "c\xE2\x80\xA9"
                 "d\xEF\xBB\xBF"
                 "e") == "a?b?c?d?e"
    );
    CHECK(harmless("\xFF\xFE") == "??");
    CHECK(show_sessions(sessions_of("\x1b[2J"), std::nullopt).find('\x1b') == std::string::npos);
}

TEST_CASE("show: JSON says the same without what a terminal would obey", "[cli]")
{
    const json::value value{
        {"principal",
         "a\x1b\x7F\xC2\x9B"
         "2J\xD8\x9C\xE2\x80\xAE\xE2\x81\xA6\xEF\xBB\xBF \xC3\xA4\xE2\x82\xAC"}
    };
    const auto text = show_json(value);
    CHECK(
        text == R"({"principal":"a\u001b\u007f\u009b2J\u061c\u202e\u2066\ufeff )"
                "\xC3\xA4\xE2\x82\xAC\"}\n"
    );
    CHECK(json::parse(text) == value);
}

TEST_CASE("show: frames are a line each, harmless and no wider than the terminal", "[cli]")
{
    const auto frame = [](int sequence, const std::string& direction, const std::string& payload) {
        return json::object{
            {"sequence", sequence},
            {"recorded", "2026-01-31T09:00:00.250Z"},
            {"direction", direction},
            {"stream", 3},
            {"bytes", payload.size()},
            {"payload", payload},
        };
    };
    const json::array first{frame(9, "to_client", "a\n\x1b[2J")};
    const json::array second{frame(10, "from_client", std::string(500, 'x'))};
    CHECK(
        show_frames(first, 80, Heading::shown) ==
        "  NUMBER  TIME          DIRECTION    STREAM     BYTES  PAYLOAD\n"
        "       9  09:00:00.250  to_client         3         6  a??[2J\n"
    );
    const auto long_one = show_frames(second, 80, Heading::omitted);
    CHECK(widest_line(long_one) == 80);
    CHECK(long_one.starts_with("      10  09:00:00.250  from_client       3       500  xxx"));
    CHECK(long_one.ends_with("x…\n"));
}

TEST_CASE("show: health is one line that says what is wrong", "[cli]")
{
    const auto healthy = json::parse(R"({"ready":true,"state":"running","cleanup_lag_seconds":0,
        "cleanup":{"consecutive_failures":0},"events":{"consecutive_failures":0}})");
    CHECK(show_health(healthy, false) == "ready: running\n");
    CHECK(show_health(healthy, true) == "\x1b[32mready\x1b[0m: running\n");
    const auto ill = json::parse(R"({"ready":false,"state":"draining","cleanup_lag_seconds":2.5,
        "cleanup":{"consecutive_failures":3},"events":{"consecutive_failures":0}})");
    CHECK(
        show_health(ill, false) ==
        "not ready: draining; cleanup has failed 3 times in a row; cleanup is behind by 2s\n"
    );
}

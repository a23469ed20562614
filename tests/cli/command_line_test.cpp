#include "cli/command_line.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

using namespace sojourn::cli;
using namespace std::chrono_literals;
using boost::beast::http::verb;

namespace {

std::variant<Invocation, Dismissal> parse(std::vector<const char*> arguments)
{
    arguments.insert(arguments.begin(), {"sojournctl", "--endpoint", "unix:/run/a.sock"});
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

Invocation accepted(const std::vector<const char*>& arguments)
{
    auto parsed = parse(arguments);
    if (const auto* const dismissal = std::get_if<Dismissal>(&parsed)) {
        FAIL(dismissal->text);
    }
    return std::get<Invocation>(parsed);
}

std::string refused(const std::vector<const char*>& arguments)
{
    const auto parsed = parse(arguments);
    REQUIRE(std::holds_alternative<Dismissal>(parsed));
    CHECK(std::get<Dismissal>(parsed).status == ExitStatus::usage);
    return std::get<Dismissal>(parsed).text;
}

std::string text_of(const std::vector<const char*>& arguments)
{
    const auto parsed = parse(arguments);
    REQUIRE(std::holds_alternative<Dismissal>(parsed));
    CHECK(std::get<Dismissal>(parsed).status == ExitStatus::success);
    return std::get<Dismissal>(parsed).text;
}

} // namespace

TEST_CASE("sojournctl: each command asks for its resource", "[cli]")
{
    CHECK(accepted({"session", "list"}).target == "/sessions");
    CHECK(
        accepted({"session", "list", "--principal", "a b&c", "--use", "idle", "--limit", "5"})
            .target == "/sessions?principal=a%20b%26c&use=idle&limit=5"
    );
    CHECK(
        accepted({"session", "list", "--idle-longer-than", "1h30m", "--sort", "age"}).target ==
        "/sessions?idle_for=1h30m&sort=age"
    );
    CHECK(accepted({"session", "show", "0123456789abcdef"}).target == "/sessions/0123456789abcdef");
    const auto deletion = accepted({"session", "delete", "0123456789abcdef"});
    CHECK(deletion.target == "/sessions/0123456789abcdef");
    CHECK(deletion.method == verb::delete_);
    CHECK(accepted({"principal", "delete", "a/b"}).target == "/principals/a%2Fb/sessions");
    CHECK(accepted({"session", "cleanup"}).target == "/cleanup?scope=expired");
    CHECK(
        accepted({"session", "cleanup", "--all", "--dry-run"}).target ==
        "/cleanup?scope=all&dry_run=true"
    );
    CHECK(
        accepted({"session", "cleanup", "--idle-longer-than", "30m"}).target ==
        "/cleanup?scope=idle&idle_for=30m"
    );
    const auto frames = accepted({"frames", "0123456789abcdef", "--stream", "7", "--after", "5"});
    CHECK(frames.target == "/sessions/0123456789abcdef/frames?stream=7");
    CHECK(frames.after == 5);
    CHECK(frames.frames == FrameChoice::one_stream);
    CHECK(accepted({"frames", "0123456789abcdef"}).frames == FrameChoice::all);
    CHECK_FALSE(frames.follows);
    CHECK(accepted({"frames", "0123456789abcdef", "--follow"}).follows);
    CHECK(accepted({"stats"}).target == "/stats");
    CHECK(accepted({"health"}).target == "/health");
    CHECK(accepted({"drain", "--deadline", "5s"}).target == "/drain?deadline=5s");
    CHECK(accepted({"drain", "--deadline", "5s"}).patience == 20s);
    CHECK_FALSE(accepted({"drain", "--no-wait"}).patience.has_value());
    CHECK(accepted({"stats", "--watch"}).interval == 1s);
    CHECK_FALSE(accepted({"stats"}).interval.has_value());
}

TEST_CASE("sojournctl: a duration that is none is refused, and what is one is said", "[cli]")
{
    for (const char* const text : {"0", "-5m", "5", "1y", "99999999999999d", ""}) {
        for (const auto& arguments : std::vector<std::vector<const char*>>{
                 {"session", "cleanup", "--idle-longer-than", text},
                 {"session", "list", "--idle-longer-than", text},
                 {"drain", "--deadline", text},
                 {"stats", "--watch", "--interval", text}
             }) {
            INFO(arguments[0] << " '" << text << "'");
            const auto error = refused(arguments);
            CHECK(error.find(arguments[arguments.size() - 2]) != std::string::npos);
            CHECK(error.find("'" + std::string(text) + "'") != std::string::npos);
            CHECK(error.find("such as 90s, 15m, 1h30m or 7d, up to 365d") != std::string::npos);
        }
    }
    CHECK(refused({"drain", "--deadline", "1y"}).find("unknown unit") != std::string::npos);
    CHECK(refused({"drain", "--deadline", "5"}).find("lacks a unit") != std::string::npos);
    CHECK(refused({"drain", "--deadline", "0"}).find("is zero") != std::string::npos);
    CHECK(refused({"drain", "--deadline", "-5m"}).find("is negative") != std::string::npos);
    CHECK(
        refused({"drain", "--deadline", "366d"}).find("longer than 365 days") != std::string::npos
    );
    CHECK(refused({"drain", "--deadline", ""}).find("is empty") != std::string::npos);
}

TEST_CASE("sojournctl: what destroys asks before, and need not be asked twice", "[cli]")
{
    for (const auto& arguments : std::vector<std::vector<const char*>>{
             {"session", "delete", "0123456789abcdef"},
             {"principal", "delete", "bob"},
             {"session", "cleanup", "--all"},
             {"session", "cleanup", "--idle-longer-than", "1m"},
             {"drain"}
         }) {
        CHECK(accepted(arguments).question.has_value());
        auto sure = arguments;
        sure.push_back("--yes");
        CHECK_FALSE(accepted(sure).question.has_value());
    }
    CHECK_FALSE(accepted({"session", "cleanup", "--all", "--dry-run"}).question.has_value());
    CHECK_FALSE(accepted({"session", "cleanup", "--expired"}).question.has_value());
    CHECK_FALSE(accepted({"session", "list"}).question.has_value());
}

TEST_CASE("sojournctl: what is wrong on a command line is said", "[cli]")
{
    CHECK(refused({"session", "show", "xyz"}).find("sixteen digits") != std::string::npos);
    CHECK(refused({"frames", "xyz"}).find("sixteen digits") != std::string::npos);
    CHECK(
        refused({"frames", "0123456789abcdef", "--after", "-1"}).find("whole number") !=
        std::string::npos
    );
    CHECK(
        refused({"frames", "0123456789abcdef", "--stream", "4294967296"})
            .find("from 0 to 4294967295") != std::string::npos
    );
    CHECK(refused({"principal", "delete", ""}).find("must not be empty") != std::string::npos);
    CHECK(
        refused({"session", "cleanup", "--all", "--expired"}).find("takes one of") !=
        std::string::npos
    );
    const std::vector<const char*> elsewhere{"sojournctl", "--endpoint", "ftp://x", "stats"};
    const auto parsed = parse_command_line(static_cast<int>(elsewhere.size()), elsewhere.data());
    CHECK(std::get<Dismissal>(parsed).text.find("neither unix:PATH") != std::string::npos);
    CHECK(
        refused({"session", "list", "--sort", "age", "--all-pages"}).find("does not go with") !=
        std::string::npos
    );
    CHECK(
        refused({"session", "list", "--limit", "0x10"}).find("whole number") != std::string::npos
    );
    CHECK(refused({"--token-file", "/tmp", "stats"}).find("--token-file") != std::string::npos);
    CHECK(refused({"drain", "--deadline="}).find("up to 365d") != std::string::npos);
    CHECK(
        accepted({"session", "list", "--principal=", "--use=idle"}).target ==
        "/sessions?principal=&use=idle"
    );
    CHECK(refused({"session", "list", "--limit", "0"}).find("--limit") != std::string::npos);
    CHECK(refused({"session", "list", "--use", "busy"}).find("--use") != std::string::npos);
    CHECK(
        refused({"--token-file", "/nowhere", "stats"}).find("cannot read '/nowhere'") !=
        std::string::npos
    );
    CHECK(refused({}).find("sojournctl") != std::string::npos);
    CHECK(refused({"session"}).find("sojournctl") != std::string::npos);
    CHECK(refused({"stats", "--wat"}).find("--wat") != std::string::npos);
}

// The completion knows them all, as it is made from them.
TEST_CASE("sojournctl: the manual page names every command and option", "[cli]")
{
    std::ifstream file(SOJOURN_SOURCE_DIR "/src/cli/sojournctl.1");
    std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    for (std::size_t at = 0; (at = page.find("\\-", at)) != std::string::npos;) {
        page.erase(at, 1);
    }
    REQUIRE(page.find("sojournctl - look into") != std::string::npos);

    std::istringstream script(text_of({"completion", "bash"}));
    std::set<std::string> words;
    for (std::string line; std::getline(script, line);) {
        const auto begin = line.find("choices=\"");
        if (begin != std::string::npos && line.ends_with("\" ;;")) {
            std::istringstream list(line.substr(begin + 9, line.size() - begin - 13));
            words.insert(std::istream_iterator<std::string>(list), {});
        }
    }
    CHECK(words.size() > 20);
    for (const auto& word : words) {
        INFO(word);
        CHECK(page.find(word) != std::string::npos);
    }
}

TEST_CASE("sojournctl: an endpoint is a Unix socket or an address with a port", "[cli]")
{
    CHECK(parse_address("unix:/run/a.sock").has_value());
    CHECK(parse_address("unix:" + std::string(107, 'a')).has_value());
    CHECK(parse_address("http://127.0.0.1:9090").has_value());
    CHECK(parse_address("http://localhost:9090/").has_value());
    CHECK(parse_address("http://[::1]:9090").has_value());
    for (const char* const text :
         {"",
          "unix:",
          "/run/a.sock",
          "127.0.0.1:9090",
          "http://",
          "http://127.0.0.1",
          "http://:9090",
          "http://127.0.0.1:0",
          "http://127.0.0.1:99999",
          "http://127.0.0.1:9090/sessions",
          "http://example.com:80",
          "https://127.0.0.1:9090"}) {
        INFO(text);
        CHECK_FALSE(parse_address(text).has_value());
    }
    CHECK_FALSE(parse_address("unix:" + std::string(108, 'a')).has_value());
}

TEST_CASE("sojournctl: help, version and completion are for the asking", "[cli]")
{
    CHECK(text_of({"--help"}).find("drain") != std::string::npos);
    CHECK(text_of({"session", "cleanup", "--help"}).find("--dry-run") != std::string::npos);
    CHECK(text_of({"--version"}).starts_with("sojournctl "));
    for (const char* const shell : {"bash", "zsh"}) {
        const auto script = text_of({"completion", shell});
        CHECK(script.find("_sojournctl sojournctl\n") != std::string::npos);
        CHECK(script.find("\"session cleanup\") choices=\"--") != std::string::npos);
        CHECK(script.find("--idle-longer-than") != std::string::npos);
    }
}

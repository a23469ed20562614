#include "http_sessions/command_line.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sojourn::tests {

namespace {

using http_sessions::Dismissal;
using http_sessions::ServerOptions;
using http_sessions::Sessions;

auto parse(std::vector<const char*> arguments)
{
    arguments.insert(arguments.begin(), "http_sessions");
    return http_sessions::parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

ServerOptions accepted(const std::vector<const char*>& arguments)
{
    return std::get<ServerOptions>(parse(arguments));
}

std::string listen_of(const char* text)
{
    std::ostringstream written;
    written << accepted({"--listen", text}).listen;
    return written.str();
}

/// Whether this value is refused with status 2, and a text that has all these words.
bool refuses(const char* option, const char* value, std::string_view words = "")
{
    const auto parsed = parse({option, value});
    const auto* dismissal = std::get_if<Dismissal>(&parsed);
    return dismissal != nullptr && dismissal->exit_status == 2 &&
           dismissal->text.find(option) != std::string::npos &&
           dismissal->text.find(words) != std::string::npos;
}

} // namespace

TEST_CASE("command_line: without options it has the defaults of the service", "[http]")
{
    const auto options = accepted({});
    CHECK(listen_of("127.0.0.1:8080") == "127.0.0.1:8080");
    CHECK(options.threads == 1);
    CHECK(options.sessions == Sessions::on);
    CHECK(options.service.max_sessions() == ServiceOptions().max_sessions());
    CHECK(options.cookie.name() == "__Host-id");
}

TEST_CASE("command_line: every option sets what it names", "[http]")
{
    const auto options = accepted(
        {"--threads",
         "3",
         "--sessions",
         "off",
         "--max-sessions",
         "500",
         "--idle-timeout",
         "90s",
         "--lifetime",
         "1h30m",
         "--rate",
         "20",
         "--shards",
         "4",
         "--max-in-flight",
         "7",
         "--admin",
         "unix:/run/admin.sock",
         "--admin-console",
         "--cookie-name",
         "sid"}
    );
    CHECK(options.threads == 3);
    CHECK(options.sessions == Sessions::off);
    CHECK(options.service.max_sessions() == 500);
    CHECK(options.service.idle_timeout() == std::chrono::seconds(90));
    CHECK(options.service.absolute_lifetime() == std::chrono::minutes(90));
    CHECK(options.service.request_rate() == RateLimit(20, 20));
    CHECK(options.service.shards() == 4);
    CHECK(options.service.max_in_flight() == 7U);
    REQUIRE(options.admin.has_value());
    CHECK(options.admin->has_console());
    CHECK_FALSE(accepted({"--admin", "unix:a"}).admin->has_console());
    CHECK(options.cookie.name() == "sid");
    CHECK(accepted({"--rate", "unlimited"}).service.request_rate().is_unlimited());
    CHECK(accepted({"--rate", "1000000000"}).service.request_rate().burst() == 1'000'000);
    CHECK(accepted({"--sessions", "on"}).sessions == Sessions::on);
    CHECK(accepted({"--insecure-cookies"}).cookie.name() == "id");
    CHECK(accepted({"--threads", "010"}).threads == 10);
}

TEST_CASE("command_line: an address is of either version, and has a port", "[http]")
{
    CHECK(listen_of("0.0.0.0:0") == "0.0.0.0:0");
    CHECK(listen_of("[::1]:8080") == "[::1]:8080");
    for (const char* text :
         {"",
          ":",
          ":80",
          "8080",
          "127.0.0.1",
          "127.0.0.1:",
          "127.0.0.1:65536",
          "127.0.0.1:-1",
          "127.0.0.1:8x",
          "::1:80",
          "[127.0.0.1]:80",
          "[::1]",
          "[::1",
          "localhost:80",
          "1.2.3.4.5:80"}) {
        CAPTURE(text);
        CHECK(refuses("--listen", text, "127.0.0.1:8080 or [::1]:8080"));
    }
}

TEST_CASE(
    "command_line: what is out of bounds is refused, with the option's name and the bounds",
    "[http]"
)
{
    for (const char* option :
         {"--threads", "--max-sessions", "--max-in-flight", "--shards", "--rate"}) {
        for (const char* value :
             {"", "abc", "-1", "1.5", "1e3", "0x10", " 1", "99999999999999999999999"}) {
            CAPTURE(option, value);
            CHECK(refuses(option, value, "whole number"));
        }
        CHECK(refuses(option, "0"));
    }
    CHECK(refuses("--threads", "abc", "from 1 to 256"));
    CHECK(refuses("--max-sessions", "x", "from 1 to 100000000"));
    CHECK(refuses("--shards", "-1", "from 1 to 256"));
    CHECK(refuses("--rate", "x", "from 1 to 1000000000"));
    CHECK(refuses("--threads", "257", "from 1 to 256"));
    CHECK(refuses("--max-sessions", "100000001", "from 1 to 100000000"));
    CHECK(refuses("--shards", "257", "from 1 to 256"));
    CHECK(refuses("--rate", "1000000001"));

    for (const char* option : {"--idle-timeout", "--lifetime"}) {
        CHECK(refuses(option, "", "duration"));
        CHECK(refuses(option, "90", "lacks a unit"));
        CHECK(refuses(option, "0", "zero"));
        CHECK(refuses(option, "-5s", "negative"));
        CHECK(refuses(option, "99999999999d", "365 days"));
        CHECK(refuses(option, "5y", "unknown unit"));
    }
    for (const char* value : {"", "On", "true", "0", "off "}) {
        CHECK(refuses("--sessions", value, "neither 'on' nor 'off'"));
    }
    CHECK(refuses("--cookie-name", "a b", "letters"));
    CHECK(refuses("--cookie-name", "", "letters"));
}

TEST_CASE("command_line: options that contradict each other are refused", "[http]")
{
    const auto is_refused = [](const std::vector<const char*>& arguments) {
        const auto parsed = parse(arguments);
        return std::holds_alternative<Dismissal>(parsed) &&
               std::get<Dismissal>(parsed).exit_status == 2;
    };
    CHECK(is_refused({"--insecure-cookies", "--cookie-name", "__Host-id"}));
    CHECK(is_refused({"--cookie-name", "__Host-id", "--insecure-cookies"}));
    CHECK(is_refused({"--shards", "8", "--max-sessions", "4"}));
    const auto shards = std::get<Dismissal>(parse({"--shards", "8", "--max-sessions", "4"})).text;
    CHECK(shards.find("--shards: must not be more than --max-sessions") != std::string::npos);
    CHECK(is_refused({"--admin-console"}));
    CHECK(is_refused({"--unknown"}));
    CHECK(is_refused({"stray"}));
    CHECK(is_refused({"--listen"}));
    CHECK(is_refused({"--threads", "1", "--threads", "2"}));
}

TEST_CASE("command_line: help names every option, and is no mistake", "[http]")
{
    const auto help = std::get<Dismissal>(parse({"--help"}));
    CHECK(help.exit_status == 0);
    for (const std::string_view option :
         {"--listen",
          "--threads",
          "--sessions",
          "--max-sessions",
          "--idle-timeout",
          "--lifetime",
          "--rate",
          "--shards",
          "--admin",
          "--admin-console",
          "--cookie-name",
          "--insecure-cookies"}) {
        CHECK(help.text.find(option) != std::string::npos);
    }
}

} // namespace sojourn::tests

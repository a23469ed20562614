// The program itself, against an endpoint in this process.

#include "admin/watched.hpp"
#include "http/child_process.hpp"
#include "support/poll_until.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace sojourn::tests {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

struct Ended {
    int status = 0;
    std::string output;
};

Ended run(const std::string& endpoint, std::vector<std::string> arguments)
{
    arguments.insert(arguments.begin(), {SOJOURN_CTL, "--endpoint", endpoint});
    ChildProcess program(arguments);
    const auto status = program.wait();
    return {status, program.output()};
}

/// A service watched through a Unix socket, and the program to watch it with.
class Console {
public:
    Ended run(std::vector<std::string> arguments)
    {
        return tests::run("unix:" + path_.text(), std::move(arguments));
    }

    json::value read(std::vector<std::string> arguments)
    {
        arguments.emplace_back("--json");
        const auto ended = run(std::move(arguments));
        INFO(ended.output);
        REQUIRE(ended.status == 0);
        return json::parse(ended.output);
    }

    [[nodiscard]] std::string endpoint() const { return "unix:" + path_.text(); }

private:
    SocketPath path_;

public:
    Watched watched{admin::Options().unix_socket(path_.text())};
};

/// What stands at the end of the line that begins with this name.
std::string value_of(const std::string& name, const std::string& text)
{
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(name + "  ")) {
            return line.substr(line.rfind(' ') + 1);
        }
    }
    return "(no such line)";
}

} // namespace

TEST_CASE("sojournctl: sessions are listed, shown and deleted", "[cli]")
{
    Console console;
    const auto id = console.watched.add("bob");
    const auto reference = console.watched.reference_of(id);
    const auto listed = console.run({"session", "list"});
    CHECK(listed.status == 0);
    CHECK(listed.output.find(reference + "  bob") != std::string::npos);
    CHECK(listed.output.find(id.text()) == std::string::npos);
    const auto shown = console.run({"session", "show", reference});
    CHECK(shown.status == 0);
    CHECK(shown.output.find("principal           bob") != std::string::npos);
    // Nobody is at the keyboard of a test.
    const auto unsure = console.run({"session", "delete", reference});
    CHECK(unsure.status == 2);
    CHECK(unsure.output == "sojournctl: this needs --yes where nobody can be asked\n");
    CHECK(console.run({"session", "delete", reference, "--yes"}).status == 0);
    CHECK(console.run({"session", "delete", reference, "--yes"}).status == 5);
    CHECK(
        console.run({"session", "show", reference}).output ==
        "sojournctl: there is no session of this reference\n"
    );
}

TEST_CASE("sojournctl: no JSON moves the cursor", "[cli]")
{
    Console console;
    const std::string name = "bob\xC2\x9B"
                             "2J\xE2\x80\xAE";
    static_cast<void>(console.watched.add(name));
    const auto listed = console.run({"session", "list", "--json"});
    CHECK(listed.output.find(R"("bob\u009b2J\u202e")") != std::string::npos);
    CHECK(json::parse(listed.output).at_pointer("/sessions/0/principal").as_string() == name);
}

TEST_CASE("sojournctl: all pages of a listing are read", "[cli]")
{
    Console console;
    for (int i = 0; i < 25; ++i) {
        static_cast<void>(console.watched.add("bob"));
    }
    const auto first = console.read({"session", "list", "--limit", "10"});
    CHECK(first.at("sessions").as_array().size() == 10);
    CHECK_FALSE(first.at("next").is_null());
    const auto all = console.read({"session", "list", "--limit", "10", "--all-pages"});
    CHECK(all.at("sessions").as_array().size() == 25);
    CHECK(all.at("next").is_null());
    CHECK(console.run({"session", "list", "--limit", "10"})
              .output.ends_with("there are more; see --all-pages\n"));
}

TEST_CASE("sojournctl: frames are shown, all that are kept", "[cli]")
{
    Console console;
    const auto id = console.watched.add("bob");
    const auto reference = console.watched.reference_of(id);
    for (int i = 1; i <= 60; ++i) {
        console.watched.record(id, "message " + std::to_string(i), i == 60 ? 7 : 0);
    }
    const auto shown = console.run({"frames", reference});
    CHECK(shown.status == 0);
    CHECK(shown.output.find("frames 1 to 10 are not kept\n") != std::string::npos);
    CHECK(shown.output.find("message 10\n") == std::string::npos);
    CHECK(shown.output.find("message 11\n") != std::string::npos);
    CHECK(shown.output.find("message 60\n") != std::string::npos);
    const auto of_stream = console.read({"frames", reference, "--stream", "7", "--after", "10"});
    CHECK(of_stream.at("frames").as_array().size() == 1);
    CHECK(console.run({"frames", "0123456789abcdef"}).status == 5);
}

TEST_CASE("sojournctl: a frame that found no room is told of", "[cli]")
{
    Console console;
    const auto id = console.watched.add("bob");
    const auto reference = console.watched.reference_of(id);
    console.watched.record(id, "first");
    console.watched.record(id, std::string(1024UL * 1024, 'x'));
    console.watched.record(id, "third");
    CHECK(console.run({"frames", reference}).output.starts_with("frame 2 is not kept\n"));
    CHECK(console.run({"frames", reference, "--stream", "0"})
              .output.starts_with("1 frame of the session found no room"));
    const auto beyond = console.run({"frames", reference, "--after", "18446744073709551615"});
    CHECK(beyond.output.find("not kept") == std::string::npos);
}

TEST_CASE("sojournctl: frames are followed until the session ends", "[cli]")
{
    Console console;
    const auto id = console.watched.add("bob");
    console.watched.record(id, "first");
    ChildProcess program(
        {SOJOURN_CTL,
         "--endpoint",
         console.endpoint(),
         "--json",
         "frames",
         console.watched.reference_of(id),
         "--follow"}
    );
    CHECK(json::parse(program.read_line()).at_pointer("/frames/0/payload").as_string() == "first");
    console.watched.record(id, "second");
    CHECK(json::parse(program.read_line()).at_pointer("/frames/0/payload").as_string() == "second");
    CHECK(console.watched.run(console.watched.service().remove(id)).has_value());
    CHECK(program.wait() == 0);
}

TEST_CASE("sojournctl: a cleanup ends what its dry run said", "[cli]")
{
    Console console;
    static_cast<void>(console.watched.add("bob"));
    console.watched.clock().advance(10min);
    static_cast<void>(console.watched.add("eve"));
    CHECK(
        console.run({"session", "cleanup", "--idle-longer-than", "5m", "--dry-run"}).output ==
        "1 session would end\n"
    );
    CHECK(
        console.run({"session", "cleanup", "--idle-longer-than", "5m", "--yes"}).output ==
        "1 session ended\n"
    );
    CHECK(console.run({"session", "cleanup"}).output == "0 sessions ended\n");
    CHECK(console.run({"principal", "delete", "eve", "--yes"}).output == "1 session ended\n");
    CHECK(console.run({"session", "cleanup", "--all", "--yes"}).output == "0 sessions ended\n");
}

TEST_CASE("sojournctl: statistics are those of the service", "[cli]")
{
    Console console;
    static_cast<void>(console.watched.add("bob"));
    static_cast<void>(console.watched.add());
    const auto statistics = console.read({"stats"});
    CHECK(statistics.at_pointer("/sessions/live").to_number<int>() == 2);
    const auto shown = console.run({"stats"}).output;
    CHECK(value_of("sessions", shown) == "2");
    CHECK(value_of("  half-open", shown) == "1");
}

TEST_CASE("sojournctl: a watch goes on until it is ended", "[cli]")
{
    Console console;
    ChildProcess program(
        {SOJOURN_CTL,
         "--endpoint",
         console.endpoint(),
         "stats",
         "--watch",
         "--interval",
         "10ms",
         "--json"}
    );
    CHECK(json::parse(program.read_line()).at_pointer("/sessions/live").to_number<int>() == 0);
    static_cast<void>(console.watched.add("bob"));
    poll_until([&] {
        return json::parse(program.read_line()).at_pointer("/sessions/live").to_number<int>() == 1;
    });
    program.signal(SIGINT);
    CHECK(program.wait() == 128 + SIGINT);
}

TEST_CASE("sojournctl: a drain is waited for, and health tells of it", "[cli]")
{
    Console console;
    static_cast<void>(console.watched.add("bob"));
    CHECK(console.run({"health"}).status == 0);
    CHECK(console.run({"health"}).output == "ready: running\n");
    const auto drained = console.run({"drain", "--yes"});
    CHECK(drained.status == 0);
    CHECK(drained.output == "closed\n");
    const auto health = console.run({"health"});
    CHECK(health.status == 6);
    CHECK(health.output == "not ready: closed\n");
}

TEST_CASE("sojournctl: bash completes commands and options, past values too", "[cli]")
{
    const auto completed = [](const std::string& words) {
        ChildProcess bash(
            {"/bin/bash",
             "-c",
             "source <(" SOJOURN_CTL " completion bash); COMP_WORDS=(" + words +
                 "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _sojournctl; echo \"${COMPREPLY[*]}\""}
        );
        CHECK(bash.wait() == 0);
        return bash.output();
    };
    CHECK(completed("sojournctl se") == "session\n");
    CHECK(completed("sojournctl session l") == "list\n");
    CHECK(completed("sojournctl --endpoint unix:/x session cl") == "cleanup\n");
    CHECK(completed("sojournctl session cleanup --idle-longer-than 30m --dr") == "--dry-run\n");
    CHECK(completed("sojournctl session show 0123456789abcdef --js") == "--json\n");
}

TEST_CASE("sojournctl: who cannot get in is told why", "[cli]")
{
    const auto nobody = run("unix:/nowhere/at/all.sock", {"stats"});
    CHECK(nobody.status == 3);
    CHECK(nobody.output == "sojournctl: unix:/nowhere/at/all.sock: No such file or directory\n");

    Watched watched;
    const auto endpoint =
        "http://127.0.0.1:" + std::to_string(watched.endpoint().tcp_endpoint().port());
    const auto file =
        std::filesystem::temp_directory_path() / ("sojourn-token-" + std::to_string(::getpid()));
    const auto with_token = [&](const std::string& text, std::vector<std::string> arguments) {
        std::ofstream(file) << text << '\n';
        arguments.insert(arguments.begin(), {"--token-file", file.string()});
        return run(endpoint, std::move(arguments)).status;
    };
    CHECK(run(endpoint, {"stats"}).status == 4);
    CHECK(with_token(token, {"stats"}) == 0);
    CHECK(with_token(read_token, {"stats"}) == 0);
    CHECK(with_token("a-token-of-somebody-else", {"stats"}) == 4);
    CHECK(with_token(read_token, {"session", "cleanup", "--all", "--yes"}) == 4);
    CHECK(with_token("", {"stats"}) == 2);
    std::filesystem::remove(file);
}

} // namespace sojourn::tests

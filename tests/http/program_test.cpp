#include "http/child_process.hpp"
#include "http/http_client.hpp"
#include "support/sanitizers.hpp"

#include <sojourn/http_server/limits.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <list>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sojourn::tests {

namespace asio = boost::asio;

namespace {

using asio::ip::tcp;
using http::verb;

const std::string server_program = SOJOURN_HTTP_SESSIONS;
const std::string demo_program = SOJOURN_HTTP_SESSIONS_DEMO;

std::string in_project(const std::string& path)
{
    return std::filesystem::path(SOJOURN_SOURCE_DIR) / path;
}

/// Where the program says that it listens, in its first line.
tcp::endpoint announced_endpoint(ChildProcess& program)
{
    const auto line = program.read_line();
    constexpr std::string_view beginning = "listening on 127.0.0.1:";
    REQUIRE(line.starts_with(beginning));
    const auto port = std::stoi(line.substr(beginning.size()));
    return {boost::asio::ip::make_address("127.0.0.1"), static_cast<std::uint16_t>(port)};
}

std::string text_of(const std::string& path)
{
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// What stands between two texts; "" if they are not there.
std::string between(std::string_view text, std::string_view before, std::string_view after)
{
    const auto begin = text.find(before);
    if (begin == std::string_view::npos) {
        return {};
    }
    text.remove_prefix(begin + before.size());
    return std::string(text.substr(0, text.find(after)));
}

/// A command of a page, and the comment above it, which begins with the status it is answered.
struct DocumentedCommand {
    std::string command;
    std::string promise;
};

std::vector<DocumentedCommand> commands_of(const std::string& section)
{
    std::vector<DocumentedCommand> commands;
    std::istringstream lines(section);
    std::string promise;
    bool is_shell = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("```")) {
            is_shell = line == "```sh";
        } else if (!is_shell || line.empty()) {
            continue;
        } else if (line.starts_with("# ")) {
            promise = line.substr(2);
        } else {
            commands.push_back({line, promise});
            promise.clear();
        }
    }
    return commands;
}

/// An empty folder, for as long as a test needs it.
class TemporaryFolder {
public:
    TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "sojourn_XXXXXX").string())
    {
        REQUIRE(::mkdtemp(path_.data()) != nullptr);
    }

    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    TemporaryFolder(TemporaryFolder&&) = delete;
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;

    ~TemporaryFolder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

bool contains(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("http_sessions: it serves until it is asked to end, and ends with status 0", "[http]")
{
    const int request_to_end = GENERATE(SIGTERM, SIGINT);
    ChildProcess program(
        {server_program, "--listen", "127.0.0.1:0", "--threads", "2", "--shards", "2"}
    );
    const auto endpoint = announced_endpoint(program);

    HttpClient client(endpoint);
    const auto created =
        client.ask(request_for(verb::post, "/session", {}, R"({"principal": "ada"})"));
    CHECK(created.result() == http::status::created);
    const auto cookie = cookie_of(created);
    CHECK(
        client.ask(request_for(verb::put, "/session/attributes/a", cookie, "b")).result() ==
        http::status::no_content
    );
    const auto rotated = client.ask(request_for(verb::post, "/session/rotate", cookie));
    CHECK(
        client.ask(request_for(verb::get, "/session", cookie)).result() ==
        http::status::unauthorized
    );
    CHECK(contains(
        client.ask(request_for(verb::get, "/session", cookie_of(rotated))).body(), R"("a":"b")"
    ));
    CHECK(
        client.ask(request_for(verb::delete_, "/session", cookie_of(rotated))).result() ==
        http::status::no_content
    );

    program.signal(request_to_end);
    CHECK(client.receive_rest().empty());
    CHECK(program.wait() == 0);
    CHECK(program.output().empty());
}

TEST_CASE(
    "http_sessions: a request in flight is finished first, a second signal does not wait", "[http]"
)
{
    ChildProcess program({server_program, "--listen", "127.0.0.1:0"});
    const auto endpoint = announced_endpoint(program);
    HttpClient idle(endpoint);
    CHECK(idle.ask(request_for(verb::get, "/healthz")).result() == http::status::ok);
    HttpClient client(endpoint);
    client.send(
        "POST /session HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    );
    const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    client.receive_bytes(go_on.size());

    program.signal(SIGTERM);
    CHECK(idle.receive_rest().empty()); // It is stopping.
    SECTION("the request is answered")
    {
        client.send("{}");
        CHECK(client.receive().result() == http::status::created);
        client.end_sending();
        CHECK(program.wait() == 0);
    }
    SECTION("the request is cut off, and the status tells")
    {
        program.signal(SIGINT);
        CHECK(program.wait() == 3);
        CHECK(contains(program.output(), "cut off 1 "));
        CHECK(client.receive_rest().empty());
    }
}

TEST_CASE("http_sessions: while it ends it is not ready, and nobody new gets in", "[http]")
{
    ChildProcess program({server_program, "--listen", "127.0.0.1:0"});
    const auto endpoint = announced_endpoint(program);
    HttpClient probe(endpoint);
    CHECK(probe.ask(request_for(verb::get, "/readyz")).result() == http::status::ok);
    HttpClient idle(endpoint);
    CHECK(idle.ask(request_for(verb::get, "/healthz")).result() == http::status::ok);
    // In flight, and in the middle of its header.
    probe.send("GET /readyz HTTP/1.1\r\nHost: a\r\n");

    program.signal(SIGTERM);
    CHECK(idle.receive_rest().empty());
    CHECK_THROWS_AS(HttpClient(endpoint), boost::system::system_error);
    probe.send("\r\n");
    const auto answer = probe.receive();
    CHECK(answer.result() == http::status::service_unavailable);
    CHECK(answer.body() == R"({"error":"not_ready"})");
    CHECK_FALSE(answer.keep_alive());
    probe.end_sending();
    CHECK(program.wait() == 0);
}

TEST_CASE("http_sessions: it serves without sessions, if that is asked of it", "[http]")
{
    ChildProcess program({server_program, "--listen", "127.0.0.1:0", "--sessions", "off"});
    HttpClient client(announced_endpoint(program));
    CHECK(client.ask(request_for(verb::get, "/hello")).result() == http::status::ok);
    CHECK(client.ask(request_for(verb::post, "/session")).result() == http::status::not_found);
    program.signal(SIGTERM);
    CHECK(program.wait() == 0);
}

TEST_CASE("http_sessions: what it cannot do it says, with a status that tells", "[http]")
{
    ChildProcess first({server_program, "--listen", "127.0.0.1:0"});
    const auto port = std::to_string(announced_endpoint(first).port());
    ChildProcess second({server_program, "--listen", "127.0.0.1:" + port});
    CHECK(second.wait() == 1);
    CHECK(
        contains(second.output(), "cannot listen on 127.0.0.1:" + port + ": Address already in use")
    );

    ChildProcess mistaken({server_program, "--idle-timeout", "5y"});
    CHECK(mistaken.wait() == 2);
    CHECK(contains(mistaken.output(), "--idle-timeout"));

    ChildProcess asked({server_program, "--help"});
    CHECK(asked.wait() == 0);
}

// The commands are those of the page; only the port differs, and curl is asked to tell the status.
TEST_CASE("http_sessions: the walk with curl in its documentation goes as told there", "[http]")
{
    const auto page = text_of(in_project("docs/http_sessions.md"));
    const auto walk = between(page, "## A walk with curl\n", "\n## ");
    const auto commands = commands_of(walk);
    REQUIRE(commands.size() == 6);

    ChildProcess program({server_program, "--listen", "127.0.0.1:0"});
    const auto port = std::to_string(announced_endpoint(program).port());
    const TemporaryFolder folder;
    const std::string curl = "curl() { command curl --silent --show-error --noproxy '*' --max-time "
                             "10 --write-out '\\n%{http_code}' \"$@\"; }; cd \"$0\" && ";
    std::vector<std::string> bodies;
    for (auto [command, promise] : commands) {
        constexpr std::string_view address = "//localhost:8080/";
        CAPTURE(command, promise);
        REQUIRE(contains(command, address));
        command.replace(command.find(address), address.size(), "//localhost:" + port + "/");
        ChildProcess asked({"/bin/sh", "-c", curl + command, folder.path()});
        CHECK(asked.wait() == 0);
        CAPTURE(asked.output());
        CHECK(asked.output().ends_with("\n" + promise.substr(0, 3)));
        bodies.push_back(between(asked.output(), "", "\n"));
        if (const auto begin = promise.find('{'); begin != std::string::npos) {
            CHECK(bodies.back() == promise.substr(begin));
        }
    }
    auto shown = boost::json::parse(between(walk, "```json\n", "```"));
    auto answered = boost::json::parse(bodies.front());
    for (const auto* const differing : {"reference", "created"}) {
        REQUIRE(answered.at(differing).is_string());
        answered.at(differing) = shown.at(differing);
    }
    CHECK(answered == shown);
}

// As many as fit the 1024 file descriptors that a process usually may have; were there none left,
// the last client would wait in silence.
TEST_CASE("http_sessions: one connection too many is told so, under the usual limits", "[http]")
{
    ChildProcess program(
        {"/bin/sh", "-c", "ulimit -Sn 1024 && exec \"$0\" --listen 127.0.0.1:0", server_program}
    );
    const auto endpoint = announced_endpoint(program);
    asio::io_context context;
    std::list<tcp::socket> crowd;
    while (crowd.size() < http_server::Limits().connections) {
        crowd.emplace_back(context).connect(endpoint);
    }
    HttpClient one_too_many(endpoint);
    const auto refused = one_too_many.receive();
    CHECK(refused.result() == http::status::service_unavailable);
    CHECK(refused.body() == R"({"error":"too_many_connections"})");
}

// Not under a sanitizer, which wants far more memory than that.
constexpr auto with_little_memory = is_sanitized ? "[.]" : "[http]";

TEST_CASE("http_sessions: threads that cannot be started are an error", with_little_memory)
{
    ChildProcess program(
        {"/bin/sh",
         "-c",
         "ulimit -v 600000 && exec \"$0\" --listen 127.0.0.1:0 --threads 256",
         server_program}
    );
    CHECK(program.wait() == 1);
    CHECK(contains(program.output(), "cannot start --threads 256"));
}

TEST_CASE("http_sessions: sessions that do not fit the memory are an error", with_little_memory)
{
    ChildProcess program(
        {"/bin/sh",
         "-c",
         "ulimit -v 600000 && exec \"$0\" --listen 127.0.0.1:0 --max-sessions 100000000",
         server_program}
    );
    CHECK(program.wait() == 1);
    CHECK(contains(program.output(), "--max-sessions 100000000"));
}

TEST_CASE("http_sessions_demo: it shows everything it is there to show, within its time", "[http]")
{
    const auto begin = std::chrono::steady_clock::now();
    ChildProcess demo({demo_program, "--seconds", "6", "--port", "0"});
    announced_endpoint(demo);
    CHECK(demo.wait() == 0);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(12));
    CAPTURE(demo.output());
    for (const std::string_view part :
         {"created ",
          "touched ",
          "rate limited ",
          "shed ",
          "evicted ",
          "expired ",
          "curl -b jar.txt"}) {
        CHECK(contains(demo.output(), part));
    }
}

TEST_CASE("http_sessions_demo: it serves after its load, and ends when asked", "[http]")
{
    ChildProcess demo({demo_program, "--port", "0"});
    const auto endpoint = announced_endpoint(demo);
    while (!demo.read_line().starts_with("Serving")) {
    }
    HttpClient client(endpoint);
    const auto created = client.ask(request_for(verb::post, "/session"));
    CHECK(created.result() == http::status::created);
    for (int i = 0; i < 5; ++i) {
        CHECK(
            client.ask(request_for(verb::get, "/session", cookie_of(created))).result() ==
            http::status::ok
        );
    }
    demo.signal(SIGINT);
    CHECK(demo.wait() == 0);
}

TEST_CASE("http_sessions_demo: the address it prints opens the console", "[http]")
{
    ChildProcess demo({demo_program, "--port", "0"});
    announced_endpoint(demo);
    const auto line = demo.read_line();
    CAPTURE(line);
    const auto port = between(line, "http://127.0.0.1:", "/#token=");
    const auto token = between(line, "/#token=", "\n");
    REQUIRE_FALSE(port.empty());
    HttpClient client(
        tcp::endpoint(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoi(port)))
    );
    CHECK(client.ask(request_for(verb::get, "/")).result() == http::status::ok);
    CHECK(client.ask(request_for(verb::get, "/stats")).result() == http::status::unauthorized);
    auto request = request_for(verb::get, "/stats");
    request.set(http::field::authorization, "Bearer " + token);
    CHECK(client.ask(request).result() == http::status::ok);
    demo.signal(SIGINT);
    demo.wait();
}

TEST_CASE("http_sessions_demo: interrupted before it has shown everything, it says so", "[http]")
{
    ChildProcess demo({demo_program, "--port", "0"});
    announced_endpoint(demo);
    demo.signal(SIGTERM);
    CHECK(demo.wait() == 1);
    CHECK(contains(demo.output(), "interrupted"));
}

TEST_CASE("http_sessions_demo: what it cannot do it says", "[http]")
{
    for (const std::vector<std::string>& mistake :
         {std::vector<std::string>{"--seconds", "2"},
          {"--seconds", "x"},
          {"--seconds", "0100"},
          {"--port", "010"},
          {"--port", "65536"},
          {"--port", "-1"},
          {"--what"}}) {
        std::vector<std::string> command = {demo_program};
        command.insert(command.end(), mistake.begin(), mistake.end());
        ChildProcess demo(command);
        CHECK(demo.wait() == 2);
        CHECK(contains(demo.output(), mistake.front()));
    }
    ChildProcess first({server_program, "--listen", "127.0.0.1:0"});
    const auto port = std::to_string(announced_endpoint(first).port());
    ChildProcess demo({demo_program, "--port", port});
    CHECK(demo.wait() == 1);
    CHECK(contains(demo.output(), "Address already in use"));
}

TEST_CASE("dev: the demo's numbers are checked before anything is built", "[http]")
{
    for (const std::vector<std::string>& mistake :
         {std::vector<std::string>{"--seconds", "1", "3 to 86400"},
          {"--seconds", "0100", "3 to 86400"},
          {"--seconds", "86401", "3 to 86400"},
          {"--seconds", "1e3", "3 to 86400"},
          {"--seconds", "", "3 to 86400"},
          {"--port", "0", "1 to 65535"},
          {"--port", "08080", "1 to 65535"},
          {"--port", "65536", "1 to 65535"}}) {
        CAPTURE(mistake[1]);
        ChildProcess dev({"/bin/bash", in_project("dev"), "demo", mistake[0], mistake[1]});
        CHECK(dev.wait() == 2);
        CHECK(contains(dev.output(), mistake[0] + " needs a number from " + mistake[2]));
    }
}

} // namespace sojourn::tests

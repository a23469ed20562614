#include "mcp_gateway/caller_rates.hpp"
#include "mcp_gateway/command_line.hpp"
#include "mcp_gateway/fields.hpp"
#include "mcp_gateway/upstream.hpp"

#include <boost/beast/http/fields.hpp>
#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <iterator>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sojourn::tests {

namespace {

using namespace std::chrono_literals;
using mcp_gateway::CallerRates;
using mcp_gateway::Dismissal;
using mcp_gateway::GatewayOptions;
using mcp_gateway::UpstreamAddress;

auto parse(std::vector<const char*> arguments)
{
    arguments.insert(arguments.begin(), "mcp_gateway");
    return mcp_gateway::parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

/// Why these arguments are refused; empty if they are not.
std::string refusal_of(std::vector<const char*> arguments)
{
    const auto parsed = parse(std::move(arguments));
    const auto* const dismissal = std::get_if<Dismissal>(&parsed);
    if (dismissal == nullptr) {
        return {};
    }
    CHECK(dismissal->exit_status == 2);
    return dismissal->text;
}

constexpr auto upstream_option = "--upstream=http://127.0.0.1:3000/mcp";

} // namespace

TEST_CASE("mcp_gateway fields: what is between two neighbours stays between them", "[mcp]")
{
    boost::beast::http::fields from;
    from.set("Accept", "application/json");
    from.set("Authorization", "Bearer a");
    from.insert("X-Many", "1");
    from.insert("X-Many", "2");
    from.insert("Connection", "close, X-Hop");
    from.insert("Connection", "X-Other-Hop");
    from.set("X-Hop", "1");
    from.set("X-Other-Hop", "1");
    from.set("Transfer-Encoding", "chunked");
    from.set("Accept-Encoding", "gzip");
    from.set("mcp-session-id", "secret");
    from.set("last-event-id", "1-2");
    boost::beast::http::fields to;
    mcp_gateway::pass_on(from, to);

    CHECK(to["Accept"] == "application/json");
    CHECK(to["Authorization"] == "Bearer a");
    CHECK(to.count("X-Many") == 2);
    CHECK(std::distance(to.begin(), to.end()) == 4);
}

TEST_CASE("mcp_gateway upstream: its address is a URL of http", "[mcp]")
{
    const auto address = UpstreamAddress::parse("http://localhost:3000/mcp?a=b");
    REQUIRE(address);
    CHECK(address->host == "localhost");
    CHECK(address->port == "3000");
    CHECK(address->target == "/mcp?a=b");
    CHECK(address->authority() == "localhost:3000");
    CHECK(UpstreamAddress::parse("http://[::1]/")->authority() == "[::1]:80");
    CHECK(UpstreamAddress::parse("http://a")->target == "/");

    const std::string_view wrong =
        GENERATE("", "a", "https://a/", "http://", "http:///a", "http://u@a/", "http://a/#f");
    INFO(wrong);
    CHECK(!UpstreamAddress::parse(wrong));
}

TEST_CASE("mcp_gateway caller rates: each name has its own", "[mcp]")
{
    CallerRates rates(RateLimit(1, 2));
    const TimePoint now(1h);
    CHECK(rates.admit("a", now) == Duration::zero());
    CHECK(rates.admit("a", now) == Duration::zero());
    CHECK(rates.admit("a", now) == Duration(1s));
    CHECK(rates.admit("b", now) == Duration::zero());
    CHECK(rates.admit("a", now + 1s) == Duration::zero());
}

TEST_CASE("mcp_gateway caller rates: a name outlives as many others as a generation has", "[mcp]")
{
    CallerRates rates(RateLimit(1, 1));
    const TimePoint now(1h);
    CHECK(rates.admit("a", now) == Duration::zero());
    for (std::size_t i = 0; i < CallerRates::names_of_generation; ++i) {
        CHECK(rates.admit(std::to_string(i), now) == Duration::zero());
    }
    CHECK(rates.admit("a", now) == Duration(1s));
}

TEST_CASE("mcp_gateway command line: it says what it does not accept, and what it does", "[mcp]")
{
    CHECK(refusal_of({upstream_option}).empty());
    CHECK(refusal_of({}).find("--upstream is required") != std::string::npos);
    CHECK(
        refusal_of({"--upstream=https://a/mcp"}).find("is not http://HOST:PORT/PATH") !=
        std::string::npos
    );
    CHECK(
        refusal_of({upstream_option, "--allow-origin=example.com"}).find("is no origin") !=
        std::string::npos
    );
    CHECK(
        refusal_of({upstream_option, "--principal-header=a b"}).find("name of a header field") !=
        std::string::npos
    );
    CHECK(refusal_of({upstream_option, "--resume=1y"}).find("--resume") != std::string::npos);
    CHECK(refusal_of({upstream_option, "--frames=0"}).find("--frames") != std::string::npos);
    CHECK(
        refusal_of({upstream_option, "--admin=127.0.0.1:0"}).find("--admin") != std::string::npos
    );
}

TEST_CASE("mcp_gateway command line: what it accepts it means", "[mcp]")
{
    const auto parsed = parse(
        {upstream_option,
         "--listen=127.0.0.1:0",
         "--max-body=1000",
         "--frames=7",
         "--answer-time=2m",
         "--silence=2h",
         "--resume=1m",
         "--drain=5s",
         "--allow-origin=https://one.example",
         "--allow-origin=https://two.example",
         "--principal-header=X-User"}
    );
    const auto* const options = std::get_if<GatewayOptions>(&parsed);
    REQUIRE(options != nullptr);
    CHECK(options->upstream.target == "/mcp");
    CHECK(options->listen.port() == 0);
    CHECK(options->limits.body_bytes == 1000);
    CHECK(options->service.max_frames_per_session() == 7);
    CHECK(options->upstream_limits.answer_time == 2min);
    CHECK(options->upstream_limits.silence == 2h);
    CHECK(options->patience == 1min);
    CHECK(options->limits.stop_time == 5s);
    CHECK(options->origins.size() == 2);
    CHECK(options->principal_field == "X-User");
}

} // namespace sojourn::tests

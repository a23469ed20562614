#include "http_sessions/json.hpp"

#include <sojourn/core/attributes.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace sojourn::tests {

namespace {

using namespace std::chrono_literals;

SessionInfo some_session()
{
    SessionInfo session;
    session.reference = SessionReference(0xABCDEF);
    session.created = WallTime(std::chrono::seconds(1'000'000'000));
    session.idle_timeout = 30min;
    session.expires_in = 29min + 59s + 1ms;
    session.requests = 7;
    session.attributes.data = {{"theme", "d\"ark"}};
    return session;
}

} // namespace

TEST_CASE("json: a session is told with a reference, and never an id", "[http]")
{
    CHECK(
        http_sessions::session_json(some_session()) ==
        R"({"reference":"0000000000abcdef","created":"2001-09-09T01:46:40Z","idle_timeout_seconds":1800,)"
        R"("expires_in_seconds":1800,"requests":7,"attributes":{"theme":"d\"ark"}})"
    );
}

TEST_CASE(
    "json: a principal is told when there is one, and fractions of a second are kept", "[http]"
)
{
    auto session = some_session();
    session.principal = std::make_shared<const std::string>("ada");
    session.idle_timeout = 250ms;
    const auto text = http_sessions::session_json(session);
    CHECK(text.find(R"("principal":"ada")") != std::string::npos);
    CHECK(text.find(R"("idle_timeout_seconds":2.5E-1)") != std::string::npos);
}

TEST_CASE("json: the counters are told by their names", "[http]")
{
    Metrics metrics;
    metrics.created = 3;
    metrics.live = 2;
    metrics.removed[static_cast<std::size_t>(RemovalCause::evicted)] = 1;
    const auto text = http_sessions::metrics_json(metrics);
    CHECK(text.find(R"("created":3,"live":2)") != std::string::npos);
    CHECK(
        text.find(
            R"("removed":{"expired_idle":0,"expired_lifetime":0,"evicted":1,"deleted":0,"drained":0})"
        ) != std::string::npos
    );
    CHECK(text.find(R"("ledger_holds":true)") != std::string::npos);
}

} // namespace sojourn::tests

#include "prometheus/busy_service.hpp"
#include "service/manual_service.hpp"

#include <sojourn/prometheus/exposition.hpp>
#include <sojourn/prometheus/sample.hpp>

#include <catch2/catch_test_macros.hpp>

#include <sstream>
#include <string>

namespace sojourn::tests {

namespace {

using prometheus::Sample;

/// The sum of all time series of one name, as a reader of the text adds them up.
double sum_of(const std::string& exposition, const std::string& name)
{
    std::istringstream lines(exposition);
    double sum = 0;
    int found = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(name + " ") || line.starts_with(name + "{")) {
            sum += std::stod(line.substr(line.rfind(' ')));
            ++found;
        }
    }
    CAPTURE(name);
    REQUIRE(found > 0);
    return sum;
}

} // namespace

TEST_CASE("prometheus: a sample is what the service says of itself", "[prometheus]")
{
    ManualService sessions(plain_options().shards(3));
    for (int i = 0; i < 10; ++i) {
        (void)sessions.establish();
    }
    // Turns are counted, and to look takes some.
    const auto without_calls = [](Metrics metrics) {
        metrics.calls_inline = 0;
        return metrics;
    };
    const auto sample = sessions.run(prometheus::sample(sessions.service)).value();
    CHECK(without_calls(sample.metrics) == without_calls(sessions.metrics()));
    CHECK(sample.metrics.created == 10);
    CHECK(sample.health.state == ServiceState::running);
    CHECK(sample.health.cleanup.rounds == sessions.health().cleanup.rounds);
}

TEST_CASE("prometheus: a service that was drained says so", "[prometheus]")
{
    ManualService sessions;
    (void)sessions.establish();
    (void)sessions.run(sessions.service.drain());
    const auto sample = sessions.run(prometheus::sample(sessions.service)).value();
    const auto text = prometheus::exposition(sample);
    CAPTURE(text);
    CHECK(text.find("sojourn_state{state=\"closed\"} 1\n") != std::string::npos);
    CHECK(text.find("sojourn_sessions_removed_total{cause=\"drained\"} 1\n") != std::string::npos);
}

TEST_CASE("prometheus: whoever reads the text can check the ledger", "[prometheus]")
{
    const auto sample = busy_service().sample;
    const auto text = prometheus::exposition(sample);
    CAPTURE(text);
    CHECK(
        sum_of(text, "sojourn_sessions_created_total") ==
        sum_of(text, "sojourn_sessions") + sum_of(text, "sojourn_sessions_removed_total")
    );
    CHECK(sum_of(text, "sojourn_requests_total") == static_cast<double>(sample.metrics.acquires));
    CHECK(
        sum_of(text, "sojourn_admissions_total") + sum_of(text, "sojourn_waiters") ==
        static_cast<double>(sample.in_flight.entered)
    );
    CHECK(
        sum_of(text, "sojourn_acquire_wait_seconds_count") ==
        static_cast<double>(sample.in_flight.granted)
    );
    CHECK(sum_of(text, "sojourn_state") == 1);
}

TEST_CASE("prometheus: nothing that a client brings or is given gets into the text", "[prometheus]")
{
    const auto busy = busy_service();
    const auto text = prometheus::exposition(busy.sample);
    REQUIRE(busy.confidential.size() == 8);
    for (const auto& secret : busy.confidential) {
        CAPTURE(secret, text);
        REQUIRE(!secret.empty());
        CHECK(text.find(secret) == std::string::npos);
    }
}

} // namespace sojourn::tests

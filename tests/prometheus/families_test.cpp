#include <sojourn/prometheus/exposition.hpp>
#include <sojourn/prometheus/families.hpp>
#include <sojourn/version.hpp>

#include <catch2/catch_test_macros.hpp>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace sojourn::tests {

namespace {

using ::prometheus::ClientMetric;
using prometheus::families;
using ::prometheus::MetricFamily;
using ::prometheus::MetricType;
using prometheus::Sample;
using namespace std::chrono_literals;

/// Metrics of which each number, also one that is added some day, differs from the others and is
/// not the sum of any two.
Metrics numbered()
{
    std::array<std::uint64_t, sizeof(Metrics) / sizeof(std::uint64_t)> numbers{};
    std::iota(numbers.begin(), numbers.end(), 1001U);
    return std::bit_cast<Metrics>(numbers);
}

/// A sample whose every number is a different one.
Sample numbered_sample()
{
    Sample sample;
    sample.metrics = numbered();
    sample.health.state = ServiceState::draining;
    sample.health.cleanup = {
        .running = true,
        .rounds = 11,
        .failures = 12,
        .consecutive_failures = 13,
        .last_success = {}
    };
    sample.health.cleanup_lag = 1'500ms;
    sample.health.events = {
        .running = true,
        .rounds = 21,
        .failures = 22,
        .consecutive_failures = 23,
        .last_success = {}
    };
    sample.health.listener_failures = 31;
    sample.in_flight.held = 41;
    sample.in_flight.limit = 42;
    sample.in_flight.waiting = 43;
    sample.in_flight.granted = 44;
    sample.in_flight.refused_overloaded = 45;
    sample.in_flight.timed_out = 46;
    sample.in_flight.cancelled = 47;
    sample.in_flight.refused_stopping = 48;
    sample.in_flight.waits.add(1ms);
    return sample;
}

/// What the exposition says of one name, without its comments: "{labels} value", each with a line
/// end.
std::string shown(const Sample& sample, const std::string& name)
{
    std::istringstream lines(prometheus::exposition(sample));
    std::string found;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(name + " ") || line.starts_with(name + "{")) {
            found += line.substr(name.size()) + "\n";
        }
    }
    return found;
}

std::string number(std::uint64_t value)
{
    return " " + std::to_string(value) + "\n";
}

double value_of(MetricType type, const ClientMetric& metric)
{
    return type == MetricType::Counter ? metric.counter.value : metric.gauge.value;
}

/// The number of every time series but those of histograms.
std::vector<double> values_of(const Sample& sample)
{
    std::vector<double> values;
    for (const auto& family : families(sample)) {
        for (const auto& metric : family.metric) {
            if (family.type != MetricType::Histogram) {
                values.push_back(value_of(family.type, metric));
            }
        }
    }
    return values;
}

MetricFamily family_of(const Sample& sample, const std::string& name)
{
    const auto all = families(sample);
    const auto found = std::ranges::find(all, name, &MetricFamily::name);
    REQUIRE(found != all.end());
    return *found;
}

} // namespace

TEST_CASE("prometheus: no counter of a service is forgotten, and none shown twice", "[prometheus]")
{
    const auto sample = numbered_sample();
    const auto shown = values_of(sample);
    const auto numbers =
        std::bit_cast<std::array<std::uint64_t, sizeof(Metrics) / sizeof(std::uint64_t)>>(
            sample.metrics
        );
    for (const auto counter : numbers) {
        CAPTURE(counter);
        // Which is the sum of its outcomes.
        const bool is_sum = counter == sample.metrics.acquires;
        CHECK(std::ranges::count(shown, static_cast<double>(counter)) == (is_sum ? 0 : 1));
    }
}

TEST_CASE("prometheus: sessions are shown with their states, causes and ids", "[prometheus]")
{
    const auto sample = numbered_sample();
    const auto& metrics = sample.metrics;
    CHECK(shown(sample, "sojourn_sessions") == number(metrics.live));
    CHECK(shown(sample, "sojourn_sessions_half_open") == number(metrics.half_open));
    CHECK(shown(sample, "sojourn_sessions_leased") == number(metrics.leased));
    CHECK(shown(sample, "sojourn_sessions_closing") == number(metrics.closing));
    CHECK(shown(sample, "sojourn_sessions_created_total") == number(metrics.created));
    CHECK(
        shown(sample, "sojourn_sessions_removed_total") ==
        R"({cause="expired_idle"})" + number(metrics.removed_by(RemovalCause::expired_idle)) +
            R"({cause="expired_lifetime"})" +
            number(metrics.removed_by(RemovalCause::expired_lifetime)) + R"({cause="evicted"})" +
            number(metrics.removed_by(RemovalCause::evicted)) + R"({cause="deleted"})" +
            number(metrics.removed_by(RemovalCause::deleted)) + R"({cause="drained"})" +
            number(metrics.removed_by(RemovalCause::drained))
    );
    CHECK(shown(sample, "sojourn_sessions_rotated_total") == number(metrics.rotated));
}

TEST_CASE("prometheus: requests and creations are shown by what became of them", "[prometheus]")
{
    const auto sample = numbered_sample();
    const auto& metrics = sample.metrics;
    CHECK(
        shown(sample, "sojourn_requests_total") ==
        R"({outcome="acquired"})" + number(metrics.acquired) + R"({outcome="not_found"})" +
            number(metrics.not_found) + R"({outcome="rate_limited"})" +
            number(metrics.rate_limited) + R"({outcome="refused_busy"})" +
            number(metrics.refused_busy) + R"({outcome="refused_stopping"})" +
            number(metrics.refused_stopping)
    );
    CHECK(shown(sample, "sojourn_requests_shed_total") == number(metrics.requests_shed));
    CHECK(
        shown(sample, "sojourn_guesses_rate_limited_total") == number(metrics.guesses_rate_limited)
    );
    CHECK(
        shown(sample, "sojourn_creations_refused_total") ==
        R"({reason="overloaded"})" + number(metrics.refused_overloaded) +
            R"({reason="rate_limited"})" + number(metrics.creations_rate_limited) +
            R"({reason="stopping"})" + number(metrics.creations_refused_stopping)
    );
}

TEST_CASE("prometheus: the background, the turns and the service are shown", "[prometheus]")
{
    const auto sample = numbered_sample();
    const auto& metrics = sample.metrics;
    CHECK(
        shown(sample, "sojourn_listener_pending") ==
        R"({event="created"})" + number(metrics.pending_creations) + R"({event="removed"})" +
            number(metrics.pending_removals)
    );
    CHECK(shown(sample, "sojourn_listener_failures_total") == " 31\n");
    CHECK(shown(sample, "sojourn_cleanup_lag_seconds") == " 1.5\n");
    CHECK(
        shown(sample, "sojourn_background_rounds_total") ==
        "{loop=\"cleanup\"} 11\n{loop=\"events\"} 21\n"
    );
    CHECK(
        shown(sample, "sojourn_background_failures_total") ==
        "{loop=\"cleanup\"} 12\n{loop=\"events\"} 22\n"
    );
    CHECK(
        shown(sample, "sojourn_background_consecutive_failures") ==
        "{loop=\"cleanup\"} 13\n{loop=\"events\"} 23\n"
    );
    CHECK(
        shown(sample, "sojourn_calls_total") ==
        R"({kind="inline"})" + number(metrics.calls_inline) + R"({kind="combined"})" +
            number(metrics.calls_combined) + R"({kind="suspended"})" +
            number(metrics.calls_suspended)
    );
    CHECK(
        shown(sample, "sojourn_state") ==
        "{state=\"running\"} 0\n{state=\"draining\"} 1\n{state=\"cancelling\"} 0\n"
        "{state=\"closed\"} 0\n"
    );
    CHECK(shown(sample, "sojourn_info") == "{version=\"" + std::string(version) + "\"} 1\n");
}

TEST_CASE("prometheus: requests in flight are shown where they are bounded", "[prometheus]")
{
    auto sample = numbered_sample();
    CHECK(shown(sample, "sojourn_in_flight") == " 41\n");
    CHECK(shown(sample, "sojourn_in_flight_limit") == " 42\n");
    CHECK(shown(sample, "sojourn_waiters") == " 43\n");
    CHECK(
        shown(sample, "sojourn_admissions_total") ==
        "{outcome=\"granted\"} 44\n{outcome=\"refused_overloaded\"} 45\n"
        "{outcome=\"timed_out\"} 46\n{outcome=\"cancelled\"} 47\n"
        "{outcome=\"refused_stopping\"} 48\n"
    );
    CHECK(shown(sample, "sojourn_acquire_wait_seconds_count") == " 1\n");

    const auto with_limit = families(sample).size();
    sample.in_flight = SemaphoreMetrics();
    CHECK(families(sample).size() == with_limit - 5);
    for (const auto& name :
         {"sojourn_in_flight",
          "sojourn_in_flight_limit",
          "sojourn_waiters",
          "sojourn_admissions_total",
          "sojourn_acquire_wait_seconds_count"}) {
        CAPTURE(name);
        CHECK(shown(sample, name).empty());
    }
}

TEST_CASE("prometheus: where nothing has happened, everything is there and zero", "[prometheus]")
{
    Sample nothing;
    nothing.in_flight.limit = 1;
    CHECK(values_of(nothing).size() == values_of(numbered_sample()).size());
    CHECK(shown(nothing, "sojourn_state").starts_with("{state=\"running\"} 1\n"));
    // That, the version, and the limit.
    CHECK(std::ranges::count(values_of(nothing), 1.0) == 3);
    CHECK(std::ranges::count(values_of(nothing), 0.0) + 3 == std::ssize(values_of(nothing)));
    CHECK(shown(nothing, "sojourn_acquire_wait_seconds_bucket").find("} 1") == std::string::npos);
    CHECK(shown(nothing, "sojourn_acquire_wait_seconds_sum") == " 0\n");
    CHECK(shown(nothing, "sojourn_acquire_wait_seconds_count") == " 0\n");
}

TEST_CASE("prometheus: a bucket counts the waits that are no longer than its bound", "[prometheus]")
{
    // At both sides of every power of two, so of every bound.
    std::vector<Duration> waits = {0ns};
    for (int power = 0; power < 45; ++power) {
        const Duration length(std::int64_t{1} << power);
        waits.insert(waits.end(), {length - 1ns, length, length + 1ns});
    }
    Sample sample;
    sample.in_flight.limit = 1;
    for (const auto wait : waits) {
        sample.in_flight.waits.add(wait);
    }

    const auto family = family_of(sample, "sojourn_acquire_wait_seconds");
    REQUIRE(family.type == MetricType::Histogram);
    const auto& histogram = family.metric.front().histogram;
    REQUIRE(histogram.bucket.size() > 10);
    for (const auto& bucket : histogram.bucket) {
        CAPTURE(bucket.upper_bound);
        const auto is_counted = [&](Duration wait) {
            return static_cast<double>(wait.count()) / 1e9 <= bucket.upper_bound;
        };
        CHECK(
            bucket.cumulative_count ==
            static_cast<std::uint64_t>(std::ranges::count_if(waits, is_counted))
        );
    }
    CHECK(histogram.sample_count == waits.size());
    const auto sum = std::accumulate(waits.begin(), waits.end(), Duration::zero());
    CHECK(histogram.sample_sum == static_cast<double>(sum.count()) / 1e9);
}

TEST_CASE("prometheus: buckets go from no wait to all, and double in between", "[prometheus]")
{
    const auto family = family_of(numbered_sample(), "sojourn_acquire_wait_seconds");
    const auto& buckets = family.metric.front().histogram.bucket;
    REQUIRE(buckets.size() == 22);
    CHECK(buckets.front().upper_bound == 0);
    CHECK(std::isinf(buckets.back().upper_bound));
    for (std::size_t i = 2; i + 1 < buckets.size(); ++i) {
        CAPTURE(i);
        const auto growth = buckets[i].upper_bound / buckets[i - 1].upper_bound;
        CHECK(std::abs(growth - 2) < 1e-4);
    }
    CHECK(std::abs(buckets[1].upper_bound - 33e-6) < 1e-6);
    CHECK(std::abs(buckets[20].upper_bound - 17.2) < 0.1);
}

// https://prometheus.io/docs/practices/naming/ and /docs/instrumenting/writing_exporters/
TEST_CASE("prometheus: names and labels keep to Prometheus' conventions", "[prometheus]")
{
    const std::regex name_form("sojourn(_[a-z]+)+");
    const std::regex label_form("[a-z_]+");
    std::set<std::string> names;
    for (const auto& family : families(numbered_sample())) {
        CAPTURE(family.name);
        CHECK(names.insert(family.name).second);
        CHECK(std::regex_match(family.name, name_form));
        CHECK(family.name.ends_with("_total") == (family.type == MetricType::Counter));
        CHECK((family.help.ends_with('.') && family.help.find('\n') == std::string::npos));
        CHECK(!family.metric.empty());
        std::set<std::vector<ClientMetric::Label>> labels;
        for (const auto& metric : family.metric) {
            CHECK(labels.insert(metric.label).second);
            CHECK(metric.timestamp_ms == 0);
            CHECK(metric.label.size() <= 1);
            for (const auto& label : metric.label) {
                CAPTURE(label.name, label.value);
                CHECK(std::regex_match(label.name, label_form));
                CHECK(label.name != "le");
                CHECK((label.name == "version" || std::regex_match(label.value, label_form)));
            }
        }
    }
}

TEST_CASE("prometheus: the text is what Prometheus asks for", "[prometheus]")
{
    CHECK(prometheus::exposition_content_type == "text/plain; version=0.0.4; charset=utf-8");
    Sample sample;
    sample.metrics.live = 7;
    CHECK(prometheus::exposition(sample).starts_with(
        "# HELP sojourn_sessions Sessions that have not ended.\n"
        "# TYPE sojourn_sessions gauge\n"
        "sojourn_sessions 7\n"
    ));
    // Six digits would not do.
    sample.metrics.created = 9'007'199'254'740'991;
    CHECK(shown(sample, "sojourn_sessions_created_total") == " 9007199254740991\n");
}

} // namespace sojourn::tests

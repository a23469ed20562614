#include "sojourn/prometheus/families.hpp"

#include "sojourn/core/removal_cause.hpp"
#include "sojourn/core/time.hpp"
#include "sojourn/core/wait_histogram.hpp"
#include "sojourn/service/service_state.hpp"
#include "sojourn/version.hpp"

#include <prometheus/client_metric.h>
#include <prometheus/metric_type.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace sojourn::prometheus {

namespace {

using ::prometheus::ClientMetric;
using ::prometheus::MetricFamily;
using ::prometheus::MetricType;
using namespace std::chrono_literals;

/// One number of a family, and the value of its label.
struct Series {
    std::string_view label;
    std::uint64_t value;
};

double to_seconds(Duration length) noexcept
{
    return std::chrono::duration<double>(length).count();
}

ClientMetric to_metric(double value)
{
    ClientMetric metric;
    // Which of the two is shown is the family's to say.
    metric.gauge.value = value;
    metric.counter.value = value;
    return metric;
}

MetricFamily family(MetricType type, std::string name, std::string help, double value)
{
    return {std::move(name), std::move(help), type, {to_metric(value)}};
}

MetricFamily family(
    MetricType type,
    std::string name,
    std::string help,
    const std::string& label,
    const std::vector<Series>& all
)
{
    MetricFamily family{std::move(name), std::move(help), type, {}};
    for (const auto& series : all) {
        auto& metric = family.metric.emplace_back(to_metric(static_cast<double>(series.value)));
        metric.label.push_back({label, std::string(series.label)});
    }
    return family;
}

/// How many there are now.
MetricFamily gauge(std::string name, std::string help, std::uint64_t value)
{
    return family(MetricType::Gauge, std::move(name), std::move(help), static_cast<double>(value));
}

MetricFamily
gauge(std::string name, std::string help, const std::string& label, const std::vector<Series>& all)
{
    return family(MetricType::Gauge, std::move(name), std::move(help), label, all);
}

/// How often something has happened.
MetricFamily counter(std::string name, std::string help, std::uint64_t value)
{
    return family(
        MetricType::Counter, std::move(name), std::move(help), static_cast<double>(value)
    );
}

MetricFamily counter(
    std::string name, std::string help, const std::string& label, const std::vector<Series>& all
)
{
    return family(MetricType::Counter, std::move(name), std::move(help), label, all);
}

/// Few enough buckets for each to be a time series: one for no wait at all, then one for each power
/// of two from 33 microseconds to 17 seconds. Waits are whole nanoseconds, and those of a bucket
/// are shorter than its bound, so none is longer than the bound less one: cumulated up to there,
/// they are counted as exactly as Prometheus' "less or equal" wants it.
MetricFamily histogram(std::string name, std::string help, const WaitHistogram& waits)
{
    constexpr std::size_t first_power = 15;
    constexpr std::size_t last_power = 34;
    ClientMetric::Histogram shown;
    std::uint64_t up_to_here = 0;
    for (std::size_t i = 0; i <= last_power; ++i) {
        up_to_here += waits.buckets()[i];
        if (i == 0 || i >= first_power) {
            shown.bucket.push_back({up_to_here, to_seconds(WaitHistogram::upper_bound(i) - 1ns)});
        }
    }
    shown.sample_count = waits.count();
    shown.sample_sum = static_cast<double>(waits.sum_ns()) / 1e9;
    shown.bucket.push_back({shown.sample_count, std::numeric_limits<double>::infinity()});

    ClientMetric metric;
    metric.histogram = std::move(shown);
    return {std::move(name), std::move(help), MetricType::Histogram, {std::move(metric)}};
}

std::vector<Series> removals(const Metrics& metrics)
{
    std::vector<Series> all;
    all.reserve(removal_cause_count);
    for (const auto cause : removal_causes) {
        all.push_back({to_string(cause), metrics.removed_by(cause)});
    }
    return all;
}

/// One of them is 1, the others 0.
std::vector<Series> states(ServiceState now)
{
    std::vector<Series> all;
    for (const auto state : {
             ServiceState::running,
             ServiceState::draining,
             ServiceState::cancelling,
             ServiceState::closed,
         }) {
        all.push_back({to_string(state), state == now ? 1U : 0U});
    }
    return all;
}

void add_sessions(std::vector<MetricFamily>& all, const Metrics& metrics)
{
    all.push_back(gauge("sojourn_sessions", "Sessions that have not ended.", metrics.live));
    all.push_back(gauge(
        "sojourn_sessions_half_open",
        "Of the sessions: those of anonymous clients that have not completed a request yet.",
        metrics.half_open
    ));
    all.push_back(gauge(
        "sojourn_sessions_leased",
        "Of the sessions: those that at least one request holds.",
        metrics.leased
    ));
    all.push_back(gauge(
        "sojourn_sessions_closing",
        "Of the sessions: those that were removed and end with their last request.",
        metrics.closing
    ));
    all.push_back(
        counter("sojourn_sessions_created_total", "Sessions that were created.", metrics.created)
    );
    all.push_back(counter(
        "sojourn_sessions_removed_total",
        "Sessions that have ended, by cause; with those that have not, all that were created.",
        "cause",
        removals(metrics)
    ));
    all.push_back(counter(
        "sojourn_sessions_rotated_total",
        "Session ids that were replaced by new ones.",
        metrics.rotated
    ));
}

void add_requests(std::vector<MetricFamily>& all, const Metrics& metrics)
{
    all.push_back(counter(
        "sojourn_requests_total",
        "Requests that asked for a session, by outcome.",
        "outcome",
        {
            {"acquired", metrics.acquired},
            {"not_found", metrics.not_found},
            {"rate_limited", metrics.rate_limited},
            {"refused_busy", metrics.refused_busy},
            {"refused_stopping", metrics.refused_stopping},
        }
    ));
    all.push_back(counter(
        "sojourn_requests_shed_total",
        "Of the acquired: requests that got no lease after all, as too many were in flight, their "
        "turn did not come in time, or they were cancelled.",
        metrics.requests_shed
    ));
    all.push_back(counter(
        "sojourn_guesses_rate_limited_total",
        "Of the not found: guesses by clients over their creation rate.",
        metrics.guesses_rate_limited
    ));
    all.push_back(counter(
        "sojourn_creations_refused_total",
        "Creations that were refused, by reason; overloaded are also changes that need more room.",
        "reason",
        {
            {"overloaded", metrics.refused_overloaded},
            {"rate_limited", metrics.creations_rate_limited},
            {"stopping", metrics.creations_refused_stopping},
        }
    ));
}

void add_frames(std::vector<MetricFamily>& all, const Metrics& metrics)
{
    all.push_back(gauge("sojourn_frames", "Frames that sessions keep.", metrics.frames));
    all.push_back(gauge(
        "sojourn_frame_bytes",
        "Bytes of the frames that sessions keep, as their bounds count them.",
        metrics.frame_bytes
    ));
    all.push_back(counter(
        "sojourn_frames_recorded_total", "Frames that were recorded.", metrics.frames_recorded
    ));
    all.push_back(counter(
        "sojourn_frames_dropped_total",
        "Of the recorded: frames for which there was no room, and those that made room for others.",
        metrics.frames_dropped
    ));
    all.push_back(counter(
        "sojourn_frames_ended_total",
        "Of the recorded: frames that were kept until their session ended.",
        metrics.frames_ended
    ));
}

/// What `max_in_flight` bounds.
void add_in_flight(std::vector<MetricFamily>& all, const SemaphoreMetrics& in_flight)
{
    all.push_back(gauge("sojourn_in_flight", "Requests in flight.", in_flight.held));
    all.push_back(
        gauge("sojourn_in_flight_limit", "Requests that may be in flight at once.", in_flight.limit)
    );
    all.push_back(gauge("sojourn_waiters", "Requests that wait to be in flight.", in_flight.waiting)
    );
    all.push_back(counter(
        "sojourn_admissions_total",
        "Requests that asked to be in flight and do not wait any more, by outcome.",
        "outcome",
        {
            {"granted", in_flight.granted},
            {"refused_overloaded", in_flight.refused_overloaded},
            {"timed_out", in_flight.timed_out},
            {"cancelled", in_flight.cancelled},
            {"refused_stopping", in_flight.refused_stopping},
        }
    ));
    all.push_back(histogram(
        "sojourn_acquire_wait_seconds",
        "How long those waited that came to be in flight.",
        in_flight.waits
    ));
}

void add_background(std::vector<MetricFamily>& all, const Sample& sample)
{
    const auto& [metrics, health, in_flight] = sample;
    all.push_back(gauge(
        "sojourn_listener_pending",
        "Sessions whose listener has not returned yet, by what it is told.",
        "event",
        {{"created", metrics.pending_creations}, {"removed", metrics.pending_removals}}
    ));
    all.push_back(counter(
        "sojourn_listener_failures_total",
        "Listeners that threw or took too long.",
        health.listener_failures
    ));
    all.push_back(family(
        MetricType::Gauge,
        "sojourn_cleanup_lag_seconds",
        "How far cleanup is behind: no session has been overdue for longer.",
        to_seconds(health.cleanup_lag)
    ));
    all.push_back(counter(
        "sojourn_background_rounds_total",
        "Rounds of the background, by loop.",
        "loop",
        {{"cleanup", health.cleanup.rounds}, {"events", health.events.rounds}}
    ));
    all.push_back(counter(
        "sojourn_background_failures_total",
        "Rounds of the background that failed, by loop.",
        "loop",
        {{"cleanup", health.cleanup.failures}, {"events", health.events.failures}}
    ));
    all.push_back(gauge(
        "sojourn_background_consecutive_failures",
        "Rounds that have failed since the last that did not, by loop.",
        "loop",
        {
            {"cleanup", health.cleanup.consecutive_failures},
            {"events", health.events.consecutive_failures},
        }
    ));
    all.push_back(counter(
        "sojourn_calls_total",
        "Turns in the tables: run at once, by whoever was inside, or after a pause.",
        "kind",
        {
            {"inline", metrics.calls_inline},
            {"combined", metrics.calls_combined},
            {"suspended", metrics.calls_suspended},
        }
    ));
}

void add_service(std::vector<MetricFamily>& all, ServiceState state)
{
    all.push_back(
        gauge("sojourn_state", "1 for the state in which the service is.", "state", states(state))
    );
    all.push_back(gauge("sojourn_info", "1, for the version of sojourn.", "version", {{version, 1}})
    );
}

} // namespace

std::vector<MetricFamily> families(const Sample& sample)
{
    std::vector<MetricFamily> all;
    add_sessions(all, sample.metrics);
    add_requests(all, sample.metrics);
    add_frames(all, sample.metrics);
    if (sample.in_flight.limit > 0) {
        add_in_flight(all, sample.in_flight);
    }
    add_background(all, sample);
    add_service(all, sample.health.state);
    return all;
}

} // namespace sojourn::prometheus

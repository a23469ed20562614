/// @file
/// What Prometheus calls a sample: what a service has counted, and how it is doing, when it is
/// scraped.

#ifndef SOJOURN_PROMETHEUS_SAMPLE_HPP
#define SOJOURN_PROMETHEUS_SAMPLE_HPP

#include "sojourn/core/error.hpp"
#include "sojourn/core/metrics.hpp"
#include "sojourn/core/semaphore_metrics.hpp"
#include "sojourn/service/session_service.hpp"

#include <boost/asio/awaitable.hpp>

namespace sojourn::prometheus {

/// A moment of a service. Its parts are asked for one after the other: each is consistent in
/// itself, and may be a few turns younger than the one before.
struct Sample {
    Metrics metrics;
    Health health;
    /// The requests in flight and those who wait to be. A `limit` of zero: the service has no
    /// `max_in_flight`, and counts none.
    SemaphoreMetrics in_flight;
};

/// Takes a sample. Never blocks: it suspends as `SessionService::metrics` and `health` do, and goes
/// on on its caller's executor. Takes two turns a shard.
///
/// *Errors*: those of its parts, and there is no sample then. *Lifetime*: the service must outlive
/// it.
[[nodiscard]] boost::asio::awaitable<Result<Sample>> sample(SessionService& service);

} // namespace sojourn::prometheus

#endif // SOJOURN_PROMETHEUS_SAMPLE_HPP

/// @file
/// The metrics of a service as Prometheus knows them: families of time series, named by its
/// conventions (https://prometheus.io/docs/practices/naming/).

#ifndef SOJOURN_PROMETHEUS_FAMILIES_HPP
#define SOJOURN_PROMETHEUS_FAMILIES_HPP

#include "sojourn/prometheus/sample.hpp"

#include <prometheus/metric_family.h>

#include <vector>

namespace sojourn::prometheus {

/// Every family that a sample has, always in the same order. docs/prometheus.md lists them.
///
/// All of them are there from the first sample on, with each value of each label, and zeros where
/// nothing has happened: Prometheus takes no rate of what was not there before. Only what the bound
/// `max_in_flight` counts is missing where there is no such bound. Labels have few values, known
/// when this is compiled; none tells of a client, a principal or a session. There is none for
/// several services of one process either: their families would have the same names.
///
/// A value is a `double`, as everywhere in Prometheus, and exact up to 2^53. Any thread may call
/// it. O(families), some sixty of series. *Exceptions*: `bad_alloc`.
[[nodiscard]] std::vector<::prometheus::MetricFamily> families(const Sample& sample);

} // namespace sojourn::prometheus

#endif // SOJOURN_PROMETHEUS_FAMILIES_HPP

/// @file
/// The answer to a scrape: Prometheus' text format 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).

#ifndef SOJOURN_PROMETHEUS_EXPOSITION_HPP
#define SOJOURN_PROMETHEUS_EXPOSITION_HPP

#include "sojourn/prometheus/sample.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>

namespace sojourn::prometheus {

/// The `Content-Type` of an exposition.
inline constexpr std::string_view exposition_content_type =
    "text/plain; version=0.0.4; charset=utf-8";

/// The `families` of a sample as text: the body of an answer, some 8 KB. Any thread may call it.
/// *Exceptions*: `bad_alloc`.
[[nodiscard]] std::string exposition(const Sample& sample);

/// The exposition of a `sample` of this moment: the whole answer to a scrape, and what an admin
/// endpoint's `Options::metrics` takes. *Lifetime*: the service must outlive it. *Errors*: those of
/// `SessionService::metrics`.
[[nodiscard]] boost::asio::awaitable<Result<std::string>> scrape(SessionService& service);

} // namespace sojourn::prometheus

#endif // SOJOURN_PROMETHEUS_EXPOSITION_HPP

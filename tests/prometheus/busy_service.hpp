/// @file
/// A sample of a service to which everything has happened that a sample tells of.

#ifndef SOJOURN_TESTS_PROMETHEUS_BUSY_SERVICE_HPP
#define SOJOURN_TESTS_PROMETHEUS_BUSY_SERVICE_HPP

#include <sojourn/prometheus/sample.hpp>

#include <string>
#include <vector>

namespace sojourn::tests {

struct BusyService {
    prometheus::Sample sample;
    /// What its clients brought, and what they were given: nothing of it is for a scraper.
    std::vector<std::string> confidential;
};

[[nodiscard]] BusyService busy_service();

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_PROMETHEUS_BUSY_SERVICE_HPP

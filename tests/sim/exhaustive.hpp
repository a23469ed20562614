/// @file
/// Bounded exhaustive simulation: a few operations on a session or two, in every order of what is
/// ready, and with every point at which one of them may be cancelled.

#ifndef SOJOURN_TESTS_SIM_EXHAUSTIVE_HPP
#define SOJOURN_TESTS_SIM_EXHAUSTIVE_HPP

#include "sim/plan.hpp"

#include <boost/asio/cancellation_type.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace sojourn::tests::sim {

/// What all the runs of one scenario share.
struct Scenario {
    Swarm swarm;
    /// How often a run may take another than the first that is ready: delay-bounded scheduling
    /// (Emmi, Qadeer and Rakamaric, 2011). No bound is every order.
    std::size_t delays = std::numeric_limits<std::size_t>::max();
    /// Taken one after the other, each to its end.
    std::vector<Step> setup;
    /// Begun together.
    std::vector<Step> together;
};

/// Runs a scenario in every order, and returns how many those were. *Exceptions*: `Violation`,
/// whose text says which of them it was; `std::length_error` if there are more than `most`.
std::uint64_t explore(const Scenario& scenario, std::uint64_t most = 1'000'000);

/// The same, with one of the operations cancelled: each of them, after each step, by this type.
/// Counts the orders in which it had not ended yet.
std::uint64_t explore_cancelled(
    const Scenario& scenario, boost::asio::cancellation_type type, std::uint64_t most = 1'000'000
);

} // namespace sojourn::tests::sim

#endif // SOJOURN_TESTS_SIM_EXHAUSTIVE_HPP

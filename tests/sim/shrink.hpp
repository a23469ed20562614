/// @file
/// Makes a failing run small: delta debugging (Zeller and Hildebrandt, 2002) over the steps of its
/// plan.

#ifndef SOJOURN_TESTS_SIM_SHRINK_HPP
#define SOJOURN_TESTS_SIM_SHRINK_HPP

#include <cstddef>
#include <functional>
#include <vector>

namespace sojourn::tests::sim {

/// Places in a plan, in order.
using Kept = std::vector<std::size_t>;

/// All places of a plan of so many steps.
[[nodiscard]] Kept all_of(std::size_t steps);

/// Fewer of these places with which it still fails: no chunk of them can be left out alone. Calls
/// `still_fails` no more than `trials` times, and gives the best so far then. It must fail with
/// `failing`.
[[nodiscard]] Kept shrink(
    Kept failing, const std::function<bool(const Kept&)>& still_fails, std::size_t trials = 2'000
);

} // namespace sojourn::tests::sim

#endif // SOJOURN_TESTS_SIM_SHRINK_HPP

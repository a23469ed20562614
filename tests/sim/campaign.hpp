/// @file
/// Many simulated runs, in several processes: one that dies or hangs costs one seed, which is
/// known.

#ifndef SOJOURN_TESTS_SIM_CAMPAIGN_HPP
#define SOJOURN_TESTS_SIM_CAMPAIGN_HPP

#include "sim/plan.hpp"
#include "sim/shrink.hpp"
#include "sim/world.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace sojourn::tests::sim {

/// Runs a plan, or those of its steps. What it throws is what is wrong.
using Runner = std::function<Outcome(const Plan& plan, const Kept* kept)>;

struct CampaignOptions {
    std::uint64_t first_seed = 1;
    std::uint64_t seeds = 20'000;
    /// Of each run. Not all are operations: time passes, somebody is cancelled, there is nobody to
    /// do it to.
    std::size_t steps = 2'800;
    unsigned processes = 1;
    /// When to stop, however many seeds are left.
    std::optional<std::chrono::seconds> limit;
    Runner runner = run;
};

/// Sums over all runs.
struct Totals {
    std::uint64_t seeds = 0;
    std::uint64_t operations = 0;
    std::uint64_t steps = 0;
    std::uint64_t sessions = 0;
    std::uint64_t interruptions = 0;
    std::uint64_t cancellations = 0;
    std::uint64_t simulated_seconds = 0;
};

struct CampaignResult {
    Totals totals;
    /// The first seed that was seen to fail.
    std::optional<std::uint64_t> failed;
};

[[nodiscard]] CampaignResult run_campaign(const CampaignOptions& options);

/// How one run goes, in a process of its own: empty if it went well.
[[nodiscard]] std::string
fault_of(std::uint64_t seed, std::size_t steps, const Kept* kept, const Runner& runner = run);

/// What a process of its own says: what `speak` returns, and what it writes to `stderr` before.
struct Said {
    std::string text;
    /// Whether it exited with anything but 0, or died.
    bool has_failed = false;
};

/// Fails where `speak` throws, and says what. *Exceptions*: `std::system_error`.
[[nodiscard]] Said in_a_process(const std::function<std::string()>& speak);

/// Places as a command line takes them: "0-3,17".
[[nodiscard]] std::string to_text(const Kept& kept);
/// Nothing if it is not of that form.
[[nodiscard]] std::optional<Kept> parse_kept(const std::string& text);

} // namespace sojourn::tests::sim

#endif // SOJOURN_TESTS_SIM_CAMPAIGN_HPP

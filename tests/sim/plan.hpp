/// @file
/// What a simulated run is to do: drawn from a seed before it begins, so that it can be repeated,
/// and parts of it left out.

#ifndef SOJOURN_TESTS_SIM_PLAN_HPP
#define SOJOURN_TESTS_SIM_PLAN_HPP

#include <sojourn/core/service_options.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sojourn::tests::sim {

/// What a step of a plan does.
enum class Action : std::uint8_t {
    create,
    acquire,
    acquire_exclusive,
    acquire_weak,
    peek,
    touch,
    rotate,
    log_in,
    remove,
    remove_by_principal,
    list,
    snapshot,
    commit,
    modify,
    cleanup,
    end_all,
    metrics,
    health,
    guess,
    release,
    touch_weak,
    wait_for_end,
    record,
    read_frames,
    follow_frames,
    cancel,
    pass_time,
    turn_back,
    drain,
};

inline constexpr std::size_t action_count = static_cast<std::size_t>(Action::drain) + 1;

[[nodiscard]] std::string_view to_string(Action action) noexcept;

/// How a run ends.
enum class Ending : std::uint8_t {
    /// Whoever waits is let finish, and all sessions expire.
    quiet,
    drained,
    /// The service is destroyed in the middle of everything, and what it left runs on.
    service_gone,
    /// The context is destroyed first, and the frames of all who wait with it.
    context_gone,
};

/// A step. What its numbers mean depends on what there is when its turn comes.
struct Step {
    Action action;
    /// Steps of the context that may be run after it.
    std::uint8_t gap;
    std::array<std::uint32_t, 3> numbers;
};

/// Swarm testing (Groce, Zhang, Eide, Chen and Regehr, 2012): every run draws a mix of its own, and
/// so leaves out what would keep others from showing something.
struct Swarm {
    ServiceOptions options;
    bool hears_created = false;
    bool hears_removed = false;
    std::array<unsigned, action_count> weights{};
    Ending ending = Ending::quiet;
    std::uint8_t longest_gap = 0;
    bool clock_goes_back = false;

    // Chances, in percent.

    unsigned listener_throws = 0;
    unsigned listener_sleeps = 0;
    unsigned listener_hangs = 0;
    unsigned listener_calls_back = 0;
    unsigned id_source_fails = 0;
    /// Calls that are suspended before they begin.
    unsigned call_suspends = 0;
    /// Posts that another thread's step comes between.
    unsigned post_interrupted = 0;

    /// What was drawn, for whoever reads of a failure.
    [[nodiscard]] std::string text() const;
};

struct Plan {
    std::uint64_t seed = 0;
    Swarm swarm;
    std::vector<Step> steps;
};

[[nodiscard]] Plan draw_plan(std::uint64_t seed, std::size_t steps);

} // namespace sojourn::tests::sim

#endif // SOJOURN_TESTS_SIM_PLAN_HPP

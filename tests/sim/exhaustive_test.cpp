#include "sim/exhaustive.hpp"

#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

using namespace sojourn;
using namespace sojourn::tests::sim;
using namespace std::chrono_literals;

namespace {

/// A step that is about the first session, unless it is given other numbers.
Step step(Action action, std::uint32_t first = 0, std::uint32_t second = 1)
{
    return {.action = action, .gap = 0, .numbers = {first, second, 0}};
}

constexpr std::uint32_t a_second = 5;
/// Of the first session, which need not be leased.
constexpr std::uint32_t by_reference = 1;

using Steps = std::vector<Step>;

/// What may come at the same time.
const Steps& operations()
{
    static const Steps all = {
        step(Action::create, 1),
        step(Action::acquire),
        step(Action::acquire_exclusive, 0, 2),
        step(Action::acquire_weak),
        step(Action::touch),
        step(Action::rotate),
        step(Action::log_in),
        step(Action::remove),
        step(Action::remove_by_principal, 1),
        step(Action::commit),
        step(Action::modify),
        step(Action::cleanup),
        step(Action::end_all),
        step(Action::release),
        step(Action::wait_for_end),
        step(Action::record),
        step(Action::follow_frames, by_reference),
        step(Action::pass_time, a_second, 2),
        step(Action::drain, 1),
    };
    return all;
}

/// Those that decide whether a session lives.
const Steps& vital_operations()
{
    static const Steps all = {
        step(Action::create, 1),
        step(Action::acquire),
        step(Action::rotate),
        step(Action::remove),
        step(Action::commit),
        step(Action::release),
        step(Action::drain, 1),
    };
    return all;
}

/// What may come between a frame and who waits for it.
const Steps& ends_of_following()
{
    static const Steps all = {
        step(Action::record),
        step(Action::follow_frames),
        step(Action::read_frames, by_reference),
        step(Action::rotate),
        step(Action::remove),
        step(Action::release),
        step(Action::pass_time, a_second, 2),
        step(Action::drain, 1),
    };
    return all;
}

/// What there is when they come.
struct Setting {
    std::string name;
    Steps setup;
    WhenFull when_full;
};

const std::vector<Setting>& settings()
{
    static const std::vector<Setting> all = {
        {.name = "a session that is leased",
         .setup = {step(Action::create, 1)},
         .when_full = WhenFull::evict_idle},
        {.name = "a session that is idle",
         .setup = {step(Action::create, 1), step(Action::release)},
         .when_full = WhenFull::evict_idle},
        {.name = "a full table and nobody evicted",
         .setup = {step(Action::create, 1), step(Action::create, 2, 2), step(Action::release)},
         .when_full = WhenFull::wait},
    };
    return all;
}

enum class Lines : std::uint8_t { none, bounded };
enum class Listeners : std::uint8_t { none, both };

Scenario scenario_of(const Setting& setting, Lines lines, Listeners listeners)
{
    Scenario scenario;
    scenario.setup = setting.setup;
    auto& swarm = scenario.swarm;
    swarm.options = ServiceOptions()
                        .max_sessions(2)
                        .when_full(setting.when_full)
                        .max_creation_wait(100ms)
                        .idle_timeout(1s)
                        .eviction_grace(0s)
                        .max_sessions_per_principal(1)
                        .max_request_wait(100ms)
                        .max_frames_per_session(1);
    if (lines == Lines::bounded) {
        swarm.options.max_in_flight(1).max_waiting_requests(2);
    }
    swarm.hears_created = listeners == Listeners::both;
    swarm.hears_removed = listeners == Listeners::both;
    // Turns of different callers come between each other only if the callers wait for them.
    swarm.call_suspends = 100;
    return scenario;
}

/// Counts what was explored, and says it in the end.
class Explored {
public:
    explicit Explored(const char* what) : what_(what) {}

    Explored(const Explored&) = delete;
    Explored& operator=(const Explored&) = delete;
    Explored(Explored&&) = delete;
    Explored& operator=(Explored&&) = delete;

    ~Explored()
    {
        std::printf("exhaustive: %s: scenarios=%zu interleavings=%zu\n", what_, scenarios_, runs_);
    }

    /// Runs it with these operations together.
    template <class Explore>
    void add(Scenario scenario, Steps together, const Setting& setting, Explore explore)
    {
        std::string names;
        for (const auto& one : together) {
            names += ' ';
            names += to_string(one.action);
        }
        scenario.together = std::move(together);
        ++scenarios_;
        try {
            runs_ += explore(scenario);
        } catch (const std::exception& error) {
            FAIL_CHECK(setting.name << ", together:" << names << ": " << error.what());
        }
    }

    /// With each pair of the operations, one of them with itself too.
    template <class Explore>
    void
    add_pairs(const Scenario& scenario, const Steps& all, const Setting& setting, Explore explore)
    {
        for (std::size_t i = 0; i < all.size(); ++i) {
            for (std::size_t j = i; j < all.size(); ++j) {
                add(scenario, {all[i], all[j]}, setting, explore);
            }
        }
    }

private:
    const char* what_;
    std::size_t scenarios_ = 0;
    std::size_t runs_ = 0;
};

std::uint64_t explore_orders(const Scenario& scenario)
{
    return explore(scenario);
}

/// With each pair of the operations, in each setting, one of them cancelled by this type.
void explore_cancellations(
    Explored& explored, std::size_t delays, boost::asio::cancellation_type type
)
{
    for (const auto& setting : settings()) {
        auto scenario = scenario_of(setting, Lines::bounded, Listeners::none);
        scenario.delays = delays;
        explored.add_pairs(scenario, operations(), setting, [type](const Scenario& one) {
            return explore_cancelled(one, type);
        });
    }
}

} // namespace

TEST_CASE("exhaustive: two of the vital operations, in every order", "[sim]")
{
    Explored explored("two vital operations");
    const auto& setting = settings().front();
    const auto scenario = scenario_of(setting, Lines::none, Listeners::none);
    explored.add_pairs(scenario, vital_operations(), setting, explore_orders);
}

TEST_CASE("exhaustive: a frame, who follows, and what ends that, in every order", "[sim]")
{
    Explored explored("a frame, who follows, and what ends that");
    const auto& setting = settings().front();
    const auto scenario = scenario_of(setting, Lines::none, Listeners::none);
    for (const auto& end : ends_of_following()) {
        explored.add(
            scenario,
            {step(Action::record), step(Action::follow_frames, by_reference), end},
            setting,
            explore_orders
        );
    }
}

// What takes minutes runs in ./dev sim.

TEST_CASE("exhaustive: two operations, in every order", "[.exhaustive]")
{
    Explored explored("two operations");
    for (const auto& setting : settings()) {
        const auto scenario = scenario_of(setting, Lines::none, Listeners::none);
        explored.add_pairs(scenario, operations(), setting, explore_orders);
    }
}

TEST_CASE("exhaustive: three operations, in every order", "[.exhaustive]")
{
    Explored explored("three operations");
    const auto& setting = settings().front();
    const auto& all = vital_operations();
    const auto scenario = scenario_of(setting, Lines::none, Listeners::none);
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = i; j < all.size(); ++j) {
            for (std::size_t k = j; k < all.size(); ++k) {
                if (all[j].action == Action::drain) {
                    // Several drains have more orders than there is time for.
                    continue;
                }
                explored.add(scenario, {all[i], all[j], all[k]}, setting, explore_orders);
            }
        }
    }
}

TEST_CASE("exhaustive: two operations, one cancelled at any step", "[.exhaustive]")
{
    Explored explored("two operations, one cancelled, two delays");
    explore_cancellations(explored, 2, boost::asio::cancellation_type::terminal);
}

TEST_CASE("exhaustive: two operations, one cancelled by another type", "[.exhaustive]")
{
    Explored explored("two operations, one cancelled by another type, one delay");
    explore_cancellations(explored, 1, boost::asio::cancellation_type::partial);
    explore_cancellations(explored, 1, boost::asio::cancellation_type::total);
}

TEST_CASE("exhaustive: two operations in lines, with listeners", "[.exhaustive]")
{
    Explored explored("two operations in lines, with listeners, three delays");
    for (const auto& setting : settings()) {
        auto scenario = scenario_of(setting, Lines::bounded, Listeners::both);
        scenario.delays = 3;
        explored.add_pairs(scenario, operations(), setting, explore_orders);
    }
}

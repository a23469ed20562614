#include "sim/exhaustive.hpp"
#include "sim/known.hpp"

#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
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

const std::vector<Step>& operations()
{
    static const std::vector<Step> all = {
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
        step(Action::pass_time, a_second, 2),
        step(Action::drain, 1),
    };
    return all;
}

Swarm swarm_of(const ServiceOptions& options)
{
    Swarm swarm;
    swarm.options = options;
    swarm.hears_created = true;
    swarm.hears_removed = true;
    // Turns of different callers come between each other only if the callers wait for them.
    swarm.call_suspends = 100;
    return swarm;
}

ServiceOptions small_options()
{
    return ServiceOptions()
        .max_sessions(2)
        .idle_timeout(1s)
        .eviction_grace(0s)
        .max_sessions_per_principal(1)
        .max_in_flight(1)
        .max_waiting_requests(2)
        .max_request_wait(100ms);
}

struct Setting {
    std::string name;
    std::vector<Step> setup;
    ServiceOptions options;
};

const std::vector<Setting>& settings()
{
    static const std::vector<Setting> all = {
        {"a session that is leased", {step(Action::create, 1)}, small_options()},
        {"a session that is idle",
         {step(Action::create, 1), step(Action::release)},
         small_options()},
        {"a full table, nobody evicted",
         {step(Action::create, 1), step(Action::create, 2, 2), step(Action::release)},
         small_options().when_full(WhenFull::wait).max_creation_wait(100ms)},
    };
    return all;
}

/// The path to a violation is in its text; what it was a run of is said here.
template <class Explore>
std::uint64_t explored(Explore explore, const Scenario& scenario, const std::string& name)
{
    std::string together;
    for (const auto& one : scenario.together) {
        together += ' ';
        together += to_string(one.action);
    }
    try {
        return explore(scenario);
    } catch (const std::exception& error) {
        FAIL(name << ":" << together << ": " << error.what());
    }
    return 0;
}

[[maybe_unused]] void print(const char* what, std::uint64_t scenarios, std::uint64_t runs)
{
    std::printf(
        "exhaustive: %s: scenarios=%llu interleavings=%llu\n",
        what,
        static_cast<unsigned long long>(scenarios),
        static_cast<unsigned long long>(runs)
    );
}

} // namespace

TEST_CASE("exhaustive: measure", "[.sim]")
{
    for (const auto& setting : settings()) {
        const auto& all = operations();
        for (std::size_t i = 0; i < all.size(); ++i) {
            Scenario scenario{.swarm = swarm_of(setting.options), .setup = setting.setup, .together = {all[i], all[i]}};
            for (const std::size_t d : {1U, 2U, 3U, 4U, 6U}) {
            scenario.delays = d;
            std::printf("%s %s d%zu %llu\n", setting.name.c_str(), std::string(to_string(all[i].action)).c_str(), d, static_cast<unsigned long long>(explored([](const Scenario& s) { try { return explore(s, 20000); } catch (std::length_error&) { return std::uint64_t(20000);} }, scenario, setting.name)));
            }
        }
    }
}

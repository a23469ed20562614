#include "sim/plan.hpp"

#include <sojourn/testing/choice_source.hpp>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <iterator>
#include <numeric>
#include <optional>

using namespace std::chrono_literals;

namespace sojourn::tests::sim {

namespace {

constexpr std::array<std::string_view, action_count> action_names = {
    "create",
    "acquire",
    "acquire_exclusive",
    "acquire_weak",
    "peek",
    "touch",
    "rotate",
    "log_in",
    "remove",
    "remove_by_principal",
    "list",
    "snapshot",
    "commit",
    "modify",
    "cleanup",
    "end_all",
    "metrics",
    "health",
    "guess",
    "release",
    "touch_weak",
    "wait_for_end",
    "record",
    "read_frames",
    "follow_frames",
    "cancel",
    "pass_time",
    "turn_back",
    "drain",
};

class Draw {
public:
    explicit Draw(std::uint64_t seed) : choices_(seed) {}

    template <class T>
    T of(std::initializer_list<T> values)
    {
        return *std::next(
            values.begin(), static_cast<std::ptrdiff_t>(choices_.choose(values.size()))
        );
    }

    std::uint32_t number()
    {
        return static_cast<std::uint32_t>(choices_.choose(std::size_t{1} << 32U));
    }

    std::size_t below(std::size_t count) { return choices_.choose(count); }

private:
    testing::SeededChoices choices_;
};

ServiceOptions draw_options(Draw& draw)
{
    using Count = std::optional<std::size_t>;
    const RateLimit slow(2, 3);
    const RateLimit fast(100, 100);
    const auto most = draw.of<std::size_t>({1, 2, 3, 8, 50, 1'000});
    ServiceOptions options;
    options.max_sessions(most)
        .shards(std::min(most, draw.of<std::size_t>({1, 1, 1, 2, 3})))
        .idle_timeout(draw.of<Duration>({1s, 30min, 1h}))
        .absolute_lifetime(draw.of<Duration>({3s, 2h, 8h}))
        .half_open_timeout(draw.of<Duration>({500ms, 60s}))
        .max_half_open(draw.of<std::size_t>({1, 3, 1'000'000}))
        .max_sessions_per_principal(draw.of<Count>({std::nullopt, 1, 2, 5}))
        .creation_rate(draw.of({RateLimit::unlimited(), RateLimit::unlimited(), fast, slow}))
        .creation_keys(4)
        .request_rate(draw.of({RateLimit::unlimited(), RateLimit::unlimited(), fast, slow}))
        .max_in_flight(draw.of<Count>({std::nullopt, 1, 2, 8}))
        .max_waiting_requests(draw.of<std::size_t>({0, 1, 1'000}))
        .max_request_wait(draw.of<Duration>({1ms, 1s, 60s}))
        .max_in_flight_per_session(draw.of<std::size_t>({1, 2, 100}))
        .when_full(draw.of({WhenFull::evict_idle, WhenFull::reject, WhenFull::wait}))
        .max_waiting_creations(draw.of<std::size_t>({0, 1, 1'000}))
        .max_creation_wait(draw.of<Duration>({1ms, 1s, 60s}))
        .eviction_grace(draw.of<Duration>({0s, 0s, 10s}))
        .max_attribute_bytes(draw.of<std::size_t>({0, 100, 10'000}))
        .max_total_attribute_bytes(draw.of<Count>({std::nullopt, 300, 5'000}))
        .max_pending_events(draw.of<std::size_t>({1, 4, 1'000}))
        .listener_timeout(draw.of<Duration>({10ms, 30s}))
        .cleanup_batch(draw.of<std::size_t>({1, 3, 128}))
        .max_frames_per_session(draw.of<std::size_t>({0, 1, 3, 20, 1'000}))
        .max_frame_bytes_per_session(draw.of<std::size_t>({0, 170, 1'000, 10'000, 262'144}))
        .max_frame_bytes(draw.of<std::size_t>({400, 5'000, 1UL << 28U, 1UL << 28U}));
    return options;
}

Swarm draw_swarm(Draw& draw)
{
    Swarm swarm;
    swarm.options = draw_options(draw);
    swarm.hears_created = draw.below(2) == 0;
    swarm.hears_removed = draw.below(4) != 0;
    for (auto& weight : swarm.weights) {
        weight = draw.of({0U, 1U, 4U, 16U});
    }
    const auto weigh = [&](Action action, std::initializer_list<unsigned> weights) {
        swarm.weights[static_cast<std::size_t>(action)] = draw.of(weights);
    };
    // Without these there is nothing to see.
    weigh(Action::create, {4U, 16U, 48U});
    weigh(Action::acquire, {4U, 16U, 48U});
    weigh(Action::release, {16U, 48U});
    weigh(Action::cancel, {0U, 4U, 16U});
    // And after these not much is left.
    weigh(Action::end_all, {0U, 0U, 1U});
    weigh(Action::drain, {0U});
    swarm.clock_goes_back = draw.below(8) == 0;
    if (!swarm.clock_goes_back) {
        weigh(Action::turn_back, {0U});
    }
    swarm.ending =
        draw.of({Ending::quiet, Ending::drained, Ending::service_gone, Ending::context_gone});
    swarm.longest_gap = draw.of<std::uint8_t>({1, 3, 12, 40});
    swarm.listener_throws = draw.of({0U, 0U, 10U, 50U});
    swarm.listener_sleeps = draw.of({0U, 0U, 10U, 50U});
    swarm.listener_hangs = draw.of({0U, 0U, 0U, 5U});
    swarm.listener_calls_back = draw.of({0U, 0U, 10U, 50U});
    swarm.id_source_fails = draw.of({0U, 0U, 0U, 10U});
    swarm.call_suspends = draw.of({0U, 20U, 100U});
    swarm.post_interrupted = draw.of({0U, 0U, 2U, 10U});
    return swarm;
}

Action draw_action(Draw& draw, const Swarm& swarm, unsigned weights)
{
    auto place = draw.below(weights);
    for (std::size_t i = 0; i < action_count; ++i) {
        if (place < swarm.weights[i]) {
            return static_cast<Action>(i);
        }
        place -= swarm.weights[i];
    }
    return Action::metrics;
}

} // namespace

std::string_view to_string(Action action) noexcept
{
    return action_names[static_cast<std::size_t>(action)];
}

std::string Swarm::text() const
{
    const auto number = [](auto value) { return std::to_string(value); };
    const auto count = [](const std::optional<std::size_t>& value) {
        return value ? std::to_string(*value) : std::string("-");
    };
    const auto length = [](Duration value) { return std::to_string(value / 1ms) + "ms"; };
    const auto rate = [](RateLimit value) {
        return value.is_unlimited() ? std::string("-")
                                    : std::to_string(value.requests_per_second()) + "/" +
                                          std::to_string(value.burst());
    };
    constexpr std::array full = {"evict_idle", "reject", "wait"};
    constexpr std::array endings = {"quiet", "drained", "service_gone", "context_gone"};
    std::string text =
        "max_sessions " + number(options.max_sessions()) + ", shards " + number(options.shards()) +
        ", when_full " + full[static_cast<std::size_t>(options.when_full())] + ", half_open " +
        number(options.max_half_open()) + ", per_principal " +
        count(options.max_sessions_per_principal()) + ", grace " +
        length(options.eviction_grace()) + ",\n  idle " + length(options.idle_timeout()) +
        ", lifetime " + length(options.absolute_lifetime()) + ", half_open_timeout " +
        length(options.half_open_timeout()) + ", request_rate " + rate(options.request_rate()) +
        ", creation_rate " + rate(options.creation_rate()) + ",\n  in_flight " +
        count(options.max_in_flight()) + ", waiting " + number(options.max_waiting_requests()) +
        ", wait " + length(options.max_request_wait()) + ", per_session " +
        number(options.max_in_flight_per_session()) + ", waiting_creations " +
        number(options.max_waiting_creations()) + ", creation_wait " +
        length(options.max_creation_wait()) + ",\n  attribute_bytes " +
        number(options.max_attribute_bytes()) + " of " +
        count(options.max_total_attribute_bytes()) + ", pending_events " +
        number(options.max_pending_events()) + ", listener_timeout " +
        length(options.listener_timeout()) + ", batch " + number(options.cleanup_batch()) +
        ", frames " + number(options.max_frames_per_session()) + " of " +
        number(options.max_frame_bytes_per_session()) + " of " + number(options.max_frame_bytes());
    text += std::string(",\n  hears") + (hears_created ? " created" : "") +
            (hears_removed ? " removed" : "") + ", listener throws " + number(listener_throws) +
            "% sleeps " + number(listener_sleeps) + "% hangs " + number(listener_hangs) +
            "% calls back " + number(listener_calls_back) + "%, id source fails " +
            number(id_source_fails) + "%, calls suspended " + number(call_suspends) +
            "%, posts interrupted " + number(post_interrupted) + "%, clock goes back " +
            (clock_goes_back ? "yes" : "no") + ", gap " + number(longest_gap) + ", ending " +
            endings[static_cast<std::size_t>(ending)];
    return text;
}

Plan draw_plan(std::uint64_t seed, std::size_t steps)
{
    Draw draw(seed);
    Plan plan;
    plan.seed = seed;
    plan.swarm = draw_swarm(draw);
    const auto weights = std::accumulate(plan.swarm.weights.begin(), plan.swarm.weights.end(), 0U);
    plan.steps.reserve(steps);
    for (std::size_t i = 0; i < steps; ++i) {
        plan.steps.push_back({
            .action = draw_action(draw, plan.swarm, weights),
            .gap = static_cast<std::uint8_t>(draw.below(plan.swarm.longest_gap + 1U)),
            .numbers = {draw.number(), draw.number(), draw.number()},
        });
    }
    // What comes after it meets a service that takes nobody any more.
    if (steps > 20 && plan.swarm.ending == Ending::drained) {
        plan.steps[steps - steps / 20].action = Action::drain;
    }
    return plan;
}

} // namespace sojourn::tests::sim

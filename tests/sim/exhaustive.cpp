#include "sim/exhaustive.hpp"

#include "sim/world.hpp"

#include <sojourn/testing/choice_source.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace asio = boost::asio;

namespace sojourn::tests::sim {

namespace {

/// Follows in turn those who choose for a part of a run each.
class ChoicesInTurn final : public testing::ChoiceSource {
public:
    [[nodiscard]] std::size_t choose(std::size_t count) override
    {
        if (!is_exploring || delays == 0) {
            return first.choose(count);
        }
        const auto choice = all.choose(count);
        delays -= choice > 0 ? 1U : 0U;
        return choice;
    }

    testing::ExhaustiveChoices all;
    testing::FirstChoice first;
    /// Only while the operations run that a scenario is about. What comes before and after has one
    /// order.
    bool is_exploring = false;
    std::size_t delays = 0;
};

/// The operation that is cancelled, after how many steps, and how.
struct CancelPoint {
    std::size_t operation;
    std::size_t after;
    asio::cancellation_type type;
};

/// Runs one order. True if the operation was there to be cancelled, or none is.
bool run_once(
    const Scenario& scenario,
    const std::shared_ptr<ChoicesInTurn>& choices,
    const std::optional<CancelPoint>& cancelled
)
{
    choices->is_exploring = false;
    World world(scenario.swarm, choices, 1);
    for (const auto& step : scenario.setup) {
        world.take(step);
        while (world.run_one()) {
        }
    }
    std::vector<World::Operation> operations;
    operations.reserve(scenario.together.size());
    for (const auto& step : scenario.together) {
        operations.push_back(world.post(step));
    }
    bool was_hit = !cancelled;
    choices->is_exploring = true;
    choices->delays = scenario.delays;
    for (std::size_t steps = 0;; ++steps) {
        if (cancelled && steps == cancelled->after) {
            was_hit = world.cancel(operations[cancelled->operation], cancelled->type);
        }
        if (!world.run_one()) {
            break;
        }
    }
    choices->is_exploring = false;
    world.end();
    return was_hit;
}

std::string text_of(const std::vector<std::size_t>& path)
{
    std::string text;
    for (const auto choice : path) {
        text += ' ' + std::to_string(choice);
    }
    return text;
}

/// Returns how many orders there were, but for those in which there was nobody to cancel.
std::uint64_t explore_all(
    const Scenario& scenario, std::uint64_t most, const std::optional<CancelPoint>& cancelled
)
{
    const auto choices = std::make_shared<ChoicesInTurn>();
    std::uint64_t runs = 0;
    std::uint64_t hits = 0;
    do {
        if (runs == most) {
            throw std::length_error("more orders than " + std::to_string(most));
        }
        try {
            hits += run_once(scenario, choices, cancelled) ? 1U : 0U;
        } catch (const Violation& violation) {
            std::string where = ", in the order" + text_of(choices->all.path());
            if (cancelled) {
                where += ", operation " + std::to_string(cancelled->operation) +
                         " cancelled after step " + std::to_string(cancelled->after);
            }
            throw Violation(violation.what() + where);
        }
        ++runs;
    } while (choices->all.next());
    return hits;
}

} // namespace

std::uint64_t explore(const Scenario& scenario, std::uint64_t most)
{
    return explore_all(scenario, most, std::nullopt);
}

std::uint64_t
explore_cancelled(const Scenario& scenario, asio::cancellation_type type, std::uint64_t most)
{
    std::uint64_t all = 0;
    for (std::size_t operation = 0; operation < scenario.together.size(); ++operation) {
        CancelPoint point{.operation = operation, .after = 0, .type = type};
        while (const auto hits = explore_all(scenario, most, point)) {
            all += hits;
            ++point.after;
        }
    }
    return all;
}

} // namespace sojourn::tests::sim

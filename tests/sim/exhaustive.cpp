#include "sim/exhaustive.hpp"

#include "sim/world.hpp"

#include <sojourn/testing/choice_source.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

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

/// The operation that is cancelled, and after how many steps.
struct CancelPoint {
    std::size_t operation;
    std::size_t after;
};

/// Runs one order. True if the cancel point was reached, or there is none.
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
    for (const auto& step : scenario.together) {
        world.begin(step);
    }
    bool was_reached = !cancelled;
    choices->is_exploring = true;
    choices->delays = scenario.delays;
    for (std::size_t steps = 0;; ++steps) {
        if (cancelled && steps == cancelled->after) {
            was_reached = world.cancel(
                scenario.together.size() - 1 - cancelled->operation,
                boost::asio::cancellation_type::terminal
            );
        }
        if (!world.run_one()) {
            break;
        }
    }
    choices->is_exploring = false;
    world.end();
    return was_reached;
}

std::string text_of(const std::vector<std::size_t>& path)
{
    std::string text;
    for (const auto choice : path) {
        text += ' ' + std::to_string(choice);
    }
    return text;
}

struct Explored {
    std::uint64_t runs = 0;
    bool was_reached = false;
};

Explored explore_all(
    const Scenario& scenario, std::uint64_t most, const std::optional<CancelPoint>& cancelled
)
{
    const auto choices = std::make_shared<ChoicesInTurn>();
    Explored explored;
    do {
        if (explored.runs == most) {
            throw std::length_error("more orders than " + std::to_string(most));
        }
        try {
            explored.was_reached |= run_once(scenario, choices, cancelled);
        } catch (const Violation& violation) {
            std::string where = ", in the order" + text_of(choices->all.path());
            if (cancelled) {
                where += ", operation " + std::to_string(cancelled->operation) +
                         " cancelled after step " + std::to_string(cancelled->after);
            }
            throw Violation(violation.what() + where);
        }
        ++explored.runs;
    } while (choices->all.next());
    return explored;
}

} // namespace

std::uint64_t explore(const Scenario& scenario, std::uint64_t most)
{
    return explore_all(scenario, most, std::nullopt).runs;
}

std::uint64_t explore_cancelled(const Scenario& scenario, std::uint64_t most)
{
    std::uint64_t runs = 0;
    for (std::size_t operation = 0; operation < scenario.together.size(); ++operation) {
        for (std::size_t after = 0;; ++after) {
            const auto explored =
                explore_all(scenario, most, CancelPoint{.operation = operation, .after = after});
            runs += explored.runs;
            if (!explored.was_reached) {
                break;
            }
        }
    }
    return runs;
}

} // namespace sojourn::tests::sim

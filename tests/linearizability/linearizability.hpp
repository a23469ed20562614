/// @file
/// Whether what several clients saw has an order. A history says of each operation when it began,
/// when it ended and what it answered. It is linearizable (Herlihy and Wing, 1990) if every
/// operation can be thought to have happened in one moment between the two, so that a plain
/// sequential specification would have given the same answers in that order.
///
/// The search is Wing's and Gong's ("Testing and verifying concurrent objects", 1993): try whoever
/// may have been next, and go back. As in Lowe ("Testing for linearizability", 2016), what was
/// tried is remembered as who has happened and what the state is then, so that orders which come
/// to the same are tried once. And a history is cut wherever nobody was inside, so that what is
/// searched is as short as the clients overlap.

#ifndef SOJOURN_TESTS_LINEARIZABILITY_LINEARIZABILITY_HPP
#define SOJOURN_TESTS_LINEARIZABILITY_LINEARIZABILITY_HPP

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sojourn::tests {

/// A moment of a history. No two of its beginnings and ends are the same one.
using Stamp = std::uint64_t;

/// When an operation ends that nobody saw the end of.
inline constexpr Stamp never = std::numeric_limits<Stamp>::max();

/// An operation as its client saw it. One that never ended may have happened or not.
template <class Call, class Answer>
struct Recorded {
    unsigned client = 0;
    Call call;
    /// Nothing if it is not known.
    std::optional<Answer> answer;
    Stamp begun = 0;
    Stamp ended = never;
};

template <class Specification>
using History = std::vector<Recorded<typename Specification::Call, typename Specification::Answer>>;

/// What an object does for one client at a time. `apply` gives the state that a call leaves behind;
/// nothing if the call would not have been answered so. `text` is for people.
template <class S>
concept SequentialSpecification =
    std::totally_ordered<typename S::State> && requires(
                                                   const S& specification,
                                                   const typename S::State& state,
                                                   const typename S::Call& call,
                                                   const std::optional<typename S::Answer>& answer
                                               ) {
        {
            specification.apply(state, call, answer)
        } -> std::same_as<std::optional<typename S::State>>;
        { specification.text(state) } -> std::same_as<std::string>;
        { specification.text(call, answer) } -> std::same_as<std::string>;
    };

enum class Verdict : std::uint8_t {
    linearizable,
    not_linearizable,
    /// There were more orders to try than the checker may.
    gave_up,
};

struct Finding {
    Verdict verdict = Verdict::linearizable;
    /// Of one that is not linearizable: the fewest operations, from a moment at which nobody was
    /// inside, that show it.
    std::string excerpt;
    /// Operations that were tried.
    std::size_t steps = 0;
};

/// The history as text, in the order in which the operations began.
template <SequentialSpecification S>
std::string in_time_order(const S& specification, History<S> history)
{
    std::ranges::sort(history, {}, &History<S>::value_type::begun);
    std::string lines;
    for (const auto& each : history) {
        lines += "  [" + std::to_string(each.begun) + ", " +
                 (each.ended == never ? "never" : std::to_string(each.ended)) + "] client " +
                 std::to_string(each.client) + ": " + specification.text(each.call, each.answer) +
                 "\n";
    }
    return lines;
}

/// Why somebody should look at this history, with all of it; empty if nobody need.
template <SequentialSpecification S>
std::string complaint(const S& specification, const Finding& found, const History<S>& history)
{
    if (found.verdict == Verdict::linearizable) {
        return "";
    }
    const auto reason = found.verdict == Verdict::gave_up ? "the checker gave up\n" : found.excerpt;
    return reason + "the whole history:\n" + in_time_order(specification, history);
}

/// Looks for an order of one history. For one use.
template <SequentialSpecification S>
class LinearizabilityChecker {
public:
    static constexpr std::size_t default_max_steps = 1'000'000;

    explicit LinearizabilityChecker(
        const S& specification, std::size_t max_steps = default_max_steps
    )
        : specification_(specification), max_steps_(max_steps)
    {
    }

    [[nodiscard]] Finding check(History<S> history, const typename S::State& initial = {})
    {
        std::ranges::sort(history, {}, &Operation::begun);
        States states{initial};
        for (Part rest = history; !rest.empty();) {
            const auto part = rest.first(until_nobody_is_inside(rest));
            rest = rest.subspan(part.size());
            auto after = states_after(part, states);
            if (has_given_up()) {
                return {Verdict::gave_up, "", steps_};
            }
            if (after.empty()) {
                return {Verdict::not_linearizable, excerpt(part, states), steps_};
            }
            states = std::move(after);
        }
        return {Verdict::linearizable, "", steps_};
    }

private:
    using State = typename S::State;
    using States = std::set<State>;
    using Operation = typename History<S>::value_type;
    using Part = std::span<const Operation>;

    [[nodiscard]] bool has_given_up() const noexcept { return steps_ > max_steps_; }

    /// How many operations it is from the first on until all that began have ended.
    static std::size_t until_nobody_is_inside(Part part)
    {
        Stamp latest_end = part.front().ended;
        std::size_t count = 1;
        while (count < part.size() && part[count].begun < latest_end) {
            latest_end = std::max(latest_end, part[count++].ended);
        }
        return count;
    }

    /// All states that the operations may leave behind, in whatever order is possible.
    States states_after(Part part, const States& before)
    {
        // Who has happened, and what the state is then.
        using Configuration = std::pair<std::vector<bool>, State>;
        std::set<Configuration> known;
        std::vector<const Configuration*> to_try;
        const auto reach = [&](Configuration configuration) {
            if (const auto [place, is_new] = known.insert(std::move(configuration)); is_new) {
                to_try.push_back(&*place);
            }
        };

        for (const auto& state : before) {
            reach({std::vector<bool>(part.size()), state});
        }
        States result;
        while (!to_try.empty() && !has_given_up()) {
            const auto& [has_happened, state] = *to_try.back();
            to_try.pop_back();
            // Whoever began after another one's end comes after it.
            auto first_end = never;
            for (std::size_t i = 0; i < part.size(); ++i) {
                first_end = has_happened[i] ? first_end : std::min(first_end, part[i].ended);
            }
            if (first_end == never) {
                result.insert(state);
            }
            for (std::size_t i = 0; i < part.size() && part[i].begun < first_end; ++i) {
                if (has_happened[i]) {
                    continue;
                }
                ++steps_;
                if (auto next = specification_.apply(state, part[i].call, part[i].answer)) {
                    auto also_happened = has_happened;
                    also_happened[i] = true;
                    reach({std::move(also_happened), *std::move(next)});
                }
            }
        }
        return result;
    }

    /// Of a part that has no order: up to the first end at which there is none.
    std::string excerpt(Part part, const States& before)
    {
        steps_ = 0;
        std::vector<Stamp> ends;
        for (const auto& each : part) {
            ends.push_back(each.ended);
        }
        std::ranges::sort(ends);
        for (const auto end : ends) {
            History<S> begun;
            for (const auto& each : part) {
                if (each.begun < end) {
                    begun.push_back(each);
                    begun.back().ended = each.ended <= end ? each.ended : never;
                }
            }
            if (states_after(begun, before).empty()) {
                return excerpt_text(part.first(begun.size()), end, before);
            }
        }
        return excerpt_text(part, never, before);
    }

    std::string excerpt_text(Part part, Stamp end, const States& before) const
    {
        std::string text = "no order of these explains the one that ended at " +
                           std::to_string(end) + "; before them it was\n";
        for (const auto& state : before) {
            text += "  " + specification_.text(state) + "\n";
        }
        return text + in_time_order(specification_, History<S>(part.begin(), part.end()));
    }

    const S& specification_;
    const std::size_t max_steps_;
    std::size_t steps_ = 0;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_LINEARIZABILITY_LINEARIZABILITY_HPP

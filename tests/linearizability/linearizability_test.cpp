#include "linearizability/linearizability.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

using namespace sojourn::tests;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A number that is read, written, and increased.
struct Register {
    enum class Verb : std::uint8_t { load, store, increase };

    struct Call {
        Verb verb{};
        int value = 0;
    };

    /// What is read; of an increase, what it was before; of a store, zero.
    using Answer = int;
    using State = int;

    [[nodiscard]] static std::optional<State>
    apply(const State& state, const Call& call, const std::optional<Answer>& answer)
    {
        const bool is_write = call.verb == Verb::store;
        if (answer && *answer != (is_write ? 0 : state)) {
            return std::nullopt;
        }
        return is_write ? call.value : state + (call.verb == Verb::increase ? 1 : 0);
    }

    [[nodiscard]] static std::string text(const State& state) { return std::to_string(state); }

    [[nodiscard]] static std::string text(const Call& call, const std::optional<Answer>& answer)
    {
        const auto told = answer ? std::to_string(*answer) : "?";
        switch (call.verb) {
        case Verb::load:
            return "load() -> " + told;
        case Verb::increase:
            return "increase() -> " + told;
        default:
            return "store(" + std::to_string(call.value) + ")";
        }
    }
};

/// Things that can be there, once each.
struct Things {
    enum class Verb : std::uint8_t { add, remove };

    struct Call {
        Verb verb{};
        int thing = 0;
    };

    /// Whether it was new, or there.
    enum class Answer : std::uint8_t { no, yes };
    using State = std::set<int>;

    [[nodiscard]] static std::optional<State>
    apply(const State& state, const Call& call, const std::optional<Answer>& answer)
    {
        auto next = state;
        const bool is_done =
            call.verb == Verb::add ? next.insert(call.thing).second : next.erase(call.thing) == 1;
        if (answer && *answer != (is_done ? Answer::yes : Answer::no)) {
            return std::nullopt;
        }
        return next;
    }

    [[nodiscard]] static std::string text(const State& state)
    {
        return std::to_string(state.size()) + " things";
    }

    [[nodiscard]] static std::string text(const Call& call, const std::optional<Answer>& /*told*/)
    {
        return (call.verb == Verb::add ? "add " : "remove ") + std::to_string(call.thing);
    }
};

constexpr auto load = Register::Verb::load;
constexpr auto store = Register::Verb::store;
constexpr auto increase = Register::Verb::increase;

template <SequentialSpecification S>
Finding finding(const History<S>& history, std::size_t max_steps = 1'000'000)
{
    const S specification;
    return LinearizabilityChecker<S>(specification, max_steps).check(history);
}

Verdict verdict(const History<Register>& history)
{
    return finding<Register>(history).verdict;
}

Verdict verdict(const History<Things>& history)
{
    return finding<Things>(history).verdict;
}

} // namespace

TEST_CASE(
    "linearizability: one after the other is in order if the answers are", "[linearizability]"
)
{
    CHECK(verdict(History<Register>{}) == Verdict::linearizable);
    CHECK(
        verdict(History<Register>{
            {0, {store, 1}, 0, 1, 2},
            {1, {load}, 1, 3, 4},
            {0, {increase}, 1, 5, 6},
            {1, {load}, 2, 7, 8},
        }) == Verdict::linearizable
    );
    // The order in which they are written down does not matter.
    CHECK(
        verdict(History<Register>{{1, {load}, 1, 3, 4}, {0, {store, 1}, 0, 1, 2}}) ==
        Verdict::linearizable
    );
}

TEST_CASE("linearizability: a stale read after a completed write has no order", "[linearizability]")
{
    CHECK(
        verdict(History<Register>{{0, {store, 1}, 0, 1, 2}, {1, {load}, 0, 3, 4}}) ==
        Verdict::not_linearizable
    );
}

TEST_CASE("linearizability: a read that overlaps a write may see either", "[linearizability]")
{
    for (const int seen : {0, 1}) {
        CAPTURE(seen);
        CHECK(
            verdict(History<Register>{{0, {store, 1}, 0, 1, 4}, {1, {load}, seen, 2, 3}}) ==
            Verdict::linearizable
        );
    }
}

TEST_CASE("linearizability: what one has seen, nobody unsees", "[linearizability]")
{
    // Both reads overlap the write, but the second began when the first had ended.
    CHECK(
        verdict(History<Register>{
            {0, {store, 1}, 0, 1, 10},
            {1, {load}, 1, 2, 3},
            {2, {load}, 0, 4, 5},
        }) == Verdict::not_linearizable
    );
    // While these overlap each other too.
    CHECK(
        verdict(History<Register>{
            {0, {store, 1}, 0, 1, 10},
            {1, {load}, 1, 2, 4},
            {2, {load}, 0, 3, 5},
        }) == Verdict::linearizable
    );
}

TEST_CASE("linearizability: an update that is lost has no order", "[linearizability]")
{
    CHECK(
        verdict(History<Register>{{0, {increase}, 0, 1, 3}, {1, {increase}, 0, 2, 4}}) ==
        Verdict::not_linearizable
    );
    CHECK(
        verdict(History<Register>{{0, {increase}, 1, 1, 3}, {1, {increase}, 0, 2, 4}}) ==
        Verdict::linearizable
    );
}

TEST_CASE("linearizability: a thing is removed once", "[linearizability]")
{
    using Answer = Things::Answer;

    History<Things> history{
        {0, {Things::Verb::add, 7}, Answer::yes, 1, 2},
        {0, {Things::Verb::remove, 7}, Answer::yes, 3, 6},
        {1, {Things::Verb::remove, 7}, Answer::yes, 4, 5},
    };
    CHECK(verdict(history) == Verdict::not_linearizable);
    history.back().answer = Answer::no;
    CHECK(verdict(history) == Verdict::linearizable);
    history.back().answer = Answer::yes;
    history.push_back({2, {Things::Verb::add, 7}, Answer::yes, 4, 6});
    CHECK(verdict(history) == Verdict::linearizable);
}

TEST_CASE("linearizability: what never ended may have happened, late, or not", "[linearizability]")
{
    History<Register> history{{0, {store, 1}, std::nullopt, 1, never}, {1, {load}, 0, 2, 3}};
    CHECK(verdict(history) == Verdict::linearizable);
    history.push_back({1, {load}, 1, 4, 5});
    CHECK(verdict(history) == Verdict::linearizable);
    history.push_back({1, {load}, 0, 6, 7});
    CHECK(verdict(history) == Verdict::not_linearizable);
    // But not before it began.
    CHECK(
        verdict(History<Register>{
            {1, {load}, 1, 1, 2},
            {0, {store, 1}, std::nullopt, 3, never},
        }) == Verdict::not_linearizable
    );
}

TEST_CASE(
    "linearizability: where nobody was inside, any state that may be goes on", "[linearizability]"
)
{
    // Which write came last is open until somebody looks.
    for (const int seen : {1, 2}) {
        CAPTURE(seen);
        CHECK(
            verdict(History<Register>{
                {0, {store, 1}, 0, 1, 3},
                {1, {store, 2}, 0, 2, 4},
                {0, {load}, seen, 5, 6},
                {1, {load}, seen, 7, 8},
            }) == Verdict::linearizable
        );
    }
    CHECK(
        verdict(History<Register>{
            {0, {store, 1}, 0, 1, 3},
            {1, {store, 2}, 0, 2, 4},
            {0, {load}, 1, 5, 6},
            {1, {load}, 2, 7, 8},
        }) == Verdict::not_linearizable
    );
}

TEST_CASE("linearizability: the excerpt is what shows the fault and no more", "[linearizability]")
{
    const auto found = finding<Register>({
        {0, {store, 1}, 0, 1, 2},
        {0, {store, 2}, 0, 3, 7},
        {1, {load}, 2, 4, 5},
        {2, {load}, 1, 6, 8},
        {1, {load}, 2, 9, 10},
        {2, {load}, 2, 9, 11},
    });
    CHECK(found.verdict == Verdict::not_linearizable);
    CHECK(
        found.excerpt == "no order of these explains the one that ended at 8; before them it was\n"
                         "  1\n"
                         "  [3, 7] client 0: store(2)\n"
                         "  [4, 5] client 1: load() -> 2\n"
                         "  [6, 8] client 2: load() -> 1\n"
    );
}

TEST_CASE("linearizability: an operation without an end is shown as such", "[linearizability]")
{
    const auto found = finding<Register>(
        {{0, {store, 1}, std::nullopt, 1, never}, {1, {load}, 1, 2, 3}, {1, {load}, 0, 4, 5}}
    );
    CHECK_THAT(found.excerpt, ContainsSubstring("[1, never] client 0: store(1)"));
}

TEST_CASE("linearizability: orders that come to the same are tried once", "[linearizability]")
{
    // All at once: ten factorial orders, but only so many sets of those that have happened.
    constexpr unsigned clients = 10;
    History<Register> history;
    for (unsigned i = 0; i < clients; ++i) {
        history.push_back({i, {load}, 0, i, 100 + i});
    }
    const auto found = finding<Register>(history);
    CHECK(found.verdict == Verdict::linearizable);
    CHECK(found.steps <= std::size_t{clients} << clients);
}

TEST_CASE("linearizability: whoever has too many orders to try says so", "[linearizability]")
{
    constexpr unsigned clients = 20;
    History<Register> history;
    for (unsigned i = 0; i < clients; ++i) {
        history.push_back({i, {store, static_cast<int>(i)}, 0, i, 100 + i});
    }
    CHECK(finding<Register>(history, 10'000).verdict == Verdict::gave_up);
}

#include <sojourn/testing/choice_source.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace sojourn::testing;

TEST_CASE("choice_source: the same seed chooses the same", "[unit]")
{
    SeededChoices one(42);
    SeededChoices same(42);
    SeededChoices other(43);
    std::size_t differences = 0;
    for (std::size_t count = 1; count < 1000; ++count) {
        const auto choice = one.choose(count);
        CHECK(choice < count);
        CHECK(choice == same.choose(count));
        differences += choice != other.choose(count) ? 1U : 0U;
    }
    CHECK(differences > 900);
}

TEST_CASE("choice_source: a seed chooses the same everywhere", "[unit]")
{
    SeededChoices choices(2026);
    std::string chosen;
    for (int i = 0; i < 16; ++i) {
        chosen += std::to_string(choices.choose(10));
    }
    // As the standard's engine gives it; a failing seed of one machine must fail on another.
    std::mt19937_64 engine(2026);
    std::string expected;
    for (int i = 0; i < 16; ++i) {
        expected += std::to_string(engine() % 10);
    }
    CHECK(chosen == expected);
}

TEST_CASE("choice_source: a choice of one is none, and draws nothing", "[unit]")
{
    SeededChoices one(7);
    SeededChoices other(7);
    for (int i = 0; i < 10; ++i) {
        CHECK(one.choose(1) == 0);
    }
    CHECK(one.choose(1'000'000) == other.choose(1'000'000));
}

TEST_CASE("choice_source: every choice is made once", "[unit]")
{
    // A tree: the second choice depends on the first.
    ExhaustiveChoices choices;
    std::vector<std::vector<std::size_t>> seen;
    do {
        const auto first = choices.choose(3);
        std::vector<std::size_t> run{first};
        for (std::size_t i = 0; i < first; ++i) {
            run.push_back(choices.choose(2));
        }
        CHECK(choices.path() == run);
        seen.push_back(run);
    } while (choices.next());
    CHECK(
        seen ==
        std::vector<std::vector<std::size_t>>{
            {0}, {1, 0}, {1, 1}, {2, 0, 0}, {2, 0, 1}, {2, 1, 0}, {2, 1, 1}
        }
    );
    CHECK(choices.runs() == 7);
}

TEST_CASE("choice_source: a run may end early", "[unit]")
{
    ExhaustiveChoices choices;
    std::size_t runs = 0;
    do {
        ++runs;
        if (choices.choose(2) == 0) {
            (void)choices.choose(5);
        }
    } while (choices.next());
    CHECK(runs == 6);
}

TEST_CASE("choice_source: a program that does not repeat itself is told so", "[unit]")
{
    ExhaustiveChoices choices;
    (void)choices.choose(2);
    REQUIRE(choices.next());
    CHECK_THROWS_AS((void)choices.choose(3), std::logic_error);
}

TEST_CASE("choice_source: a path is followed and then left", "[unit]")
{
    PathChoices choices({2, 0, 1});
    CHECK(choices.choose(3) == 2);
    CHECK(choices.choose(1) == 0);
    CHECK(choices.choose(2) == 1);
    CHECK(choices.choose(9) == 0);
    PathChoices wrong({3});
    CHECK_THROWS_AS((void)wrong.choose(3), std::logic_error);
}

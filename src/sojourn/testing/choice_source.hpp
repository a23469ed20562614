/// @file
/// What a simulation leaves open, and who decides it. Code that runs on several executors at once
/// can go on in many orders; a simulation asks a `ChoiceSource` which of them to take. One that
/// follows a seed gives a run that can be repeated; one that enumerates gives all of them.

#ifndef SOJOURN_TESTING_CHOICE_SOURCE_HPP
#define SOJOURN_TESTING_CHOICE_SOURCE_HPP

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace sojourn::testing {

/// Decides.
///
/// *Thread safety*: none.
class ChoiceSource {
public:
    ChoiceSource() = default;
    ChoiceSource(const ChoiceSource&) = delete;
    ChoiceSource& operator=(const ChoiceSource&) = delete;
    ChoiceSource(ChoiceSource&&) = delete;
    ChoiceSource& operator=(ChoiceSource&&) = delete;
    virtual ~ChoiceSource() = default;

    /// One of 0 to `count` - 1. `count` must not be 0.
    [[nodiscard]] virtual std::size_t choose(std::size_t count) = 0;
};

/// Always the first: what is ready runs in the order in which it became so.
class FirstChoice final : public ChoiceSource {
public:
    [[nodiscard]] std::size_t choose(std::size_t /*count*/) override { return 0; }
};

/// Choices that follow from a seed, the same on every machine and with every compiler.
class SeededChoices final : public ChoiceSource {
public:
    explicit SeededChoices(std::uint64_t seed) : random_(seed) {}

    [[nodiscard]] std::size_t choose(std::size_t count) override;

private:
    std::mt19937_64 random_;
};

/// All choices, one run after the other, depth first: whoever makes the same program choose again
/// after each `next` has made every choice there is.
///
///     testing::ExhaustiveChoices choices;
///     do {
///         run_once(choices);
///     } while (choices.next());
///
/// The program must be deterministic but for what it chooses.
class ExhaustiveChoices final : public ChoiceSource {
public:
    /// *Exceptions*: `std::logic_error` if there are more or fewer to choose from than at this
    /// place in the run before: the program is not deterministic. One that has as many by chance
    /// goes unnoticed.
    [[nodiscard]] std::size_t choose(std::size_t count) override;

    /// Begins the next run; false if there has been every one.
    [[nodiscard]] bool next();

    /// Runs that were begun.
    [[nodiscard]] std::uint64_t runs() const noexcept { return runs_; }

    /// What was chosen in this run so far, to tell somebody who wants to see it again.
    [[nodiscard]] std::vector<std::size_t> path() const;

private:
    struct Choice {
        std::size_t taken;
        std::size_t count;
    };

    std::vector<Choice> choices_;
    std::size_t depth_ = 0;
    std::uint64_t runs_ = 1;
};

/// The choices of one path, then the first of whatever else is asked.
class PathChoices final : public ChoiceSource {
public:
    explicit PathChoices(std::vector<std::size_t> path) noexcept : path_(std::move(path)) {}

    /// *Exceptions*: `std::logic_error` if there is no such choice.
    [[nodiscard]] std::size_t choose(std::size_t count) override;

private:
    std::vector<std::size_t> path_;
    std::size_t depth_ = 0;
};

} // namespace sojourn::testing

#endif // SOJOURN_TESTING_CHOICE_SOURCE_HPP

#include "sojourn/testing/choice_source.hpp"

#include "sojourn/detail/assert.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace sojourn::testing {

std::size_t SeededChoices::choose(std::size_t count)
{
    SOJOURN_ASSERT(count > 0);
    // Not by a std::uniform_int_distribution, which every library does in its own way. That the
    // first few are more likely by one in 2^64 / count matters to nobody here.
    return count == 1 ? 0 : random_() % count;
}

std::size_t ExhaustiveChoices::choose(std::size_t count)
{
    SOJOURN_ASSERT(count > 0);
    if (depth_ == choices_.size()) {
        choices_.push_back({.taken = 0, .count = count});
    }
    const auto& choice = choices_[depth_++];
    if (choice.count != count) {
        throw std::logic_error("the program chose otherwise than in the run before");
    }
    return choice.taken;
}

bool ExhaustiveChoices::next()
{
    choices_.resize(std::min(depth_, choices_.size()));
    depth_ = 0;
    while (!choices_.empty() && choices_.back().taken + 1 == choices_.back().count) {
        choices_.pop_back();
    }
    if (choices_.empty()) {
        return false;
    }
    ++choices_.back().taken;
    ++runs_;
    return true;
}

std::vector<std::size_t> ExhaustiveChoices::path() const
{
    std::vector<std::size_t> path;
    std::transform(
        choices_.begin(),
        std::next(choices_.begin(), static_cast<std::ptrdiff_t>(depth_)),
        std::back_inserter(path),
        [](const Choice& choice) { return choice.taken; }
    );
    return path;
}

std::size_t PathChoices::choose(std::size_t count)
{
    const auto choice = depth_ < path_.size() ? path_[depth_] : 0;
    ++depth_;
    if (choice >= count) {
        throw std::logic_error("the path does not fit the program");
    }
    return choice;
}

} // namespace sojourn::testing

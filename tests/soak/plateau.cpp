#include "soak/plateau.hpp"

#include <algorithm>

namespace sojourn::tests::soak {

Plateau judge_plateau(std::span<const std::uint64_t> samples, Tolerance tolerance, Level level)
{
    const auto level_of = [level](std::span<const std::uint64_t> part) {
        return level == Level::highest ? std::ranges::max(part) : std::ranges::min(part);
    };
    const auto third = samples.size() / 3;
    const auto last = samples.last(third);
    const auto middle = samples.first(samples.size() - third).last(third);
    Plateau found;
    found.middle = level_of(middle);
    found.last = level_of(last);
    const auto share = static_cast<double>(found.middle) * tolerance.share;
    found.allowed = found.middle + static_cast<std::uint64_t>(share) + tolerance.amount;
    return found;
}

} // namespace sojourn::tests::soak

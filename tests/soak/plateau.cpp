#include "soak/plateau.hpp"

#include <algorithm>

namespace sojourn::tests::soak {

Plateau judge_plateau(std::span<const std::uint64_t> samples, Tolerance tolerance)
{
    const auto third = samples.size() / 3;
    const auto last = samples.last(third);
    const auto middle = samples.first(samples.size() - third).last(third);
    Plateau found;
    found.middle_max = std::ranges::max(middle);
    found.last_max = std::ranges::max(last);
    const auto share = static_cast<double>(found.middle_max) * tolerance.share;
    found.allowed = found.middle_max + static_cast<std::uint64_t>(share) + tolerance.amount;
    return found;
}

} // namespace sojourn::tests::soak

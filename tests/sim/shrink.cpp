#include "sim/shrink.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace sojourn::tests::sim {

namespace {

/// All but those from `first` on, `count` of them.
Kept without(const Kept& all, std::size_t first, std::size_t count)
{
    Kept rest;
    rest.reserve(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i < first || i >= first + count) {
            rest.push_back(all[i]);
        }
    }
    return rest;
}

} // namespace

Kept all_of(std::size_t steps)
{
    Kept all(steps);
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
}

Kept shrink(Kept failing, const std::function<bool(const Kept&)>& still_fails, std::size_t trials)
{
    for (auto chunk = std::max<std::size_t>(failing.size() / 2, 1); trials > 0;) {
        bool has_shrunk = false;
        // From the end: what comes last matters least often, but for the very last.
        for (std::size_t end = failing.size(); end > 0 && trials > 0; --trials) {
            const auto first = end > chunk ? end - chunk : 0;
            auto fewer = without(failing, first, end - first);
            if (still_fails(fewer)) {
                failing = std::move(fewer);
                has_shrunk = true;
            }
            end = first;
        }
        if (chunk == 1 && !has_shrunk) {
            break;
        }
        chunk = has_shrunk ? std::max<std::size_t>(std::min(chunk, failing.size() / 2), 1)
                           : std::max<std::size_t>(chunk / 2, 1);
    }
    return failing;
}

} // namespace sojourn::tests::sim

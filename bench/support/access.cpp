#include "support/access.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace sojourn::bench {

namespace {

using Numbers = std::vector<std::uint32_t>;
using Random = std::mt19937_64;

constexpr Random::result_type seed = 20'240'229;

std::size_t sequence_length(std::size_t sessions)
{
    constexpr std::size_t shortest = 1U << 12U;
    constexpr std::size_t longest = 1U << 20U;
    return std::clamp(4 * sessions, shortest, longest);
}

Numbers shuffled(std::size_t count, Random& random)
{
    Numbers numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0U);
    std::shuffle(numbers.begin(), numbers.end(), random);
    return numbers;
}

Numbers zipf_sequence(std::size_t sessions, Random& random)
{
    std::vector<double> popularity(sessions);
    for (std::size_t rank = 0; rank < sessions; ++rank) {
        popularity[rank] = std::pow(static_cast<double>(rank + 1), -0.99);
    }
    std::discrete_distribution<std::uint32_t> rank(popularity.begin(), popularity.end());
    const auto by_rank = shuffled(sessions, random);
    Numbers sequence(sequence_length(sessions));
    std::ranges::generate(sequence, [&] { return by_rank[rank(random)]; });
    return sequence;
}

Numbers uniform_sequence(std::size_t sessions, Random& random)
{
    std::uniform_int_distribution<std::uint32_t> number(
        0, static_cast<std::uint32_t>(sessions - 1)
    );
    Numbers sequence(sequence_length(sessions));
    std::ranges::generate(sequence, [&] { return number(random); });
    return sequence;
}

} // namespace

std::vector<std::uint32_t> access_sequence(Access access, std::size_t sessions)
{
    Random random(seed);
    return access == Access::zipf ? zipf_sequence(sessions, random)
                                  : uniform_sequence(sessions, random);
}

} // namespace sojourn::bench

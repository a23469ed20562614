/// @file
/// Does something again and again, each time with another of its allocations failing.

#ifndef SOJOURN_TESTS_ASYNC_EACH_ALLOCATION_HPP
#define SOJOURN_TESTS_ASYNC_EACH_ALLOCATION_HPP

#include "support/allocations.hpp"

namespace sojourn::tests {

/// With Asio's recycling of memory on, an operation may find all it needs there.
#if defined(BOOST_ASIO_DISABLE_SMALL_BLOCK_RECYCLING) &&                                           \
    defined(BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING)
inline constexpr int fewest_failures = 1;
#else
inline constexpr int fewest_failures = 0;
#endif

/// Does `attempt(n)` with the n-th allocation failing, for n from 1 until none fails. `attempt`
/// returns whether one did. Returns how many did.
template <class Attempt>
int for_each_allocation(Attempt attempt)
{
    constexpr int unreasonably_many = 2000;
    for (int n = 1; n < unreasonably_many; ++n) {
        if (!attempt(n)) {
            return n - 1;
        }
    }
    return unreasonably_many;
}

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_ASYNC_EACH_ALLOCATION_HPP

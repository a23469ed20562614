#include "sojourn/detail/large_array.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>

using sojourn::detail::LargeAllocator;
using sojourn::detail::LargeArray;

namespace {

template <class T>
std::uintptr_t address(const LargeArray<T>& array)
{
    return reinterpret_cast<std::uintptr_t>(array.data());
}

} // namespace

TEST_CASE("large_array: it begins at a cache line, a large one at a huge page", "[unit][core]")
{
    for (const std::size_t count : {1U, 100U, 10'000U}) {
        const LargeArray<std::uint64_t> array(count);
        CHECK(address(array) % 64 == 0);
    }
    const LargeArray<std::uint64_t> array((4UL << 20U) / sizeof(std::uint64_t));
    CHECK(address(array) % (2UL << 20U) == 0);
}

TEST_CASE("large_array: more than can be addressed is refused", "[unit][core]")
{
    LargeAllocator<std::uint64_t> memory;
    constexpr auto most = std::numeric_limits<std::size_t>::max() / sizeof(std::uint64_t);
    CHECK_THROWS_AS(static_cast<void>(memory.allocate(most + 1)), std::bad_array_new_length);
}

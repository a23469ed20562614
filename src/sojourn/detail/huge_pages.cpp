// Huge pages, which only Linux has under this name.

#include "sojourn/detail/large_array.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace sojourn::detail {

void prefer_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept
{
#if defined(__linux__)
    // Whether it works or not, the memory is the same.
    static_cast<void>(::madvise(memory, bytes, MADV_HUGEPAGE));
#endif
}

} // namespace sojourn::detail

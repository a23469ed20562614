/// @file
/// Private header. Memory for arrays that are made once and may be large. It lies in huge pages
/// where the system has them: a look-up in a million sessions goes to a random place, and with
/// small pages the processor would fetch the page's address from memory as well.

#ifndef SOJOURN_DETAIL_LARGE_ARRAY_HPP
#define SOJOURN_DETAIL_LARGE_ARRAY_HPP

#include <cstddef>
#include <limits>
#include <new>
#include <vector>

namespace sojourn::detail {

/// Asks the system for huge pages behind this memory. A wish: where there are none, nothing
/// happens.
void prefer_huge_pages(void* memory, std::size_t bytes) noexcept;

/// Memory that begins at a cache line, or at a huge page if it is larger than one. A small array
/// costs what it needs; of a large one, what is never touched costs address space only.
template <class T>
class LargeAllocator {
public:
    using value_type = T;

    LargeAllocator() = default;

    template <class U>
    explicit LargeAllocator(const LargeAllocator<U>& /*other*/) noexcept
    {
    }

    [[nodiscard]] T* allocate(std::size_t count)
    {
        if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
            throw std::bad_array_new_length();
        }
        const auto bytes = count * sizeof(T);
        void* const memory = ::operator new(bytes, alignment(bytes));
        if (bytes >= huge_page) {
            prefer_huge_pages(memory, bytes);
        }
        return static_cast<T*>(memory);
    }

    void deallocate(T* memory, std::size_t count) noexcept
    {
        ::operator delete(memory, alignment(count * sizeof(T)));
    }

    friend bool operator==(const LargeAllocator&, const LargeAllocator&) = default;

private:
    static constexpr std::size_t cache_line = 64;
    static constexpr std::size_t huge_page = 2UL << 20U;

    static std::align_val_t alignment(std::size_t bytes) noexcept
    {
        return std::align_val_t(bytes < huge_page ? cache_line : huge_page);
    }
};

template <class T>
using LargeArray = std::vector<T, LargeAllocator<T>>;

} // namespace sojourn::detail

#endif // SOJOURN_DETAIL_LARGE_ARRAY_HPP

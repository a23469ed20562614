#include "allocations.hpp"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>

namespace sojourn::unit {

namespace {

constexpr auto never = std::numeric_limits<std::uint64_t>::max();

thread_local std::uint64_t made = 0;
thread_local std::uint64_t fail_at = never;
std::atomic<std::size_t> bytes{0};

} // namespace

std::uint64_t allocations_made() noexcept
{
    return made;
}

std::size_t bytes_allocated() noexcept
{
    return bytes.load();
}

FailAfter::FailAfter(std::uint64_t count) noexcept
{
    fail_at = made + count;
}

FailAfter::~FailAfter()
{
    fail_at = never;
}

} // namespace sojourn::unit

// The other forms, but for the aligned ones, which stay as they are, end up in these.

void* operator new(std::size_t size)
{
    using namespace sojourn::unit;
    void* const memory = made < fail_at ? std::malloc(size > 0 ? size : 1) : nullptr;
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    ++made;
    bytes += malloc_usable_size(memory);
    return memory;
}

void operator delete(void* memory) noexcept
{
    sojourn::unit::bytes -= malloc_usable_size(memory);
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept
{
    operator delete(memory);
}

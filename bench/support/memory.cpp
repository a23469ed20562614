#include "support/memory.hpp"

#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <new>

namespace sojourn::bench {

namespace {

constinit std::atomic<bool> is_counting{false};
constinit std::atomic<std::int64_t> live_bytes{0};
constinit std::atomic<std::uint64_t> frees_without_size{0};

void* counted(void* memory, std::size_t size)
{
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    if (is_counting.load(std::memory_order_relaxed)) {
        live_bytes.fetch_add(static_cast<std::int64_t>(size), std::memory_order_relaxed);
    }
    return memory;
}

void release(void* memory, std::size_t size) noexcept
{
    if (memory != nullptr && is_counting.load(std::memory_order_relaxed)) {
        live_bytes.fetch_sub(static_cast<std::int64_t>(size), std::memory_order_relaxed);
    }
    std::free(memory);
}

void release(void* memory) noexcept
{
    if (memory != nullptr && is_counting.load(std::memory_order_relaxed)) {
        frees_without_size.fetch_add(1, std::memory_order_relaxed);
    }
    std::free(memory);
}

std::size_t rounded_up(std::size_t size, std::size_t unit) noexcept
{
    return (size + unit - 1) / unit * unit;
}

} // namespace

CountedAllocations::CountedAllocations() noexcept
{
    live_bytes = 0;
    frees_without_size = 0;
    is_counting = true;
}

CountedAllocations::~CountedAllocations()
{
    is_counting = false;
}

// NOLINTBEGIN(readability-convert-member-functions-to-static): the scope is what is asked

std::int64_t CountedAllocations::bytes() const noexcept
{
    return live_bytes;
}

std::uint64_t CountedAllocations::unsized_frees() const noexcept
{
    return frees_without_size;
}

// NOLINTEND(readability-convert-member-functions-to-static)

std::int64_t resident_bytes()
{
    // Or what an earlier benchmark freed would be used again and count for nothing.
    malloc_trim(0);
    std::ifstream statm("/proc/self/statm");
    std::int64_t total_pages = 0;
    std::int64_t resident_pages = 0;
    statm >> total_pages >> resident_pages;
    return resident_pages * sysconf(_SC_PAGESIZE);
}

} // namespace sojourn::bench

// The array and the nothrow forms of the standard library call these.
// NOLINTBEGIN(misc-new-delete-overloads)

void* operator new(std::size_t size)
{
    return sojourn::bench::counted(std::malloc(size == 0 ? 1 : size), size);
}

void* operator new(std::size_t size, std::align_val_t alignment)
{
    const auto unit = static_cast<std::size_t>(alignment);
    const auto rounded = sojourn::bench::rounded_up(size == 0 ? 1 : size, unit);
    return sojourn::bench::counted(std::aligned_alloc(unit, rounded), size);
}

void operator delete(void* memory) noexcept
{
    sojourn::bench::release(memory);
}

void operator delete(void* memory, std::size_t size) noexcept
{
    sojourn::bench::release(memory, size);
}

void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept
{
    sojourn::bench::release(memory);
}

void operator delete(void* memory, std::size_t size, std::align_val_t /*alignment*/) noexcept
{
    sojourn::bench::release(memory, size);
}

// NOLINTEND(misc-new-delete-overloads)

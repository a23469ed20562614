#include "support/allocations.hpp"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

// The linker calls the first for `aligned_alloc`, and knows the real one by the second name.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size);
extern "C" void* __real_aligned_alloc(std::size_t alignment, std::size_t size);

// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

namespace sojourn::tests {

namespace {

constinit thread_local std::uint64_t made = 0;
/// Allocations until one fails; no more than 0 when none will.
constinit thread_local long countdown = 0;
constinit thread_local bool goes_on_failing = false;
constinit thread_local bool has_failed_here = false;
constinit thread_local FailingNew::Spares spares_here = nullptr;
constinit thread_local bool has_spared_here = false;
constinit std::atomic<std::size_t> bytes{0};

/// Whether the next allocation is one that fails.
bool must_fail() noexcept
{
    if (countdown == 0) {
        return has_failed_here && goes_on_failing;
    }
    if (--countdown > 0) {
        return false;
    }
    has_spared_here = spares_here != nullptr && spares_here();
    has_failed_here = !has_spared_here;
    return has_failed_here;
}

void* counted(void* memory) noexcept
{
    if (memory != nullptr) {
        ++made;
        bytes += malloc_usable_size(memory);
    }
    return memory;
}

void* allocate(std::size_t size) noexcept
{
    return must_fail() ? nullptr : counted(std::malloc(size == 0 ? 1 : size));
}

void* allocate(std::size_t size, std::align_val_t alignment) noexcept
{
    const auto unit = static_cast<std::size_t>(alignment);
    const auto units = size == 0 ? 1 : (size + unit - 1) / unit;
    return must_fail() ? nullptr : counted(__real_aligned_alloc(unit, units * unit));
}

void* or_throw(void* memory)
{
    return memory != nullptr ? memory : throw std::bad_alloc();
}

void deallocate(void* memory) noexcept
{
    bytes -= malloc_usable_size(memory);
    std::free(memory);
}

} // namespace

std::uint64_t allocations_made() noexcept
{
    return made;
}

std::size_t bytes_allocated() noexcept
{
    return bytes.load();
}

FailingNew::FailingNew(long nth, Repeat repeat) noexcept
{
    countdown = nth;
    goes_on_failing = repeat == Repeat::yes;
    has_failed_here = false;
    has_spared_here = false;
}

FailingNew::FailingNew(long nth, Spares spares) noexcept : FailingNew(nth)
{
    spares_here = spares;
}

FailingNew::~FailingNew()
{
    countdown = 0;
    goes_on_failing = false;
    has_failed_here = false;
    spares_here = nullptr;
    has_spared_here = false;
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): the scope is what is asked
bool FailingNew::has_failed() const noexcept
{
    return has_failed_here;
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): the scope is what is asked
bool FailingNew::has_spared() const noexcept
{
    return has_spared_here;
}

} // namespace sojourn::tests

void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size)
{
    if (sojourn::tests::must_fail()) {
        return nullptr;
    }
    ++sojourn::tests::made;
    return __real_aligned_alloc(alignment, size);
}

#if defined(SOJOURN_TESTS_NAME_OPERATORS)
#define SOJOURN_TESTS_NAME(symbol)                                                                 \
    asm(".globl sojourn" #symbol "\n.set sojourn" #symbol "," #symbol)
SOJOURN_TESTS_NAME(_Znwm);
SOJOURN_TESTS_NAME(_ZnwmRKSt9nothrow_t);
SOJOURN_TESTS_NAME(_ZnwmSt11align_val_t);
SOJOURN_TESTS_NAME(_ZnwmSt11align_val_tRKSt9nothrow_t);
SOJOURN_TESTS_NAME(_ZdlPv);
SOJOURN_TESTS_NAME(_ZdlPvm);
SOJOURN_TESTS_NAME(_ZdlPvSt11align_val_t);
SOJOURN_TESTS_NAME(_ZdlPvmSt11align_val_t);
#endif

// The array forms call these, but for TSan's, which count nowhere.
// NOLINTBEGIN(misc-new-delete-overloads)

void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept
{
    return sojourn::tests::allocate(size);
}

void* operator new(std::size_t size)
{
    return sojourn::tests::or_throw(sojourn::tests::allocate(size));
}

void* operator new(
    std::size_t size, std::align_val_t alignment, const std::nothrow_t& /*tag*/
) noexcept
{
    return sojourn::tests::allocate(size, alignment);
}

void* operator new(std::size_t size, std::align_val_t alignment)
{
    return sojourn::tests::or_throw(sojourn::tests::allocate(size, alignment));
}

void operator delete(void* memory) noexcept
{
    sojourn::tests::deallocate(memory);
}

void operator delete(void* memory, std::size_t /*size*/) noexcept
{
    sojourn::tests::deallocate(memory);
}

void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept
{
    sojourn::tests::deallocate(memory);
}

void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept
{
    sojourn::tests::deallocate(memory);
}

// NOLINTEND(misc-new-delete-overloads)

#include "support/failing_new.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_THREAD__)
#define SOJOURN_TESTS_UNDER_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SOJOURN_TESTS_UNDER_TSAN
#endif
#endif

namespace sojourn::tests {

namespace {

/// Allocations until one fails; no more than 0 when none will.
constinit thread_local long countdown = 0;
constinit thread_local bool goes_on_failing = false;
constinit thread_local bool has_failed_here = false;

bool must_fail() noexcept
{
    if (countdown == 0) {
        return has_failed_here && goes_on_failing;
    }
    if (--countdown > 0) {
        return false;
    }
    has_failed_here = true;
    return true;
}

[[maybe_unused]] void* or_throw(void* memory)
{
    return memory != nullptr ? memory : throw std::bad_alloc();
}

} // namespace

FailingNew::FailingNew(long nth, Repeat repeat) noexcept
{
    countdown = nth;
    goes_on_failing = repeat == Repeat::yes;
    has_failed_here = false;
}

FailingNew::~FailingNew()
{
    countdown = 0;
    goes_on_failing = false;
    has_failed_here = false;
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): the scope is what is asked
bool FailingNew::has_failed() const noexcept
{
    return has_failed_here;
}

} // namespace sojourn::tests

// The linker calls the first for `aligned_alloc`, which is where Asio gets its memory, and knows
// the real one by the second name. The array forms of `new` call these.
// NOLINTBEGIN(misc-new-delete-overloads,bugprone-reserved-identifier,readability-identifier-naming)

extern "C" void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size);
extern "C" void* __real_aligned_alloc(std::size_t alignment, std::size_t size);

extern "C" void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size)
{
    return sojourn::tests::must_fail() ? nullptr : __real_aligned_alloc(alignment, size);
}

#ifndef SOJOURN_TESTS_UNDER_TSAN

void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept
{
    return sojourn::tests::must_fail() ? nullptr : std::malloc(size == 0 ? 1 : size);
}

void* operator new(std::size_t size)
{
    return sojourn::tests::or_throw(operator new(size, std::nothrow));
}

void* operator new(
    std::size_t size, std::align_val_t alignment, const std::nothrow_t& /*tag*/
) noexcept
{
    const auto unit = static_cast<std::size_t>(alignment);
    const auto rounded = (size + unit - 1) / unit * unit;
    return sojourn::tests::must_fail() ? nullptr
                                       : __real_aligned_alloc(unit, rounded == 0 ? unit : rounded);
}

void* operator new(std::size_t size, std::align_val_t alignment)
{
    return sojourn::tests::or_throw(operator new(size, alignment, std::nothrow));
}

void operator delete(void* memory) noexcept
{
    std::free(memory);
}

void operator delete(void* memory, std::size_t /*size*/) noexcept
{
    std::free(memory);
}

void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept
{
    std::free(memory);
}

void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept
{
    std::free(memory);
}

#endif

// NOLINTEND(misc-new-delete-overloads,bugprone-reserved-identifier,readability-identifier-naming)

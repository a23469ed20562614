/// @file
/// An allocator that counts, and can be told to fail: to be bound to a handler.

#ifndef SOJOURN_TESTS_SUPPORT_COUNTING_ALLOCATOR_HPP
#define SOJOURN_TESTS_SUPPORT_COUNTING_ALLOCATOR_HPP

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>

namespace sojourn::tests {

/// What the copies of an allocator count together. Must outlive them.
struct AllocationLedger {
    std::atomic<int> made{0};
    std::atomic<int> live{0};
    /// The allocation that fails, counted from 1; none if 0.
    std::atomic<int> failing{0};
};

template <class T>
class CountingAllocator {
public:
    using value_type = T;

    explicit CountingAllocator(AllocationLedger& ledger) noexcept : ledger_(&ledger) {}

    template <class U>
    // NOLINTNEXTLINE(google-explicit-constructor): allocators convert
    CountingAllocator(const CountingAllocator<U>& other) noexcept : ledger_(&other.ledger())
    {
    }

    [[nodiscard]] T* allocate(std::size_t count)
    {
        if (ledger_->made.fetch_add(1) + 1 == ledger_->failing.load()) {
            throw std::bad_alloc();
        }
        auto* const memory = std::allocator<T>().allocate(count);
        ledger_->live.fetch_add(1);
        return memory;
    }

    void deallocate(T* memory, std::size_t count) noexcept
    {
        ledger_->live.fetch_sub(1);
        std::allocator<T>().deallocate(memory, count);
    }

    [[nodiscard]] AllocationLedger& ledger() const noexcept { return *ledger_; }

    template <class U>
    [[nodiscard]] bool operator==(const CountingAllocator<U>& other) const noexcept
    {
        return ledger_ == &other.ledger();
    }

private:
    AllocationLedger* ledger_;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_SUPPORT_COUNTING_ALLOCATOR_HPP

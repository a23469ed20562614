/// @file
/// Counts the allocations of an executable, and makes them fail. For one that links
/// `sojourn_allocations`, which replaces the global `operator new` and `aligned_alloc`, where Asio
/// gets its memory.

#ifndef SOJOURN_TESTS_SUPPORT_ALLOCATIONS_HPP
#define SOJOURN_TESTS_SUPPORT_ALLOCATIONS_HPP

#include <cstddef>
#include <cstdint>

namespace sojourn::tests {

/// Allocations that this thread has made so far.
[[nodiscard]] std::uint64_t allocations_made() noexcept;

/// Bytes that are allocated by `operator new` at this moment, by all threads.
[[nodiscard]] std::size_t bytes_allocated() noexcept;

/// While it lives, the `nth` allocation of this thread, counted from 1, throws `bad_alloc`; with
/// `Repeat::yes` so do all that follow.
class FailingNew {
public:
    enum class Repeat { no, yes };

    /// Asked inside the allocation that is to fail, where it may look at the stack but not
    /// allocate: if true, that one is spared, and none fails.
    using Spares = bool (*)() noexcept;

    explicit FailingNew(long nth, Repeat repeat = Repeat::no) noexcept;
    FailingNew(long nth, Spares spares) noexcept;
    FailingNew(const FailingNew&) = delete;
    FailingNew& operator=(const FailingNew&) = delete;
    FailingNew(FailingNew&&) = delete;
    FailingNew& operator=(FailingNew&&) = delete;
    ~FailingNew();

    /// Whether an allocation has failed; if not, there were fewer than `nth`.
    [[nodiscard]] bool has_failed() const noexcept;

    /// Whether the `nth` was spared.
    [[nodiscard]] bool has_spared() const noexcept;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_SUPPORT_ALLOCATIONS_HPP

/// @file
/// What something costs in memory, seen from both ends: the bytes that were asked of `operator
/// new`, and the pages that the system gave.

#ifndef SOJOURN_BENCH_SUPPORT_MEMORY_HPP
#define SOJOURN_BENCH_SUPPORT_MEMORY_HPP

#include <cstddef>
#include <cstdint>

namespace sojourn::bench {

/// Counts, while it lives, the bytes that are requested and not yet freed: as asked for, without
/// the allocator's rounding and bookkeeping. One at a time. Off, the counting costs a load.
class CountedAllocations {
public:
    CountedAllocations() noexcept;
    CountedAllocations(const CountedAllocations&) = delete;
    CountedAllocations& operator=(const CountedAllocations&) = delete;
    CountedAllocations(CountedAllocations&&) = delete;
    CountedAllocations& operator=(CountedAllocations&&) = delete;
    ~CountedAllocations();

    /// May be negative: what was allocated before can be freed meanwhile.
    [[nodiscard]] std::int64_t bytes() const noexcept;

    /// Frees whose size nobody told, which makes the count of bytes too high.
    [[nodiscard]] std::uint64_t unsized_frees() const noexcept;
};

/// The process's resident set, after what is free was given back to the system.
[[nodiscard]] std::int64_t resident_bytes();

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_SUPPORT_MEMORY_HPP

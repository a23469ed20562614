/// @file
/// Counts what this executable allocates through `operator new`, and makes allocations fail.

#ifndef SOJOURN_TESTS_UNIT_ALLOCATIONS_HPP
#define SOJOURN_TESTS_UNIT_ALLOCATIONS_HPP

#include <cstddef>
#include <cstdint>

namespace sojourn::unit {

/// Allocations that this thread has made so far.
[[nodiscard]] std::uint64_t allocations_made() noexcept;

/// Bytes that are allocated at this moment, by all threads.
[[nodiscard]] std::size_t bytes_allocated() noexcept;

/// While it lives, an allocation of this thread fails once `count` have succeeded.
class FailAfter {
public:
    explicit FailAfter(std::uint64_t count) noexcept;
    ~FailAfter();

    FailAfter(const FailAfter&) = delete;
    FailAfter& operator=(const FailAfter&) = delete;
    FailAfter(FailAfter&&) = delete;
    FailAfter& operator=(FailAfter&&) = delete;
};

} // namespace sojourn::unit

#endif // SOJOURN_TESTS_UNIT_ALLOCATIONS_HPP

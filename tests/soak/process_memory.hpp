/// @file
/// What this process has of the machine. All that is only true on Linux with glibc is in this
/// file's source.

#ifndef SOJOURN_TESTS_SOAK_PROCESS_MEMORY_HPP
#define SOJOURN_TESTS_SOAK_PROCESS_MEMORY_HPP

#include <cstdint>

namespace sojourn::tests::soak {

struct ProcessMemory {
    /// Pages that are in memory.
    std::uint64_t resident_bytes = 0;
    /// What `malloc` has handed out, in all arenas, with its rounding, and mapped for single
    /// blocks. Zero under a sanitizer, which has an allocator of its own.
    std::uint64_t heap_bytes = 0;
};

/// *Exceptions*: `std::runtime_error` where the system does not tell.
[[nodiscard]] ProcessMemory process_memory();

/// *Exceptions*: the same.
[[nodiscard]] std::uint64_t process_threads();

} // namespace sojourn::tests::soak

#endif // SOJOURN_TESTS_SOAK_PROCESS_MEMORY_HPP

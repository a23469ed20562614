/// @file
/// What a store in memory may take.

#ifndef SOJOURN_STORE_MEMORY_STORE_OPTIONS_HPP
#define SOJOURN_STORE_MEMORY_STORE_OPTIONS_HPP

#include <cstddef>

namespace sojourn {

/// The bounds of a `MemoryStore`, with chained setters. At a bound nothing is dropped to make room:
/// a store that forgets sessions is none. `store_full` is the answer then.
class MemoryStoreOptions {
public:
    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    MemoryStoreOptions() noexcept {} // NOLINT(modernize-use-equals-default)

    /// Records and tombstones, at least 1; default 1,000,000.
    MemoryStoreOptions& max_records(std::size_t count) noexcept
    {
        max_records_ = count == 0 ? 1 : count;
        return *this;
    }

    [[nodiscard]] std::size_t max_records() const noexcept { return max_records_; }

    /// Bytes of all payloads together; default 1 GiB. What the store needs besides is about 250
    /// bytes for each record.
    MemoryStoreOptions& max_payload_bytes(std::size_t bytes) noexcept
    {
        max_payload_bytes_ = bytes;
        return *this;
    }

    [[nodiscard]] std::size_t max_payload_bytes() const noexcept { return max_payload_bytes_; }

private:
    static constexpr std::size_t gibibyte = std::size_t{1} << 30U;

    std::size_t max_records_ = 1'000'000;
    std::size_t max_payload_bytes_ = gibibyte;
};

} // namespace sojourn

#endif // SOJOURN_STORE_MEMORY_STORE_OPTIONS_HPP

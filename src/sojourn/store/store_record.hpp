/// @file
/// What a store keeps of a session.

#ifndef SOJOURN_STORE_STORE_RECORD_HPP
#define SOJOURN_STORE_STORE_RECORD_HPP

#include "sojourn/core/time.hpp"
#include "sojourn/store/store_key.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sojourn {

/// A session as a store is given it. To the store its payload is a text of any bytes.
struct StoreRecord {
    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    StoreRecord() noexcept {} // NOLINT(modernize-use-equals-default)

    StoreRecord(std::string bytes, Duration lifetime, std::optional<StoreKey> owner = std::nullopt)
        : payload(std::move(bytes)), time_to_live(lifetime), principal(owner)
    {
    }

    std::string payload;
    /// After which time it is gone, unless it is touched or saved before. More than zero.
    Duration time_to_live{};
    /// Whose it is, for `SessionStore::remove_by_principal`; nothing if it is nobody's.
    std::optional<StoreKey> principal;

    friend bool operator==(const StoreRecord&, const StoreRecord&) = default;
};

/// A record as a store has it.
struct VersionedRecord {
    // Declared, for the same reason.
    VersionedRecord() noexcept {} // NOLINT(modernize-use-equals-default)

    VersionedRecord(StoreRecord kept, std::uint64_t number)
        : record(std::move(kept)), version(number)
    {
    }

    /// Its time to live is what is left of it.
    StoreRecord record;
    /// 1 when it was created, and one more with each save. A touch leaves it as it is.
    std::uint64_t version = 0;
};

/// A page of the keys of a store.
struct StorePage {
    // Declared, for the same reason.
    StorePage() noexcept {} // NOLINT(modernize-use-equals-default)

    std::vector<StoreKey> keys;
    /// What to ask for next; empty at the end. Its form is the store's own.
    std::string next;
};

} // namespace sojourn

#endif // SOJOURN_STORE_STORE_RECORD_HPP

/// @file
/// Private header. The records of a `MemoryStore`, without threads or waiting: time comes in as an
/// argument.

#ifndef SOJOURN_STORE_RECORD_TABLE_HPP
#define SOJOURN_STORE_RECORD_TABLE_HPP

#include "sojourn/core/error.hpp"
#include "sojourn/core/time.hpp"
#include "sojourn/store/memory_store_options.hpp"
#include "sojourn/store/store_key.hpp"
#include "sojourn/store/store_record.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace sojourn {

/// Records and tombstones by key, each gone when its time is over. Everything is O(log n), unless
/// it says otherwise, and takes away at most `purge_batch` of those that are gone: what nobody asks
/// for any more goes all the same, as long as something is asked for.
///
/// *Thread safety*: a value. *Exceptions*: `bad_alloc`, and then nothing has changed.
class RecordTable {
public:
    static constexpr std::size_t purge_batch = 16;

    explicit RecordTable(const MemoryStoreOptions& options) : options_(options) {}

    [[nodiscard]] Result<VersionedRecord> load(const StoreKey& key, TimePoint now);
    [[nodiscard]] Result<void> create(const StoreKey& key, StoreRecord record, TimePoint now);
    [[nodiscard]] Result<std::uint64_t>
    save(const StoreKey& key, std::uint64_t expected_version, StoreRecord record, TimePoint now);
    [[nodiscard]] Result<void> touch(const StoreKey& key, Duration time_to_live, TimePoint now);
    [[nodiscard]] Result<bool> remove(const StoreKey& key, Duration tombstone, TimePoint now);

    /// Looks at no more than `most` of a principal's records, removes them and says how many that
    /// were; fewer, if some were gone. O(most log n).
    [[nodiscard]] std::size_t remove_of_principal(
        const StoreKey& principal, Duration tombstone, std::size_t most, TimePoint now
    );

    /// Whether there is another for `remove_of_principal` to look at.
    [[nodiscard]] bool has_any_of(const StoreKey& principal) const noexcept;

    /// Looks at no more than `most` entries, at least one, from `after` on: a page of the records
    /// among them. O(log n + most).
    [[nodiscard]] StorePage scan(const std::string& after, std::size_t most, TimePoint now);

    /// Records and tombstones, those too that are gone and have not been taken away.
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

    /// Of the records among them.
    [[nodiscard]] std::size_t payload_bytes() const noexcept { return payload_bytes_; }

private:
    struct Entry {
        StoreRecord record;
        TimePoint until;
        /// 0 for a tombstone.
        std::uint64_t version = 0;

        [[nodiscard]] bool is_tombstone() const noexcept { return version == 0; }
    };

    using Entries = std::map<StoreKey, Entry>;

    /// Takes away some that are gone, and the one of this key if it is. What is left of it.
    Entries::iterator find(const StoreKey& key, TimePoint now);
    Entries::iterator find_record(const StoreKey& key, TimePoint now);
    void purge(TimePoint now) noexcept;
    void erase(Entries::iterator entry) noexcept;
    void bury(Entries::iterator entry, TimePoint until);
    void set_until(Entries::iterator entry, TimePoint until);
    [[nodiscard]] bool has_room_for(const StoreRecord& record, std::size_t replaced) const noexcept;

    MemoryStoreOptions options_;
    Entries entries_;
    /// When which of them is gone.
    std::set<std::pair<TimePoint, StoreKey>> schedule_;
    /// Principals, and whose records theirs are.
    std::set<std::pair<StoreKey, StoreKey>> owners_;
    std::size_t payload_bytes_ = 0;
};

} // namespace sojourn

#endif // SOJOURN_STORE_RECORD_TABLE_HPP

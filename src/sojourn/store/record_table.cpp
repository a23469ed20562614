#include "sojourn/store/record_table.hpp"

#include <algorithm>
#include <iterator>

namespace sojourn {

Result<VersionedRecord> RecordTable::load(const StoreKey& key, TimePoint now)
{
    const auto entry = find_record(key, now);
    if (entry == entries_.end()) {
        return errc::not_found;
    }
    VersionedRecord found(entry->second.record, entry->second.version);
    found.record.time_to_live = time_between(now, entry->second.until);
    return found;
}

Result<void> RecordTable::create(const StoreKey& key, StoreRecord record, TimePoint now)
{
    if (find(key, now) != entries_.end()) {
        return errc::conflict;
    }
    if (entries_.size() >= options_.max_records() || !has_room_for(record, 0)) {
        return errc::store_full;
    }
    const auto until = saturating_add(now, record.time_to_live);
    const auto scheduled = schedule_.emplace(until, key).first;
    auto owned = owners_.end();
    try {
        if (record.principal) {
            owned = owners_.emplace(*record.principal, key).first;
        }
        const auto bytes = record.payload.size();
        entries_.emplace(key, Entry{std::move(record), until, 1});
        payload_bytes_ += bytes;
    } catch (...) {
        schedule_.erase(scheduled);
        if (owned != owners_.end()) {
            owners_.erase(owned);
        }
        throw;
    }
    return {};
}

Result<std::uint64_t> RecordTable::save(
    const StoreKey& key, std::uint64_t expected_version, StoreRecord record, TimePoint now
)
{
    const auto entry = find_record(key, now);
    if (entry == entries_.end()) {
        return errc::not_found;
    }
    auto& kept = entry->second;
    if (kept.version != expected_version) {
        return errc::conflict;
    }
    if (!has_room_for(record, kept.record.payload.size())) {
        return errc::store_full;
    }
    const auto former = kept.record.principal;
    if (record.principal) {
        owners_.emplace(*record.principal, key);
    }
    try {
        set_until(entry, saturating_add(now, record.time_to_live));
    } catch (...) {
        if (record.principal && record.principal != former) {
            owners_.erase({*record.principal, key});
        }
        throw;
    }
    if (former && former != record.principal) {
        owners_.erase({*former, key});
    }
    payload_bytes_ += record.payload.size() - kept.record.payload.size();
    kept.record = std::move(record);
    return ++kept.version;
}

Result<void> RecordTable::touch(const StoreKey& key, Duration time_to_live, TimePoint now)
{
    const auto entry = find_record(key, now);
    if (entry == entries_.end()) {
        return errc::not_found;
    }
    set_until(entry, saturating_add(now, time_to_live));
    return {};
}

Result<bool> RecordTable::remove(const StoreKey& key, Duration tombstone, TimePoint now)
{
    const auto until = saturating_add(now, tombstone);
    const auto entry = find(key, now);
    if (entry == entries_.end()) {
        if (tombstone > Duration::zero()) {
            if (entries_.size() >= options_.max_records()) {
                return errc::store_full;
            }
            const auto scheduled = schedule_.emplace(until, key).first;
            try {
                entries_.emplace(key, Entry{StoreRecord(), until, 0});
            } catch (...) {
                schedule_.erase(scheduled);
                throw;
            }
        }
        return false;
    }
    if (entry->second.is_tombstone()) {
        set_until(entry, std::max(until, entry->second.until));
        return false;
    }
    bury(entry, until);
    if (tombstone <= Duration::zero()) {
        erase(entry);
    }
    return true;
}

std::size_t RecordTable::remove_of_principal(
    const StoreKey& principal, Duration tombstone, std::size_t most, TimePoint now
)
{
    std::size_t removed = 0;
    for (std::size_t looked_at = 0; looked_at < most && has_any_of(principal); ++looked_at) {
        // A copy: what is removed is no longer there to be referred to.
        const auto key = owners_.lower_bound({principal, StoreKey()})->second;
        const auto was_there = remove(key, tombstone, now);
        removed += was_there && *was_there ? 1U : 0U;
    }
    return removed;
}

bool RecordTable::has_any_of(const StoreKey& principal) const noexcept
{
    const auto owned = owners_.lower_bound({principal, StoreKey()});
    return owned != owners_.end() && owned->first == principal;
}

StorePage RecordTable::scan(const std::string& after, std::size_t most, TimePoint now)
{
    purge(now);
    StorePage page;
    const auto from = StoreKey::from_hex(after);
    auto entry = from ? entries_.upper_bound(*from) : entries_.begin();
    for (std::size_t looked_at = 0; entry != entries_.end(); ++entry) {
        if (!entry->second.is_tombstone() && now < entry->second.until) {
            page.keys.push_back(entry->first);
        }
        if (++looked_at >= most) {
            page.next = std::next(entry) == entries_.end() ? std::string() : entry->first.hex();
            break;
        }
    }
    return page;
}

RecordTable::Entries::iterator RecordTable::find(const StoreKey& key, TimePoint now)
{
    purge(now);
    const auto entry = entries_.find(key);
    if (entry != entries_.end() && entry->second.until <= now) {
        erase(entry);
        return entries_.end();
    }
    return entry;
}

RecordTable::Entries::iterator RecordTable::find_record(const StoreKey& key, TimePoint now)
{
    const auto entry = find(key, now);
    return entry != entries_.end() && entry->second.is_tombstone() ? entries_.end() : entry;
}

void RecordTable::purge(TimePoint now) noexcept
{
    for (std::size_t i = 0; i < purge_batch; ++i) {
        const auto first = schedule_.begin();
        if (first == schedule_.end() || now < first->first) {
            return;
        }
        erase(entries_.find(first->second));
    }
}

void RecordTable::erase(Entries::iterator entry) noexcept
{
    const auto& [key, kept] = *entry;
    if (kept.record.principal) {
        owners_.erase({*kept.record.principal, key});
    }
    payload_bytes_ -= kept.record.payload.size();
    schedule_.erase({kept.until, key});
    entries_.erase(entry);
}

/// A tombstone in place of the record.
void RecordTable::bury(Entries::iterator entry, TimePoint until)
{
    set_until(entry, until);
    auto& kept = entry->second;
    if (kept.record.principal) {
        owners_.erase({*kept.record.principal, entry->first});
    }
    payload_bytes_ -= kept.record.payload.size();
    kept.record = StoreRecord();
    kept.version = 0;
}

void RecordTable::set_until(Entries::iterator entry, TimePoint until)
{
    if (until == entry->second.until) {
        return;
    }
    schedule_.emplace(until, entry->first);
    schedule_.erase({entry->second.until, entry->first});
    entry->second.until = until;
}

bool RecordTable::has_room_for(const StoreRecord& record, std::size_t replaced) const noexcept
{
    return record.payload.size() <= options_.max_payload_bytes() - (payload_bytes_ - replaced);
}

} // namespace sojourn

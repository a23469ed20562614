/// @file
/// The core table as the benchmarks use it: without a strand, a coroutine or a clock. The only file
/// here that knows how the table is reached.

#ifndef SOJOURN_BENCH_SUPPORT_FULL_TABLE_HPP
#define SOJOURN_BENCH_SUPPORT_FULL_TABLE_HPP

#include "sojourn/core/release_list.hpp"
#include "sojourn/core/session_table.hpp"
#include "support/payload.hpp"

#include <chrono>
#include <cstddef>
#include <memory>

namespace sojourn::bench {

/// A table that does for each operation what a turn of the service does: takes the id, hashes it
/// with the key, sets the time, settles what was given back before.
class FullTable {
public:
    using Id = SessionId;

    /// What each session's node takes, without id longer than an issued one and attributes.
    static constexpr std::size_t node_bytes = sizeof(Session);

    FullTable(std::size_t capacity, Duration idle_timeout)
        : idle_timeout_(idle_timeout),
          table_(options(idle_timeout), capacity, 1, hash_key, OnDeparture::forget)
    {
    }

    /// Begins a turn.
    void tick(TimePoint now)
    {
        table_.advance(now);
        table_.settle(releases_);
    }

    /// Makes a session and gives its first lease back.
    bool create(const SessionId& id, const Payload& bytes, TimePoint now)
    {
        tick(now);
        NewSession fresh;
        fresh.id = hashed(id);
        fresh.attributes = attributes_of(bytes);
        fresh.idle_timeout = idle_timeout_;
        fresh.absolute_lifetime = longest;
        const auto session = table_.create(fresh);
        if (session) {
            release(**session, now);
        }
        free_discarded();
        return session.has_value();
    }

    /// The session with this id, leased; null if there is none.
    [[nodiscard]] Session* acquire(const SessionId& id)
    {
        const auto session = table_.acquire(hashed(id));
        return session ? *session : nullptr;
    }

    void release(Session& session, TimePoint now) { table_.release(session, now); }

    /// A whole request: acquire and release.
    bool touch(const SessionId& id, TimePoint now)
    {
        tick(now);
        auto* const session = acquire(id);
        if (session == nullptr) {
            return false;
        }
        release(*session, now);
        return true;
    }

    bool remove(const SessionId& id, TimePoint now)
    {
        tick(now);
        const auto removed = table_.remove(hashed(id));
        free_discarded();
        return removed.has_value();
    }

    /// One turn of cleanup; true if there is more to do.
    bool expire(std::size_t batch, TimePoint now)
    {
        tick(now);
        const bool is_more_due = table_.expire(batch);
        free_discarded();
        return is_more_due;
    }

    [[nodiscard]] std::size_t size() const noexcept
    {
        return static_cast<std::size_t>(table_.metrics().live);
    }

private:
    static constexpr HashKey hash_key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
    static constexpr Duration longest = std::chrono::hours(24 * 365);

    /// No rate, and no other timeout than the one that is asked about.
    static ServiceOptions options(Duration idle_timeout)
    {
        return ServiceOptions()
            .request_rate(RateLimit::unlimited())
            .idle_timeout(idle_timeout)
            .half_open_timeout(longest)
            .max_half_open(100'000'000)
            .eviction_grace(Duration::zero());
    }

    [[nodiscard]] HashedId hashed(const SessionId& id) const { return {id, hash_(id)}; }

    /// The service does it after the turn; it is work all the same.
    void free_discarded() noexcept { static_cast<void>(table_.take_discarded()); }

    const Duration idle_timeout_;
    const SessionIdHash hash_{hash_key};
    SessionTable table_;
    ReleaseList releases_;
};

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_SUPPORT_FULL_TABLE_HPP

/// @file
/// A `SessionTable` with what a service has around it: a clock that the test sets, ids by name, and
/// the list through which leases come back. Every call is a turn of its own: time, then settlement,
/// then the operation.

#ifndef SOJOURN_TESTS_UNIT_TABLE_FIXTURE_HPP
#define SOJOURN_TESTS_UNIT_TABLE_FIXTURE_HPP

#include "sojourn/core/session_table.hpp"
#include "sojourn/core/siphash.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/catch_tostring.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

template <>
struct Catch::StringMaker<sojourn::Error> {
    static std::string convert(const sojourn::Error& error)
    {
        return error.message() + ", retry after " + std::to_string(error.retry_after().count()) +
               " ns";
    }
};

template <>
struct Catch::StringMaker<sojourn::RemovalCause> {
    static std::string convert(sojourn::RemovalCause cause)
    {
        return std::string(to_string(cause));
    }
};

namespace sojourn::unit {

using namespace std::chrono_literals;

inline constexpr HashKey table_key{11, 22};

inline HashedId name_id(std::string_view name)
{
    return SessionIdHash(table_key).hashed(SessionId::parse(name).value());
}

/// The options of most table tests: short, round timeouts of different lengths, and no bound but
/// the table's own.
inline ServiceOptions table_options()
{
    return ServiceOptions()
        .idle_timeout(100s)
        .absolute_lifetime(1000s)
        .half_open_timeout(10s)
        .request_rate(RateLimit::unlimited())
        .max_half_open(1'000'000)
        .max_sessions_per_principal(std::nullopt)
        .eviction_grace(0s);
}

/// How one who is no lease knows its session.
struct Place {
    std::uint32_t slot = 0;
    SessionReference reference;
};

inline Place place_of(const Session& session)
{
    return {session.slot, session.reference};
}

class TableFixture {
public:
    explicit TableFixture(
        std::size_t capacity = 8,
        const ServiceOptions& options = table_options(),
        std::size_t pending = 1000,
        OnDeparture on_departure = OnDeparture::keep,
        OnArrival on_arrival = OnArrival::forget
    )
        : table(options, capacity, pending, table_key, on_departure, on_arrival), options_(options)
    {
    }

    /// One of several tables that share a capacity.
    TableFixture(
        const ServiceOptions& options,
        std::shared_ptr<Capacity> capacity,
        SessionTable::Limits limits
    )
        : table(
              options, std::move(capacity), limits, table_key, OnDeparture::keep, OnArrival::forget
          ),
          options_(options)
    {
    }

    // Every test ends with a table that is consistent.
    ~TableFixture() { CHECK(turn().check_invariants().value_or("") == ""); }

    TableFixture(const TableFixture&) = delete;
    TableFixture& operator=(const TableFixture&) = delete;
    TableFixture(TableFixture&&) = delete;
    TableFixture& operator=(TableFixture&&) = delete;

    /// The table at the beginning of a turn.
    SessionTable& turn()
    {
        table.advance(now);
        table.settle(releases);
        return table;
    }

    [[nodiscard]] NewSession fresh(std::string_view name, std::string principal = {}) const
    {
        return {
            .id = name_id(name),
            .reference = SessionReference(keyed_hash({}, name)),
            .principal = std::move(principal),
            .attributes = Attributes(),
            .idle_timeout = options_.idle_timeout(),
            .absolute_lifetime = options_.absolute_lifetime(),
            .created =
                WallTime(std::chrono::duration_cast<WallTime::duration>(now.time_since_epoch())),
            .request_rate = std::nullopt,
        };
    }

    Result<Session*> create(std::string_view name, std::string principal = {})
    {
        return turn().create(fresh(name, std::move(principal)));
    }

    /// Creates a session and gives the lease of its creation back.
    void add(std::string_view name, std::string principal = {})
    {
        give_back(create(name, std::move(principal)).value());
    }

    Result<Session*> acquire(std::string_view name) { return turn().acquire(name_id(name)); }

    /// A request that begins and ends at this moment.
    void use(std::string_view name) { give_back(acquire(name).value()); }

    void give_back(Session* session) { static_cast<void>(releases.give_back(*session, now)); }

    Result<SessionInfo> peek(std::string_view name) { return turn().peek(name_id(name)); }

    bool has(std::string_view name) { return peek(name).has_value(); }

    Result<SessionInfo> touch(std::string_view name) { return turn().touch(name_id(name)); }

    Error remove(std::string_view name) { return turn().remove(name_id(name)).error(); }

    Error rotate(
        std::string_view name,
        std::string_view fresh_name,
        const std::optional<std::string>& principal = {}
    )
    {
        return turn().rotate(name_id(name), name_id(fresh_name), principal).error();
    }

    /// Expires all that is due.
    void expire()
    {
        // Bounded, so that a schedule that always has something due fails and does not hang.
        for (int turns = 0; turn().expire(100); ++turns) {
            REQUIRE(turns < 10'000);
        }
    }

    /// The causes of those that ended since the last time it was asked, in order; all are
    /// delivered.
    std::vector<RemovalCause> departures()
    {
        std::vector<RemovalCause> causes;
        for (const auto& removed : turn().take_departed(1000)) {
            causes.push_back(removed.cause);
        }
        table.delivered(causes.size());
        return causes;
    }

    [[nodiscard]] const Metrics& metrics() const { return table.metrics(); }

    [[nodiscard]] std::uint64_t removed_by(RemovalCause cause) const
    {
        return metrics().removed_by(cause);
    }

    /// Slots that the table has ever used.
    std::size_t slots()
    {
        std::uint32_t from = 0;
        while (table.list(SessionFilter(), from, 0).next_slot) {
            ++from;
        }
        return from;
    }

    TimePoint now{1000s};
    SessionTable table;
    ReleaseList releases;

private:
    ServiceOptions options_;
};

} // namespace sojourn::unit

#endif // SOJOURN_TESTS_UNIT_TABLE_FIXTURE_HPP

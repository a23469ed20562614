// The one file here that knows the table itself.

#include "counted.hpp"
#include "operations.hpp"
#include "sojourn/core/release_list.hpp"
#include "sojourn/core/session_table.hpp"
#include "sojourn/testing/seeded_id_source.hpp"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

namespace sojourn::instructions {

namespace {

using namespace std::chrono_literals;

constexpr HashKey key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};

HashedId draw_hashed_id(testing::SeededIdSource& source)
{
    return SessionIdHash(key).hashed(draw_id(source).value());
}

/// A turn that makes a session and ends its first request.
void create(SessionTable& table, const HashedId& id)
{
    NewSession fresh;
    fresh.id = id;
    fresh.idle_timeout = 30min;
    fresh.absolute_lifetime = 8h;
    table.release(*table.create(fresh).value(), table.now());
}

} // namespace

std::size_t table_touch()
{
    const auto options = ServiceOptions()
                             .request_rate(RateLimit::unlimited())
                             .max_half_open(session_count)
                             .eviction_grace(Duration::zero());
    SessionTable table(options, session_count, 1, key, OnDeparture::forget);
    ReleaseList releases;
    testing::SeededIdSource source;
    std::vector<HashedId> ids;
    TimePoint now{1h};
    table.advance(now);
    for (std::size_t i = 0; i < session_count; ++i) {
        ids.push_back(draw_hashed_id(source));
        create(table, ids.back());
    }

    sojourn_counted([&] {
        for (std::size_t i = 0; i < operation_count; ++i) {
            now += 1us;
            table.advance(now);
            table.settle(releases);
            auto* const session = table.acquire(ids[i % ids.size()]).value();
            table.release(*session, now);
        }
    });
    return operation_count;
}

} // namespace sojourn::instructions

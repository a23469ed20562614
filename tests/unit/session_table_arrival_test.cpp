// New sessions that wait for a creation listener.

#include "sojourn/core/session_table.hpp"
#include "table_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <vector>

using namespace sojourn;
using namespace sojourn::unit;

namespace {

/// Who is told of creations is told of removals.
class Told : public TableFixture {
public:
    explicit Told(
        std::size_t capacity,
        std::size_t pending = 1000,
        const ServiceOptions& options = table_options()
    )
        : TableFixture(capacity, options, pending, OnDeparture::keep, OnArrival::keep)
    {
    }

    /// Those that were created since the last time it was asked; all are announced.
    std::vector<SessionReference> arrivals()
    {
        std::vector<SessionReference> references;
        for (const auto& created : turn().take_arrived(1000)) {
            references.push_back(created.reference);
        }
        table.announced(references.size());
        return references;
    }
};

} // namespace

TEST_CASE("session_table arrival: each session is told once, in order", "[unit][core]")
{
    Told f(8);
    CHECK_FALSE(f.table.has_arrived());
    CHECK(f.turn().take_arrived(10).empty());
    f.add("a", "ada");
    f.add("b");
    f.add("c");
    CHECK(f.table.has_arrived());
    CHECK(f.metrics().pending_creations == 3);
    CHECK(f.turn().take_arrived(0).empty());
    const auto first = f.turn().take_arrived(1);
    REQUIRE(first.size() == 1);
    CHECK(first[0].reference == f.fresh("a").reference);
    CHECK(f.table.has_arrived());
    // Until their listener has returned, they are pending.
    CHECK(f.metrics().pending_creations == 3);
    f.table.announced(1);
    CHECK(f.arrivals() == std::vector{f.fresh("b").reference, f.fresh("c").reference});
    CHECK_FALSE(f.table.has_arrived());
    CHECK(f.metrics().pending_creations == 0);
    CHECK(f.arrivals().empty());
}

TEST_CASE("session_table arrival: it is told what it was when it was created", "[unit][core]")
{
    Told f(8);
    auto fresh = f.fresh("a", "ada");
    fresh.attributes = {{"k", "v"}};
    f.give_back(f.turn().create(fresh).value());
    f.use("a");
    CHECK(f.turn().commit(name_id("a"), 1, Attributes()).has_value());
    CHECK_FALSE(f.rotate("a", "a2", "bob").code().failed());
    CHECK_FALSE(f.remove("a2").code().failed());
    const auto told = f.turn().take_arrived(10);
    REQUIRE(told.size() == 1);
    CHECK(told[0].principal_text() == "ada");
    CHECK(told[0].attributes.data == fresh.attributes);
    CHECK(told[0].attributes.version == 1);
    CHECK(told[0].requests == 0);
    CHECK(told[0].leases == 1);
    f.table.announced(1);
    CHECK(f.departures() == std::vector{RemovalCause::deleted});
}

TEST_CASE("session_table arrival: who was refused is not told of", "[unit][core]")
{
    Told f(1, 1000, table_options().when_full(WhenFull::reject).max_sessions_per_principal(1));
    f.add("a", "ada");
    CHECK(f.create("a", "bob").error() == errc::id_in_use);
    CHECK(f.create("b", "bob").error() == errc::overloaded);
    CHECK(f.create("b", "ada").error() == errc::overloaded);
    f.table.close();
    CHECK(f.create("b", "bob").error() == errc::stopping);
    CHECK(f.metrics().pending_creations == 1);
    CHECK(f.arrivals() == std::vector{f.fresh("a").reference});
}

TEST_CASE("session_table arrival: a slow listener slows creation down", "[unit][core]")
{
    // Four slots, and each session takes two until its creation was told.
    Told f(2, 2);
    f.add("a", "ada");
    f.add("b", "ada");
    CHECK(f.create("c", "ada").error() == errc::overloaded);
    CHECK(f.turn().take_arrived(2).size() == 2);
    CHECK(f.create("c", "ada").error() == errc::overloaded);
    f.table.announced(1);
    CHECK(f.create("c", "ada").error() == errc::overloaded);
    CHECK(f.has("a"));
    f.table.announced(1);
    f.add("c", "ada");
    CHECK_FALSE(f.has("a"));
    CHECK(f.metrics().pending_creations == 1);
    CHECK(f.metrics().pending_removals == 1);
    CHECK(f.arrivals() == std::vector{f.fresh("c").reference});
    CHECK(f.departures() == std::vector{RemovalCause::evicted});
}

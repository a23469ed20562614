// Who makes room when the table is full.

#include "sojourn/core/session_table.hpp"
#include "table_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>
#include <vector>

using namespace sojourn;
using namespace sojourn::unit;

TEST_CASE(
    "session_table room: the session whose last request ended longest ago is evicted",
    "[unit][core]"
)
{
    TableFixture f(3);
    f.add("a", "ada");
    f.add("b", "ada");
    f.add("c", "ada");
    f.now += 1s;
    f.use("a");
    f.add("d", "ada");
    CHECK_FALSE(f.has("b"));
    f.use("c");
    f.add("e", "ada");
    CHECK_FALSE(f.has("a"));
    CHECK(f.has("c"));
    CHECK(f.has("d"));
    CHECK(f.has("e"));
    CHECK(f.departures() == std::vector(2, RemovalCause::evicted));
    CHECK(f.metrics().live == 3);
}

TEST_CASE(
    "session_table room: it is the end of a request that counts, not its beginning", "[unit][core]"
)
{
    TableFixture f(3);
    f.add("a", "ada");
    f.add("b", "ada");
    f.add("c", "ada");
    auto* const a = f.acquire("a").value();
    f.use("b");
    f.use("c");
    f.give_back(a);
    // b ended first, then c, then a.
    f.add("d", "ada");
    CHECK_FALSE(f.has("b"));
    f.add("e", "ada");
    CHECK_FALSE(f.has("c"));
    CHECK(f.has("a"));
}

TEST_CASE("session_table room: a touch is use, a peek is not", "[unit][core]")
{
    TableFixture f(3);
    f.add("a", "ada");
    f.add("b", "ada");
    f.add("c", "ada");
    CHECK(f.touch("a").has_value());
    CHECK(f.peek("b").has_value());
    CHECK(f.turn().commit(name_id("b"), 1, Attributes()).has_value());
    CHECK_FALSE(f.rotate("b", "b2").code().failed());
    f.add("d", "ada");
    CHECK_FALSE(f.has("b2"));
    CHECK(f.has("a"));
}

TEST_CASE(
    "session_table room: leases that come back out of order are recent in that order",
    "[unit][core]"
)
{
    TableFixture f(3);
    f.add("a", "ada");
    f.add("b", "ada");
    f.add("c", "ada");
    auto* const a = f.acquire("a").value();
    auto* const b = f.acquire("b").value();
    auto* const c = f.acquire("c").value();
    f.give_back(c);
    f.give_back(a);
    f.give_back(b);
    f.add("d", "ada");
    CHECK_FALSE(f.has("c"));
    f.add("e", "ada");
    CHECK_FALSE(f.has("a"));
    f.add("f", "ada");
    CHECK_FALSE(f.has("b"));
}

TEST_CASE("session_table room: a leased session is never a victim", "[unit][core]")
{
    TableFixture f(2);
    f.add("a", "ada");
    f.add("b", "ada");
    auto* const a = f.acquire("a").value();
    f.add("c", "ada");
    CHECK(f.has("a"));
    CHECK_FALSE(f.has("b"));
    auto* const c = f.acquire("c").value();
    const auto refused = f.create("d");
    CHECK(refused.error() == errc::overloaded);
    CHECK(refused.error().retry_after() > Duration::zero());
    CHECK(f.metrics().refused_overloaded == 1);
    CHECK(f.metrics().live == 2);
    f.give_back(a);
    f.add("d", "ada");
    CHECK_FALSE(f.has("a"));
    f.give_back(c);
}

TEST_CASE("session_table room: two leases pin until the second is given back", "[unit][core]")
{
    TableFixture f(1);
    f.add("a", "ada");
    auto* const first = f.acquire("a").value();
    auto* const second = f.acquire("a").value();
    f.give_back(first);
    CHECK(f.create("b").error() == errc::overloaded);
    f.give_back(second);
    f.add("b", "ada");
    CHECK_FALSE(f.has("a"));
}

TEST_CASE("session_table room: leases that come back between two turns all count", "[unit][core]")
{
    TableFixture f(1);
    f.add("a", "ada");
    auto* const first = f.acquire("a").value();
    auto* const second = f.acquire("a").value();
    f.give_back(first);
    f.give_back(second);
    CHECK(f.peek("a").value().leases == 0);
    f.add("b", "ada");
    CHECK_FALSE(f.has("a"));
}

TEST_CASE("session_table room: a table of one session replaces it", "[unit][core]")
{
    TableFixture f(1);
    for (int i = 0; i < 200; ++i) {
        f.add("s" + std::to_string(i));
    }
    CHECK(f.metrics().live == 1);
    CHECK(f.has("s199"));
    CHECK(f.removed_by(RemovalCause::evicted) == 199);

    auto* const session = f.acquire("s199").value();
    CHECK(f.create("x").error() == errc::overloaded);
    // Closing, it still takes its place.
    CHECK_FALSE(f.remove("s199").code().failed());
    CHECK(f.create("x").error() == errc::overloaded);
    f.give_back(session);
    f.add("x");
    CHECK(f.has("x"));
}

TEST_CASE(
    "session_table room: expired sessions make room first, and are counted as expired",
    "[unit][core]"
)
{
    const auto policy = GENERATE(WhenFull::evict_idle, WhenFull::reject);
    TableFixture f(3, table_options().when_full(policy));
    auto fresh = f.fresh("expired", "ada");
    fresh.idle_timeout = 10s;
    f.add("oldest", "ada");
    f.give_back(f.turn().create(fresh).value());
    f.add("young", "ada");
    f.now += 10s;
    // The least recently used one has not expired; another one has.
    f.add("new", "ada");
    CHECK(f.has("oldest"));
    CHECK(f.has("young"));
    CHECK(f.departures() == std::vector{RemovalCause::expired_idle});
    CHECK(f.removed_by(RemovalCause::evicted) == 0);
}

TEST_CASE(
    "session_table room: a leased session past its lifetime closes, and still takes its place",
    "[unit][core]"
)
{
    TableFixture f(1);
    f.add("a", "ada");
    auto* const session = f.acquire("a").value();
    f.now += 1000s;
    CHECK(f.create("b").error() == errc::overloaded);
    CHECK(f.metrics().closing == 1);
    f.give_back(session);
    f.add("b", "ada");
    CHECK(f.departures() == std::vector{RemovalCause::expired_lifetime});
}

TEST_CASE("session_table room: a policy of rejection evicts nobody", "[unit][core]")
{
    TableFixture f(2, table_options().when_full(WhenFull::reject));
    f.add("a", "ada");
    f.add("b", "ada");
    CHECK(f.create("c").error() == errc::overloaded);
    CHECK(f.has("a"));
    CHECK(f.has("b"));
    CHECK_FALSE(f.remove("a").code().failed());
    f.add("c", "ada");
    f.now += 100s;
    f.add("d", "ada");
    CHECK(f.removed_by(RemovalCause::evicted) == 0);
    CHECK(f.removed_by(RemovalCause::expired_idle) == 2);
}

TEST_CASE(
    "session_table room: a small batch of cleanup still finds the expired victim", "[unit][core]"
)
{
    // All entries come up early but that of the session nobody used, which the batch does not
    // reach.
    TableFixture f(50, table_options().cleanup_batch(1).when_full(WhenFull::reject));
    for (int i = 0; i < 50; ++i) {
        f.add("s" + std::to_string(i), "ada");
    }
    f.now += 99s;
    for (int i = 0; i < 49; ++i) {
        f.use("s" + std::to_string(i));
    }
    f.now += 1s;
    f.add("new", "ada");
    CHECK_FALSE(f.has("s49"));
    CHECK(f.departures() == std::vector{RemovalCause::expired_idle});
    CHECK(f.metrics().live == 50);
}

TEST_CASE(
    "session_table room: the oldest has expired, though the batch has not come to it",
    "[unit][core]"
)
{
    TableFixture f(2, table_options().cleanup_batch(1).when_full(WhenFull::reject));
    f.add("a", "ada");
    auto fresh = f.fresh("b", "ada");
    fresh.idle_timeout = 50s;
    f.give_back(f.turn().create(fresh).value());
    f.now += 40s;
    f.use("b");
    f.now += 40s;
    f.use("b");
    // Looked at first, since it was to end after 50 s, and it is still in use.
    f.now += 20s;
    f.add("c", "ada");
    CHECK(f.has("b"));
    CHECK(f.departures() == std::vector{RemovalCause::expired_idle});
}

TEST_CASE(
    "session_table room: a slow listener refuses what would end another session", "[unit][core]"
)
{
    TableFixture f(2, table_options(), 3);
    f.add("a");
    f.add("b");
    f.add("c");
    f.add("d");
    f.add("e");
    CHECK(f.metrics().pending_removals == 3);
    CHECK(f.create("f").error() == errc::overloaded);
    CHECK(f.has("d"));
    // Taken is not delivered.
    CHECK(f.turn().take_departed(2).size() == 2);
    CHECK(f.metrics().pending_removals == 3);
    CHECK(f.create("f").error() == errc::overloaded);
    f.table.delivered(1);
    f.add("f");
    CHECK_FALSE(f.has("d"));
    CHECK(f.create("g").error() == errc::overloaded);
    // Nor does it help that one is removed: that one waits for the listener too.
    CHECK_FALSE(f.remove("e").code().failed());
    CHECK(f.create("g").error() == errc::overloaded);
    f.table.delivered(1);
    f.add("g");
    CHECK(f.metrics().live == 2);
    CHECK(f.metrics().refused_overloaded == 4);
}

TEST_CASE(
    "session_table room: a listener that never returns does not let memory grow", "[unit][core]"
)
{
    TableFixture f(4, table_options(), 2);
    int created = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto name = "s" + std::to_string(i);
        if (const auto session = f.create(name)) {
            ++created;
            f.give_back(*session);
            CHECK_FALSE(f.remove(name).code().failed());
        }
    }
    CHECK(created == 6);
    CHECK(f.slots() == 6);
    CHECK(f.metrics().live + f.metrics().pending_removals == 6);
}

TEST_CASE("session_table room: many touches put a session in the recency list once", "[unit][core]")
{
    TableFixture f(3);
    f.add("a", "ada");
    f.add("b", "ada");
    f.add("c", "ada");
    for (int i = 0; i < 1000; ++i) {
        f.now += 1ms;
        CHECK(f.touch("a").has_value());
        f.use("b");
        auto* const first = f.acquire("b").value();
        auto* const second = f.acquire("b").value();
        CHECK(f.touch("b").has_value());
        f.give_back(second);
        f.give_back(first);
    }
    CHECK(f.table.check_invariants().value_or("") == "");
    // If a were listed twice, it would be its own successor as a victim.
    f.add("d", "ada");
    CHECK_FALSE(f.has("c"));
    f.add("e", "ada");
    CHECK_FALSE(f.has("a"));
    f.add("f", "ada");
    CHECK_FALSE(f.has("b"));
    CHECK(f.metrics().live == 3);
}

TEST_CASE(
    "session_table room: eviction takes the slots and ids of its victims back", "[unit][core]"
)
{
    TableFixture f(2, table_options(), 1, OnDeparture::forget);
    for (int i = 0; i < 1000; ++i) {
        // The same three ids over and over, each free again by the time it comes round.
        f.add("s" + std::to_string(i % 3), i % 2 == 0 ? "ada" : "");
    }
    CHECK(f.metrics().created == 1000);
    CHECK(f.metrics().live == 2);
    CHECK(f.removed_by(RemovalCause::evicted) == 998);
    CHECK(f.metrics().pending_removals == 0);
    CHECK(f.slots() == 2);
}

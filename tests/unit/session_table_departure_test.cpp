// How sessions end: leased ones, all of them, and who is told.

#include "sojourn/core/session_table.hpp"
#include "table_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <set>
#include <string>
#include <vector>

using namespace sojourn;
using namespace sojourn::unit;

TEST_CASE(
    "session_table departure: a session removed while leased ends with its last lease",
    "[unit][core]"
)
{
    TableFixture f;
    f.add("a", "ada");
    auto* const first = f.acquire("a").value();
    auto* const second = f.acquire("a").value();
    CHECK_FALSE(f.table.awaits_release());
    CHECK_FALSE(f.remove("a").code().failed());

    CHECK(f.table.awaits_release());
    CHECK(f.remove("a") == errc::not_found);
    CHECK(f.acquire("a").error() == errc::not_found);
    CHECK(f.peek("a").error() == errc::not_found);
    CHECK(f.touch("a").error() == errc::not_found);
    CHECK(f.rotate("a", "b") == errc::not_found);
    CHECK(f.turn().remove_by_principal("ada", 10) == 0);
    CHECK(f.metrics().closing == 1);
    CHECK(f.metrics().live == 1);
    CHECK(f.metrics().removed_total() == 0);
    // Those who hold it may still look at it.
    CHECK(f.table.info(*first).principal_text() == "ada");
    CHECK(f.table.info(*first).leases == 2);

    f.give_back(second);
    CHECK(f.departures().empty());
    f.give_back(first);
    CHECK(f.departures() == std::vector{RemovalCause::deleted});
    CHECK(f.metrics().closing == 0);
    CHECK(f.metrics().live == 0);
    CHECK(f.metrics().leased == 0);
    CHECK_FALSE(f.table.awaits_release());
}

TEST_CASE(
    "session_table departure: what is closing does not expire and is not evicted", "[unit][core]"
)
{
    TableFixture f(1);
    f.add("a", "ada");
    auto* const session = f.acquire("a").value();
    CHECK_FALSE(f.remove("a").code().failed());
    f.now += 10'000s;
    f.expire();
    CHECK(f.create("b").error() == errc::overloaded);
    CHECK(f.turn().end_all(0, 100, RemovalCause::drained).count == 0);
    CHECK(f.metrics().closing == 1);
    f.give_back(session);
    CHECK(f.departures() == std::vector{RemovalCause::deleted});
}

TEST_CASE(
    "session_table departure: each session departs once, in the order in which they ended",
    "[unit][core]"
)
{
    TableFixture f(3);
    f.add("deleted", "ada");
    f.add("closing", "ada");
    f.add("evicted", "ada");
    auto* const closing = f.acquire("closing").value();
    CHECK_FALSE(f.remove("closing").code().failed());
    CHECK_FALSE(f.remove("deleted").code().failed());
    f.add("x", "ada");
    f.add("y", "ada");
    f.give_back(closing);
    f.turn();
    f.now += 100s;
    f.expire();
    CHECK(f.table.has_departed());
    CHECK(f.metrics().pending_removals == 5);
    CHECK(
        f.departures() ==
        std::vector{
            RemovalCause::deleted,
            RemovalCause::evicted,
            RemovalCause::deleted,
            RemovalCause::expired_idle,
            RemovalCause::expired_idle
        }
    );
    CHECK_FALSE(f.table.has_departed());
    CHECK(f.metrics().pending_removals == 0);
    CHECK(f.metrics().removed_total() == f.metrics().created);
}

TEST_CASE("session_table departure: they are taken in batches of any size", "[unit][core]")
{
    TableFixture f(20);
    std::vector<std::uint64_t> expected;
    for (int i = 0; i < 10; ++i) {
        const auto name = "s" + std::to_string(i);
        expected.push_back(keyed_hash({}, name));
        f.add(name);
        CHECK_FALSE(f.remove(name).code().failed());
    }
    CHECK(f.turn().take_departed(0).empty());
    std::vector<std::uint64_t> taken;
    for (const std::size_t limit : {1U, 3U, 100U, 5U}) {
        for (const auto& removed : f.turn().take_departed(limit)) {
            taken.push_back(removed.reference.value());
        }
    }
    CHECK(taken == expected);
    CHECK(f.metrics().pending_removals == 10);
    f.table.delivered(10);
}

TEST_CASE("session_table departure: without a listener nobody waits to be told", "[unit][core]")
{
    TableFixture f(4, table_options(), 1, OnDeparture::forget);
    f.add("a", "ada");
    auto* const b = f.create("b", "ada").value();
    CHECK_FALSE(f.remove("a").code().failed());
    CHECK_FALSE(f.remove("b").code().failed());
    f.give_back(b);
    CHECK(f.turn().metrics().live == 0);
    CHECK_FALSE(f.table.has_departed());
    CHECK(f.departures().empty());
    CHECK(f.metrics().pending_removals == 0);
    CHECK(f.removed_by(RemovalCause::deleted) == 2);
}

TEST_CASE("session_table departure: end_all ends every open session in batches", "[unit][core]")
{
    TableFixture f(2000);
    std::vector<Session*> leases;
    for (int i = 0; i < 1000; ++i) {
        const auto name = "s" + std::to_string(i);
        f.add(name, i % 2 == 0 ? "ada" : "");
        if (i % 10 == 0) {
            leases.push_back(f.acquire(name).value());
        }
    }
    CHECK_FALSE(f.remove("s0").code().failed());
    f.table.close();

    const auto batch = GENERATE(1U, 64U, 5000U);
    std::size_t ended = 0;
    std::optional<std::uint32_t> slot = 0;
    while (slot) {
        const auto sweep = f.turn().end_all(*slot, batch, RemovalCause::drained);
        CHECK(sweep.count <= batch);
        ended += sweep.count;
        slot = sweep.next_slot;
    }
    CHECK(ended == 999);
    CHECK(f.metrics().closing == 100);
    CHECK(f.metrics().live == 100);
    for (auto* const session : leases) {
        f.give_back(session);
    }
    f.turn();
    CHECK(f.metrics().live == 0);
    CHECK(f.removed_by(RemovalCause::drained) == 999);
    CHECK(f.removed_by(RemovalCause::deleted) == 1);
    CHECK(f.departures().size() == 1000);
}

TEST_CASE("session_table departure: once closed, the last lease ends a session", "[unit][core]")
{
    TableFixture f;
    auto* const held = f.create("a").value();
    auto* const again = f.acquire("a").value();
    auto* const outlived = f.create("b").value();
    f.turn().close();
    CHECK(f.table.awaits_release());
    CHECK(f.table.metrics().closing == 0);
    CHECK(f.has("a"));
    f.give_back(held);
    CHECK(f.has("a"));
    f.give_back(again);
    CHECK_FALSE(f.has("a"));
    // What has expired meanwhile has expired.
    f.now += 1000s;
    f.give_back(outlived);
    CHECK(f.departures() == std::vector{RemovalCause::drained, RemovalCause::expired_lifetime});
    CHECK_FALSE(f.table.awaits_release());
}

TEST_CASE("session_table departure: a lease may be given back in a turn", "[unit][core]")
{
    TableFixture f;
    auto* const session = f.create("a", "ada").value();
    f.now += 99s;
    f.turn().release(*session, f.now);
    CHECK(f.peek("a").value().leases == 0);
    f.now += 99s;
    CHECK(f.has("a"));
    f.now += 1s;
    CHECK_FALSE(f.has("a"));
}

TEST_CASE("session_table departure: end_idle ends who is idle, in batches", "[unit][core]")
{
    TableFixture f(100);
    for (int i = 0; i < 10; ++i) {
        f.add("s" + std::to_string(i), i % 2 == 0 ? "ada" : "");
    }
    auto* const leased = f.acquire("s0").value();
    // One that is overdue, and that nobody has looked at.
    f.now += 10s;
    f.turn().close();
    CHECK(f.turn().end_idle(4) == 4);
    CHECK(f.turn().end_idle(4) == 4);
    CHECK(f.turn().end_idle(4) == 1);
    CHECK(f.turn().end_idle(4) == 0);
    CHECK(f.metrics().live == 1);
    CHECK(f.removed_by(RemovalCause::drained) == 4);
    CHECK(f.removed_by(RemovalCause::expired_idle) == 5);
    f.give_back(leased);
    f.turn();
    CHECK(f.removed_by(RemovalCause::drained) == 5);
}

TEST_CASE(
    "session_table departure: end_all looks at no more than 4,096 slots a turn", "[unit][core]"
)
{
    TableFixture f(5000, table_options(), 10, OnDeparture::forget);
    for (int i = 0; i < 5000; ++i) {
        f.add("s" + std::to_string(i));
    }
    const auto first = f.turn().end_all(0, 100'000, RemovalCause::deleted);
    CHECK(first.count == 4096);
    CHECK(first.next_slot == 4096U);
    const auto second = f.turn().end_all(4096, 100'000, RemovalCause::deleted);
    CHECK(second.count == 5000 - 4096);
    CHECK_FALSE(second.next_slot.has_value());
    CHECK(f.metrics().live == 0);
}

TEST_CASE(
    "session_table departure: a table may be destroyed with sessions in every state", "[unit][core]"
)
{
    TableFixture f;
    f.add("half-open");
    f.add("established", "ada");
    f.add("departed", "eve");
    f.add("closing", "ada");
    f.add("leased", "ada");
    CHECK(f.acquire("closing").has_value());
    CHECK(f.acquire("leased").has_value());
    CHECK_FALSE(f.remove("departed").code().failed());
    CHECK_FALSE(f.remove("closing").code().failed());
    CHECK(f.metrics().live == 4);
}

TEST_CASE(
    "session_table departure: a principal's name lasts as long as who asks for it", "[unit][core]"
)
{
    TableFixture f;
    f.add("a", "ada");
    const auto info = f.peek("a").value();
    CHECK_FALSE(f.remove("a").code().failed());
    auto removed = f.turn().take_departed(1);
    f.table.delivered(1);
    f.add("b", "eve");
    CHECK(info.principal_text() == "ada");
    CHECK(*removed.at(0).principal == "ada");
}

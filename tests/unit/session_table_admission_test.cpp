// Who gets in: the bounds of half-open sessions, of a principal, of bytes, and who makes room
// there; and for whom nobody does.

#include "sojourn/core/session_table.hpp"
#include "table_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>
#include <vector>

using namespace sojourn;
using namespace sojourn::unit;

namespace {

Attributes of_bytes(std::size_t bytes)
{
    Attributes data;
    data.set("a", std::string(bytes, 'x'));
    // What an entry costs besides its text.
    const auto overhead = data.bytes() - bytes;
    data.set("a", std::string(bytes - overhead, 'x'));
    return data;
}

Result<Session*> create_with(TableFixture& f, std::string_view name, std::size_t bytes)
{
    auto fresh = f.fresh(name, "ada");
    fresh.attributes = of_bytes(bytes);
    return f.turn().create(fresh);
}

void add_with(TableFixture& f, std::string_view name, std::size_t bytes)
{
    f.give_back(create_with(f, name, bytes).value());
}

Result<std::uint64_t> commit(TableFixture& f, std::string_view name, std::size_t bytes)
{
    return f.turn().commit(name_id(name), f.peek(name)->attributes.version, of_bytes(bytes));
}

void check_is_refused(TableFixture& f, const Error& error)
{
    CHECK(error == errc::overloaded);
    CHECK(error.retry_after() > Duration::zero());
    CHECK(f.metrics().refused_overloaded == 1);
}

} // namespace

TEST_CASE("session_table admission: half-open sessions make room for each other", "[unit][core]")
{
    TableFixture f(8, table_options().max_half_open(2));
    f.add("real", "ada");
    f.add("a");
    f.add("b");
    f.now += 1s;
    f.add("c");
    CHECK_FALSE(f.has("a"));
    CHECK(f.has("real"));
    CHECK(f.has("b"));
    CHECK(f.has("c"));
    CHECK(f.metrics().half_open == 2);
    CHECK(f.departures() == std::vector{RemovalCause::evicted});
}

TEST_CASE("session_table admission: who comes back is half-open no longer", "[unit][core]")
{
    TableFixture f(8, table_options().max_half_open(1));
    f.add("a");
    f.use("a");
    f.add("b");
    CHECK(f.has("a"));
    CHECK(f.has("b"));
    f.add("c");
    CHECK(f.has("a"));
    CHECK_FALSE(f.has("b"));
    // Nor is one who logs in.
    CHECK_FALSE(f.rotate("c", "c2", "ada").code().failed());
    f.add("d");
    CHECK(f.has("c2"));
}

TEST_CASE(
    "session_table admission: half-open sessions that are leased make no room", "[unit][core]"
)
{
    TableFixture f(8, table_options().max_half_open(1));
    auto* const a = f.create("a").value();
    check_is_refused(f, f.create("b").error());
    CHECK(f.has("a"));
    // Those of principals are none of them.
    f.add("c", "ada");
    f.give_back(a);
    f.add("b");
    CHECK_FALSE(f.has("a"));
}

TEST_CASE("session_table admission: expired half-open sessions are not evicted", "[unit][core]")
{
    TableFixture f(8, table_options().max_half_open(2).when_full(WhenFull::reject));
    f.add("a");
    f.add("b");
    check_is_refused(f, f.create("c").error());
    f.now += 10s;
    f.add("c");
    CHECK(f.departures() == std::vector(2, RemovalCause::expired_idle));
}

TEST_CASE(
    "session_table admission: a victim that has expired already is not said to be evicted",
    "[unit][core]"
)
{
    // Cleanup of one looks at the session that was due before.
    TableFixture f(8, table_options().max_half_open(1).cleanup_batch(1));
    f.add("real", "ada");
    f.now += 95s;
    f.add("a");
    f.now += 10s;
    f.add("b");
    CHECK(f.departures() == std::vector(2, RemovalCause::expired_idle));
    CHECK(f.metrics().live == 1);
}

TEST_CASE("session_table admission: a half-open victim leaves its place to another", "[unit][core]")
{
    // It was the last place, and the last slot.
    TableFixture f(2, table_options().max_half_open(1), 1);
    f.add("real", "ada");
    f.add("a");
    f.add("b");
    CHECK(f.has("real"));
    CHECK(f.has("b"));
    // The removal of "a" has not been told, so there is no slot for another.
    check_is_refused(f, f.create("c").error());
    CHECK(f.has("b"));
    CHECK(f.departures() == std::vector{RemovalCause::evicted});
    f.add("c");
    CHECK_FALSE(f.has("b"));
}

TEST_CASE(
    "session_table admission: a principal's own least recently used session makes room",
    "[unit][core]"
)
{
    TableFixture f(8, table_options().max_sessions_per_principal(2));
    f.add("old", "bob");
    f.now += 1s;
    f.add("a", "ada");
    f.add("b", "ada");
    f.now += 1s;
    f.use("a");
    f.add("c", "ada");
    CHECK(f.has("old"));
    CHECK(f.has("a"));
    CHECK_FALSE(f.has("b"));
    CHECK(f.has("c"));
    CHECK(f.departures() == std::vector{RemovalCause::evicted});
    CHECK(f.metrics().live == 3);
}

TEST_CASE(
    "session_table admission: a principal whose sessions are all leased waits", "[unit][core]"
)
{
    TableFixture f(8, table_options().max_sessions_per_principal(2));
    auto* const a = f.create("a", "ada").value();
    auto* const b = f.create("b", "ada").value();
    check_is_refused(f, f.create("c", "ada").error());
    f.add("d", "bob");
    f.give_back(b);
    f.add("c", "ada");
    CHECK(f.has("a"));
    CHECK_FALSE(f.has("b"));
    f.give_back(a);
}

TEST_CASE(
    "session_table admission: a principal's removed sessions count until released", "[unit][core]"
)
{
    TableFixture f(8, table_options().max_sessions_per_principal(1));
    auto* const a = f.create("a", "ada").value();
    CHECK_FALSE(f.remove("a").code().failed());
    check_is_refused(f, f.create("b", "ada").error());
    f.give_back(a);
    f.add("b", "ada");
    CHECK(f.has("b"));
}

TEST_CASE("session_table admission: a principal's expired sessions are not evicted", "[unit][core]")
{
    TableFixture f(8, table_options().max_sessions_per_principal(2).when_full(WhenFull::reject));
    f.add("a", "ada");
    f.add("b", "ada");
    check_is_refused(f, f.create("c", "ada").error());
    f.now += 100s;
    f.add("c", "ada");
    CHECK(f.departures() == std::vector(2, RemovalCause::expired_idle));
}

TEST_CASE("session_table admission: a principal's next may come by rotation", "[unit][core]")
{
    TableFixture f(8, table_options().max_sessions_per_principal(1));
    f.add("a", "ada");
    f.add("b");
    CHECK_FALSE(f.rotate("b", "b2", "ada").code().failed());
    CHECK_FALSE(f.has("a"));
    CHECK(f.has("b2"));
    CHECK(f.departures() == std::vector{RemovalCause::evicted});
    // Not one more.
    CHECK_FALSE(f.rotate("b2", "b3", "ada").code().failed());
    CHECK(f.has("b3"));

    auto* const leased = f.acquire("b3").value();
    f.add("c");
    check_is_refused(f, f.rotate("c", "c2", "ada"));
    CHECK(f.has("c"));
    CHECK(f.peek("c")->principal == nullptr);
    f.give_back(leased);
}

TEST_CASE("session_table admission: nobody is evicted before its grace is over", "[unit][core]")
{
    TableFixture f(2, table_options().eviction_grace(5s));
    f.add("a", "ada");
    f.now += 1s;
    f.add("b", "ada");
    f.now += 4s - 1ns;
    check_is_refused(f, f.create("c", "ada").error());
    f.now += 1ns;
    f.add("c", "ada");
    CHECK_FALSE(f.has("a"));
    CHECK(f.has("b"));
    // It counts from the last request, not from the creation.
    f.now += 1s - 1ns;
    f.use("b");
    f.now += 4s + 1ns;
    f.add("d", "ada");
    CHECK_FALSE(f.has("c"));
    CHECK(f.has("b"));
}

TEST_CASE(
    "session_table admission: half-open sessions have no grace from each other", "[unit][core]"
)
{
    TableFixture f(3, table_options().eviction_grace(5s));
    f.add("a", "ada");
    f.add("b");
    f.add("c");
    f.add("d");
    CHECK(f.has("a"));
    CHECK_FALSE(f.has("b"));
    // But from others.
    check_is_refused(f, f.create("e", "ada").error());
    CHECK(f.has("c"));
    CHECK(f.has("d"));
}

TEST_CASE("session_table admission: who has expired has no grace", "[unit][core]")
{
    TableFixture f(1, table_options().eviction_grace(500s));
    f.add("a", "ada");
    f.now += 100s;
    f.add("b", "ada");
    CHECK(f.departures() == std::vector{RemovalCause::expired_idle});
}

TEST_CASE("session_table admission: bytes are bounded, and idle sessions make room", "[unit][core]")
{
    TableFixture f(8, table_options().max_total_attribute_bytes(1000));
    add_with(f, "a", 400);
    f.now += 1s;
    add_with(f, "b", 400);
    f.now += 1s;
    add_with(f, "c", 200);
    CHECK(f.has("a"));
    add_with(f, "d", 300);
    CHECK_FALSE(f.has("a"));
    CHECK(f.has("b"));
    // What was too much of the victim's is free: 100.
    add_with(f, "e", 100);
    CHECK(f.has("b"));
    add_with(f, "f", 600);
    CHECK_FALSE(f.has("b"));
    CHECK_FALSE(f.has("c"));
    CHECK(f.has("d"));
    CHECK(f.departures() == std::vector(3, RemovalCause::evicted));
}

TEST_CASE("session_table admission: more bytes than there may be are refused", "[unit][core]")
{
    TableFixture f(8, table_options().max_total_attribute_bytes(1000));
    auto* const a = create_with(f, "a", 600).value();
    check_is_refused(f, create_with(f, "b", 401).error());
    CHECK(f.has("a"));
    add_with(f, "b", 400);
    f.give_back(a);
}

TEST_CASE("session_table admission: nobody is evicted for bytes in vain", "[unit][core]")
{
    TableFixture f(20, table_options().max_total_attribute_bytes(1000));
    auto* const leased = create_with(f, "leased", 800).value();
    f.add("none", "ada");
    add_with(f, "a", 100);
    add_with(f, "b", 100);
    check_is_refused(f, create_with(f, "c", 201).error());
    CHECK(f.metrics().live == 4);
    // Who has none makes no room, and stays.
    add_with(f, "c", 150);
    CHECK(f.has("none"));
    CHECK_FALSE(f.has("a"));
    CHECK_FALSE(f.has("b"));
    f.give_back(leased);
}

TEST_CASE("session_table admission: one request looks at no more than a batch", "[unit][core]")
{
    TableFixture f(8, table_options().max_total_attribute_bytes(500).cleanup_batch(2));
    for (const auto* name : {"a", "b", "c", "d", "e"}) {
        add_with(f, name, 100);
    }
    check_is_refused(f, create_with(f, "f", 300).error());
    CHECK(f.metrics().live == 5);
    add_with(f, "f", 200);
    CHECK(f.metrics().live == 4);
}

TEST_CASE("session_table admission: a change of attributes is counted", "[unit][core]")
{
    TableFixture f(8, table_options().max_total_attribute_bytes(1000));
    add_with(f, "a", 300);
    add_with(f, "b", 300);
    auto* const b = f.acquire("b").value();
    CHECK(commit(f, "a", 700).has_value());
    // The session that changes is the only idle one, and is not its own victim.
    check_is_refused(f, commit(f, "a", 701).error());
    CHECK(f.peek("a")->attributes.data == of_bytes(700));
    CHECK(commit(f, "a", 100).has_value());
    CHECK(commit(f, "b", 900).has_value());
    CHECK(f.has("a"));
    f.give_back(b);
    CHECK(commit(f, "a", 1000).has_value());
    CHECK_FALSE(f.has("b"));
    // Not even a bit is left.
    CHECK(f.turn().remove(name_id("a")).has_value());
    f.table.delivered(f.turn().take_departed(10).size());
    add_with(f, "c", 1000);
}

TEST_CASE(
    "session_table admission: while more bytes than may live wait to be told, none are added",
    "[unit][core]"
)
{
    TableFixture f(8, table_options().max_total_attribute_bytes(1000));
    for (const auto* name : {"a", "b"}) {
        add_with(f, name, 501);
        CHECK(f.turn().remove(name_id(name)).has_value());
    }
    f.add("c");
    check_is_refused(f, commit(f, "c", 100).error());
    CHECK(create_with(f, "d", 100).error() == errc::overloaded);
    CHECK(f.turn().take_departed(1).size() == 1);
    CHECK(commit(f, "c", 1000).has_value());
}

TEST_CASE("session_table admission: bytes of who has expired are free", "[unit][core]")
{
    const auto policy = GENERATE(WhenFull::evict_idle, WhenFull::reject);
    TableFixture f(8, table_options().max_total_attribute_bytes(1000).when_full(policy));
    add_with(f, "a", 600);
    f.now += 50s;
    add_with(f, "b", 400);
    f.now += 50s;
    add_with(f, "c", 600);
    CHECK(f.has("b"));
    CHECK(f.departures() == std::vector{RemovalCause::expired_idle});
}

TEST_CASE(
    "session_table admission: nobody makes room while no slot is free for the removal",
    "[unit][core]"
)
{
    // Three slots: one of a removal that was not told, and two of sessions.
    TableFixture f(
        2, table_options().max_total_attribute_bytes(1000).max_sessions_per_principal(2), 1
    );
    f.add("gone", "ada");
    CHECK(f.turn().remove(name_id("gone")).has_value());
    add_with(f, "a", 500);
    add_with(f, "b", 500);
    SECTION("for bytes")
    {
        check_is_refused(f, commit(f, "b", 600).error());
    }
    SECTION("for another session of its principal")
    {
        check_is_refused(f, f.create("c", "ada").error());
        CHECK(f.table.shortage() == Shortage::own);
    }
    CHECK(f.has("a"));
    CHECK(f.has("b"));
    CHECK(f.departures() == std::vector{RemovalCause::deleted});
    CHECK(commit(f, "b", 600).has_value());
    CHECK_FALSE(f.has("a"));
}

TEST_CASE("session_table admission: who may wait for room has not been refused", "[unit][core]")
{
    TableFixture f(2, table_options().max_sessions_per_principal(1).when_full(WhenFull::wait));
    f.add("a", "ada");
    f.add("b", "bob");
    CHECK(f.create("c", "eve").error() == errc::overloaded);
    CHECK(f.table.shortage() == Shortage::common);
    CHECK(f.metrics().refused_overloaded == 0);
    // It is the principal's own affair that it has so many: that room is not waited for.
    CHECK(f.create("c", "ada").error() == errc::overloaded);
    CHECK(f.table.shortage() == Shortage::own);
    CHECK(f.metrics().refused_overloaded == 1);
    const auto before = f.table.room_given();
    CHECK(f.turn().remove(name_id("a")).has_value());
    CHECK(f.table.room_given() != before);
    f.add("c", "eve");
}

TEST_CASE("session_table admission: under the policy reject nobody is evicted", "[unit][core]")
{
    const auto options = table_options()
                             .max_half_open(1)
                             .max_sessions_per_principal(1)
                             .max_total_attribute_bytes(100)
                             .when_full(WhenFull::reject);
    TableFixture f(8, options);
    f.add("a");
    add_with(f, "b", 100);
    CHECK(f.create("c").error() == errc::overloaded);
    CHECK(f.create("c", "ada").error() == errc::overloaded);
    auto fresh = f.fresh("c", "bob");
    fresh.attributes = of_bytes(100);
    CHECK(f.turn().create(fresh).error() == errc::overloaded);
    CHECK(f.metrics().live == 2);
    CHECK(f.metrics().refused_overloaded == 3);
    CHECK(f.departures().empty());
}

TEST_CASE("session_table admission: a refusal takes nothing", "[unit][core]")
{
    // Each in turn lacks one thing, after others had been taken; then there is room again.
    const auto options =
        table_options().max_half_open(2).max_total_attribute_bytes(100).when_full(WhenFull::reject);
    TableFixture f(3, options);
    for (int i = 0; i < 10; ++i) {
        auto fresh = f.fresh("a");
        fresh.attributes = of_bytes(101);
        CHECK(f.turn().create(fresh).error() == errc::overloaded);
    }
    f.add("a");
    f.add("b");
    for (int i = 0; i < 10; ++i) {
        CHECK(f.create("c").error() == errc::overloaded);
    }
    add_with(f, "c", 100);
    for (int i = 0; i < 10; ++i) {
        CHECK(f.create("d", "ada").error() == errc::overloaded);
    }
    CHECK(f.turn().remove(name_id("a")).has_value());
    f.add("d");
}

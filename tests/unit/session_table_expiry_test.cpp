// When sessions expire: by access, by cleanup, by which deadline, and what that costs the schedule.

#include "sojourn/core/session_table.hpp"
#include "table_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>
#include <vector>

using namespace sojourn;
using namespace sojourn::unit;

TEST_CASE("session_table expiry: a session lives until its deadline and not at it", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    f.now += 100s - 1ns;
    CHECK(f.peek("a").value().expires_in == 1ns);
    SECTION("used one nanosecond before, it lives on")
    {
        f.use("a");
        f.now += 1ns;
        CHECK(f.has("a"));
        f.now += 100s - 2ns;
        CHECK(f.has("a"));
        f.now += 1ns;
        CHECK_FALSE(f.has("a"));
    }
    SECTION("at the deadline it is gone")
    {
        f.now += 1ns;
        CHECK(f.acquire("a").error() == errc::not_found);
        CHECK(f.removed_by(RemovalCause::expired_idle) == 1);
        CHECK(f.metrics().live == 0);
    }
    SECTION("a nanosecond later too")
    {
        f.now += 2ns;
        CHECK(f.acquire("a").error() == errc::not_found);
    }
    SECTION("cleanup agrees: not before")
    {
        CHECK_FALSE(f.turn().expire(100));
        CHECK(f.metrics().live == 1);
    }
    SECTION("cleanup agrees: at the deadline")
    {
        f.now += 1ns;
        CHECK(f.table.next_deadline() <= f.now);
        CHECK_FALSE(f.turn().expire(100));
        CHECK(f.metrics().live == 0);
        CHECK(f.departures() == std::vector{RemovalCause::expired_idle});
    }
}

TEST_CASE(
    "session_table expiry: every access notices it without cleanup, and ends it once",
    "[unit][core]"
)
{
    TableFixture f;
    f.add("a", "ada");
    f.now += 100s;
    const auto access = GENERATE(0, 1, 2, 3, 4, 5, 6, 7);
    CAPTURE(access);
    const auto id = name_id("a");
    switch (access) {
    case 0:
        CHECK(f.turn().acquire(id).error() == errc::not_found);
        break;
    case 1:
        CHECK(f.turn().peek(id).error() == errc::not_found);
        break;
    case 2:
        CHECK(f.turn().touch(id).error() == errc::not_found);
        break;
    case 3:
        CHECK(f.turn().rotate(id, name_id("b"), std::nullopt).error() == errc::not_found);
        break;
    case 4:
        CHECK(f.turn().remove(id).error() == errc::not_found);
        break;
    case 5:
        CHECK(f.turn().snapshot(id).error() == errc::not_found);
        break;
    case 6:
        CHECK(f.turn().commit(id, 1, Attributes()).error() == errc::not_found);
        break;
    default:
        f.add("a");
        break;
    }
    f.expire();
    CHECK(f.departures() == std::vector{RemovalCause::expired_idle});
    CHECK(f.metrics().removed_total() == 1);
}

TEST_CASE("session_table expiry: idle time runs from the release of the last lease", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    auto* const first = f.acquire("a").value();
    auto* const second = f.acquire("a").value();
    f.now += 300s;
    CHECK(f.peek("a").value().expires_in == 100s);
    f.give_back(first);
    f.now += 300s;
    f.expire();
    CHECK(f.has("a"));
    f.give_back(second);
    f.now += 100s - 1ns;
    CHECK(f.has("a"));
    f.now += 1ns;
    CHECK_FALSE(f.has("a"));
}

TEST_CASE(
    "session_table expiry: it runs from the release, not from the turn that settles it",
    "[unit][core]"
)
{
    TableFixture f;
    f.add("a", "ada");
    auto* const session = f.acquire("a").value();
    f.now += 50s;
    f.give_back(session);
    // No turn for a long time; the next one must not think that the request ended only now.
    f.now += 100s;
    CHECK_FALSE(f.has("a"));
    CHECK(f.departures() == std::vector{RemovalCause::expired_idle});
}

TEST_CASE("session_table expiry: the lifetime ends however busy the session is", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    for (int i = 0; i < 19; ++i) {
        f.now += 50s;
        f.use("a");
        CHECK(f.touch("a").has_value());
    }
    CHECK(f.peek("a").value().expires_in == 50s);
    f.now += 50s - 1ns;
    CHECK(f.touch("a").value().expires_in == 1ns);
    f.now += 1ns;
    CHECK(f.touch("a").error() == errc::not_found);
    CHECK(f.departures() == std::vector{RemovalCause::expired_lifetime});
}

TEST_CASE("session_table expiry: the lifetime ends for a leased session too", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    auto* const session = f.acquire("a").value();
    f.now += 1000s - 1ns;
    f.expire();
    CHECK(f.peek("a").value().expires_in == 1ns);
    f.now += 1ns;
    SECTION("noticed by an access")
    {
        CHECK(f.acquire("a").error() == errc::not_found);
    }
    SECTION("noticed by cleanup")
    {
        f.expire();
    }
    CHECK(f.metrics().closing == 1);
    CHECK(f.metrics().live == 1);
    CHECK(f.departures().empty());
    CHECK(f.table.awaits_release());
    f.give_back(session);
    CHECK(f.departures() == std::vector{RemovalCause::expired_lifetime});
    CHECK(f.metrics().live == 0);
    CHECK_FALSE(f.table.awaits_release());
}

TEST_CASE("session_table expiry: the cause is the deadline that came first", "[unit][core]")
{
    TableFixture f(8, table_options().idle_timeout(100s).absolute_lifetime(150s));
    f.add("idle-first", "ada");
    f.now += 60s;
    f.add("both-at-once", "ada");
    f.now += 50s;
    f.use("both-at-once"); // at 110 s: idle until 210 s, and its lifetime ends then
    f.now += 10'000s;
    f.expire();
    CHECK(
        f.departures() == std::vector{RemovalCause::expired_idle, RemovalCause::expired_lifetime}
    );
    CHECK(f.metrics().live == 0);
}

TEST_CASE(
    "session_table expiry: an anonymous session that nobody returns to lasts a short time",
    "[unit][core]"
)
{
    TableFixture f;
    f.add("a");
    CHECK(f.metrics().half_open == 1);
    CHECK(f.peek("a").value().expires_in == 10s);
    SECTION("nobody returns")
    {
        f.now += 10s - 1ns;
        CHECK(f.has("a"));
        f.now += 1ns;
        CHECK_FALSE(f.has("a"));
        CHECK(f.departures() == std::vector{RemovalCause::expired_idle});
        CHECK(f.metrics().half_open == 0);
    }
    SECTION("the first request establishes it")
    {
        f.now += 10s - 1ns;
        auto* const session = f.acquire("a").value();
        f.now += 50s;
        CHECK(f.metrics().half_open == 1);
        f.give_back(session);
        CHECK(f.peek("a").value().expires_in == 100s);
        CHECK(f.metrics().half_open == 0);
        f.now += 100s - 1ns;
        CHECK(f.has("a"));
    }
    SECTION("a touch establishes it")
    {
        CHECK(f.touch("a").value().expires_in == 100s);
        CHECK(f.metrics().half_open == 0);
    }
}

TEST_CASE(
    "session_table expiry: the lease of its creation is not its first request", "[unit][core]"
)
{
    TableFixture f;
    auto* const session = f.create("a").value();
    f.now += 5s;
    f.give_back(session);
    CHECK(f.metrics().half_open == 1);
    CHECK(f.peek("a").value().expires_in == 10s);
}

TEST_CASE("session_table expiry: a session with a principal is established at once", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    CHECK(f.metrics().half_open == 0);
    CHECK(f.peek("a").value().expires_in == 100s);
}

TEST_CASE(
    "session_table expiry: of the half-open and the idle timeout the shorter counts", "[unit][core]"
)
{
    TableFixture f(8, table_options().idle_timeout(3s).half_open_timeout(10s));
    f.add("a");
    CHECK(f.peek("a").value().expires_in == 3s);
}

TEST_CASE("session_table expiry: a session may have timeouts of its own", "[unit][core]")
{
    TableFixture f;
    auto fresh = f.fresh("a", "ada");
    fresh.idle_timeout = 7s;
    fresh.absolute_lifetime = 20s;
    f.give_back(f.turn().create(fresh).value());
    f.add("b", "ada");
    CHECK(f.peek("a").value().idle_timeout == 7s);
    CHECK(f.peek("a").value().expires_in == 7s);
    CHECK(f.peek("b").value().expires_in == 100s);
    f.now += 6s;
    f.use("a");
    f.now += 6s;
    f.use("a");
    f.now += 6s;
    f.use("a");
    CHECK(f.peek("a").value().expires_in == 2s);
    f.now += 2s;
    f.expire();
    CHECK(f.departures() == std::vector{RemovalCause::expired_lifetime});
    CHECK(f.has("b"));

    // Longer ones than the defaults too.
    auto patient = f.fresh("c", "ada");
    patient.idle_timeout = 5000s;
    patient.absolute_lifetime = 6000s;
    f.give_back(f.turn().create(patient).value());
    f.now += 4999s;
    f.expire();
    CHECK(f.has("c"));
    CHECK_FALSE(f.has("b"));
}

TEST_CASE("session_table expiry: what was touched does not come up early", "[unit][core]")
{
    TableFixture f;
    f.add("touched", "ada");
    f.add("left", "ada");
    f.now += 99s;
    f.use("touched");
    f.now += 1s;
    f.expire();
    CHECK(f.has("touched"));
    CHECK_FALSE(f.has("left"));
    // Its entry came up early, and was scheduled anew for when it is due.
    CHECK(f.table.next_deadline() == f.now + 99s);
}

TEST_CASE("session_table expiry: a stale entry that comes up is dropped", "[unit][core]")
{
    // The slot was armed for 1,000 s, and by its next session for 500 s.
    TableFixture f;
    f.add("long", "ada");
    REQUIRE_FALSE(f.remove("long").code().failed());
    CHECK(f.departures().size() == 1);
    auto fresh = f.fresh("short", "ada");
    fresh.absolute_lifetime = 500s;
    f.give_back(f.turn().create(fresh).value());
    CHECK(f.slots() == 1);
    f.now += 500s;
    f.expire();
    CHECK(f.departures() == std::vector{RemovalCause::expired_idle});
    CHECK(f.table.next_deadline() == f.now + 500s);
    f.now += 500s;
    f.expire();
    CHECK(f.table.next_deadline() == TimePoint::max());
}

TEST_CASE(
    "session_table expiry: the entry of an earlier session does not end the one that has the slot",
    "[unit][core]"
)
{
    // The slot of a session that was removed is taken by the next; its old entry comes up first.
    TableFixture f(8, table_options(), 1000, OnDeparture::forget);
    auto* const old = f.create("old", "ada").value();
    f.give_back(old);
    CHECK_FALSE(f.remove("old").code().failed());
    f.now += 50s;
    auto* const young = f.create("young", "ada").value();
    CHECK(young == old);
    f.give_back(young);
    for (int i = 0; i < 19; ++i) {
        f.now += 50s;
        f.use("young");
    }
    CHECK(f.table.next_deadline() == f.now);
    f.expire();
    CHECK(f.has("young"));
    CHECK(f.table.next_deadline() == f.now + 50s);
    f.now += 50s - 1ns;
    f.expire();
    CHECK(f.has("young"));
    f.now += 1ns;
    f.expire();
    CHECK(f.metrics().live == 0);
    CHECK(f.departures().empty());
    CHECK(f.removed_by(RemovalCause::expired_lifetime) == 1);
    CHECK(f.table.next_deadline() == TimePoint::max());
}

TEST_CASE(
    "session_table expiry: cleanup takes a batch a turn and says whether more is due",
    "[unit][core]"
)
{
    TableFixture f(100);
    for (int i = 0; i < 25; ++i) {
        f.add("s" + std::to_string(i), "ada");
    }
    f.now += 100s;
    CHECK(f.turn().expire(10));
    CHECK(f.metrics().live == 15);
    CHECK(f.turn().expire(0));
    CHECK(f.metrics().live == 15);
    CHECK(f.turn().expire(14));
    CHECK(f.metrics().live == 1);
    CHECK_FALSE(f.turn().expire(1));
    CHECK(f.metrics().live == 0);
    CHECK_FALSE(f.turn().expire(10));
}

TEST_CASE("session_table expiry: cleanup of some does not touch the others", "[unit][core][large]")
{
    // 1,000 of 100,000 are due; the others stay as they were.
    constexpr int count = 100'000;
    TableFixture f(count, table_options(), count);
    std::vector<HashedId> ids;
    for (int i = 0; i < count; ++i) {
        ids.push_back(name_id("s" + std::to_string(i)));
        auto fresh = f.fresh("x", "ada");
        fresh.id = ids.back();
        fresh.idle_timeout = i % 100 == 0 ? 10s : 100s;
        f.give_back(f.turn().create(fresh).value());
    }
    f.now += 10s;
    // As many entries as there are sessions due, and nothing is left to look at.
    CHECK_FALSE(f.turn().expire(count / 100));
    CHECK(f.metrics().live == count - count / 100);
    int wrong = 0;
    for (int i = 0; i < count; ++i) {
        const auto info = f.turn().peek(ids[static_cast<std::size_t>(i)]);
        const bool is_right =
            i % 100 == 0 ? info.has_error() : info.has_value() && info->expires_in == 90s;
        wrong += is_right ? 0 : 1;
    }
    CHECK(wrong == 0);
}

TEST_CASE("session_table expiry: an empty table has no deadline", "[unit][core]")
{
    TableFixture f;
    CHECK(f.turn().next_deadline() == TimePoint::max());
    CHECK_FALSE(f.turn().expire(10));
    f.add("a", "ada");
    CHECK(f.table.next_deadline() == f.now + 100s);
    f.now += 100s;
    f.expire();
    // Its slot is looked at once more, when its lifetime would have ended.
    CHECK(f.table.next_deadline() == f.now + 900s);
    f.now += 900s;
    f.expire();
    CHECK(f.table.next_deadline() == TimePoint::max());
}

TEST_CASE(
    "session_table expiry: a leased session is looked at again and again, and lives", "[unit][core]"
)
{
    TableFixture f;
    f.add("a", "ada");
    auto* const session = f.acquire("a").value();
    for (int i = 0; i < 9; ++i) {
        f.now += 100s;
        CHECK(f.table.next_deadline() <= f.now);
        f.expire();
        CHECK(f.table.next_deadline() > f.now);
        CHECK(f.table.check_invariants().value_or("") == "");
    }
    CHECK(f.has("a"));
    f.give_back(session);
    f.now += 99s;
    f.expire();
    CHECK(f.has("a"));
}

TEST_CASE(
    "session_table expiry: a session that may lie idle for longer does not hide the others",
    "[unit][core]"
)
{
    // Patient ones are in front, and stay; behind them is one that is due.
    TableFixture f(100);
    for (int i = 0; i < 10; ++i) {
        auto patient = f.fresh("patient" + std::to_string(i), "ada");
        patient.idle_timeout = 500s;
        f.give_back(f.turn().create(patient).value());
    }
    f.now += 1s;
    f.add("due", "ada");
    f.now += 100s;
    f.expire();
    CHECK_FALSE(f.has("due"));
    CHECK(f.metrics().live == 10);
    CHECK(f.table.next_deadline() == f.now + 399s);
    SECTION("they come first when room is needed, in their order")
    {
        for (int i = 0; i < 90; ++i) {
            f.add("young" + std::to_string(i), "ada");
        }
        f.add("new", "ada");
        CHECK_FALSE(f.has("patient0"));
        CHECK(f.has("patient1"));
        f.use("patient1");
        f.add("newer", "ada");
        CHECK(f.has("patient1"));
        CHECK_FALSE(f.has("patient2"));
    }
    SECTION("they end when they are due")
    {
        f.now += 399s;
        f.expire();
        CHECK(f.metrics().live == 0);
        CHECK(f.removed_by(RemovalCause::expired_idle) == 11);
    }
}

TEST_CASE(
    "session_table expiry: cleanup is told of a time by which a leased session may be due",
    "[unit][core]"
)
{
    // So that a release needs to wake nobody.
    TableFixture f;
    auto* const anonymous = f.create("a").value();
    CHECK(f.turn().next_deadline() == f.now + 10s);
    f.give_back(anonymous);
    CHECK(f.turn().next_deadline() == f.now + 10s);
    f.use("a");
    CHECK(f.turn().next_deadline() == f.now + 100s);
    auto* const session = f.acquire("a").value();
    f.now += 50s;
    CHECK(f.turn().next_deadline() == f.now + 100s);
    f.give_back(session);
    CHECK(f.turn().next_deadline() == f.now + 100s);
}

TEST_CASE(
    "session_table expiry: what is noted late does not count as earlier than what was noted before",
    "[unit][core]"
)
{
    // Two requests end; the thread of the first is kept waiting before it gives its lease back.
    TableFixture f(2);
    f.add("first", "ada");
    f.add("second", "ada");
    auto* const first = f.acquire("first").value();
    auto* const second = f.acquire("second").value();
    const auto ended = f.now + 1s;
    f.now += 2s;
    f.give_back(second);
    f.turn();
    static_cast<void>(f.releases.give_back(*first, ended));
    CHECK(f.peek("first").value().expires_in == 100s);
    CHECK(f.peek("second").value().expires_in == 100s);
    f.add("third", "ada");
    CHECK_FALSE(f.has("second"));
    CHECK(f.has("first"));
}

TEST_CASE("session_table expiry: a stale entry ends nobody when it comes up", "[unit][core]")
{
    // Three sessions after each other in one slot; the second one's end came before the first's.
    TableFixture f(1, table_options(), 1, OnDeparture::forget);
    f.add("first", "ada");
    CHECK_FALSE(f.remove("first").code().failed());
    auto fresh = f.fresh("second", "ada");
    fresh.absolute_lifetime = 50s;
    f.give_back(f.turn().create(fresh).value());
    f.now += 50s;
    f.expire();
    CHECK_FALSE(f.has("second"));
    fresh = f.fresh("third", "ada");
    fresh.absolute_lifetime = 2000s;
    auto* const third = f.turn().create(fresh).value();
    f.now += 950s;
    f.expire();
    CHECK(f.has("third"));
    f.now += 1050s;
    f.expire();
    CHECK_FALSE(f.has("third"));
    f.give_back(third);
    f.turn();
    CHECK(f.removed_by(RemovalCause::expired_lifetime) == 2);
}

TEST_CASE("session_table expiry: stale entries of one slot are thrown away", "[unit][core]")
{
    TableFixture f(2, table_options(), 1, OnDeparture::forget);
    f.add("other", "ada");
    for (int i = 0; i < 200; ++i) {
        // Each ends earlier than the one before would have, so its slot is armed anew.
        const auto name = "s" + std::to_string(i);
        auto fresh = f.fresh(name, "ada");
        fresh.absolute_lifetime = 900s - i * 1s;
        f.give_back(f.turn().create(fresh).value());
        CHECK_FALSE(f.remove(name).code().failed());
        if (const auto fault = f.table.check_invariants()) {
            FAIL("after " << i << ": " << *fault);
        }
    }
    auto fresh = f.fresh("last", "ada");
    fresh.absolute_lifetime = 50s;
    f.give_back(f.turn().create(fresh).value());
    f.now += 50s;
    f.expire();
    CHECK_FALSE(f.has("last"));
    CHECK(f.has("other"));
}

TEST_CASE(
    "session_table expiry: no deadline comes nearer than the shortest timeout, unless scheduled",
    "[unit][core]"
)
{
    TableFixture f;
    const auto later = f.now + 100s + 1ns;
    f.turn();
    CHECK(f.table.may_be_due_before(later));
    CHECK_FALSE(f.table.may_be_due_before(f.now + 100s));
    // One that is half-open may be due sooner.
    f.add("a");
    CHECK(f.table.may_be_due_before(f.now + 10s + 1ns));
    CHECK_FALSE(f.table.may_be_due_before(f.now + 10s));
    // One that ends of its own accord, at that moment.
    auto fresh = f.fresh("b", "ada");
    fresh.absolute_lifetime = 5s;
    f.give_back(f.turn().create(fresh).value());
    CHECK(f.table.may_be_due_before(f.now + 5s + 1ns));
    CHECK_FALSE(f.table.may_be_due_before(f.now + 5s));
}

TEST_CASE("session_table expiry: stale entries stay few when the live ones expire", "[unit][core]")
{
    // Removed sessions leave entries for much later; then the live ones expire one by one.
    TableFixture f(1000);
    for (int i = 0; i < 300; ++i) {
        f.add("short" + std::to_string(i), "ada");
        auto fresh = f.fresh("long" + std::to_string(i), "ada");
        fresh.idle_timeout = 900s;
        f.give_back(f.turn().create(fresh).value());
        f.now += 1ms;
    }
    for (int i = 0; i < 300; ++i) {
        CHECK_FALSE(f.remove("long" + std::to_string(i)).code().failed());
    }
    f.now += 100s - 300ms;
    for (int i = 0; i < 301; ++i) {
        f.turn().expire(1);
        if (const auto fault = f.table.check_invariants()) {
            FAIL("after " << i << ": " << *fault);
        }
        f.now += 1ms;
    }
    CHECK(f.metrics().live == 0);
}

TEST_CASE("session_table expiry: nothing is due at the end of time", "[unit][core]")
{
    TableFixture f;
    f.now = TimePoint::max();
    CHECK_FALSE(f.turn().expire(100));
    f.add("a", "ada");
    CHECK_FALSE(f.turn().expire(100));
}

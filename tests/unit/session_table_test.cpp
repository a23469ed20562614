#include "sojourn/core/session_table.hpp"
#include "table_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

using namespace sojourn;
using namespace sojourn::unit;

namespace {

Attributes data(std::string value)
{
    return {{"k", std::move(value)}};
}

/// All sessions, page by page.
std::vector<SessionInfo>
list_all(TableFixture& f, const SessionFilter& filter = SessionFilter(), std::size_t limit = 7)
{
    std::vector<SessionInfo> all;
    std::optional<std::uint32_t> slot = 0;
    while (slot) {
        auto page = f.turn().list(filter, *slot, limit);
        CHECK(page.sessions.size() <= limit);
        all.insert(all.end(), page.sessions.begin(), page.sessions.end());
        slot = page.next_slot;
    }
    return all;
}

std::set<std::uint64_t> references(const std::vector<SessionInfo>& sessions)
{
    std::set<std::uint64_t> values;
    for (const auto& session : sessions) {
        CHECK(values.insert(session.reference.value()).second);
    }
    return values;
}

std::uint64_t reference(std::string_view name)
{
    return keyed_hash({}, name);
}

/// Two names whose hashes have the same lower half, which is all that the index keeps.
std::pair<std::string, std::string> colliding_names()
{
    std::unordered_map<std::uint32_t, std::string> seen;
    for (int i = 0;; ++i) {
        const auto name = "s" + std::to_string(i);
        const auto [place, is_new] =
            seen.try_emplace(static_cast<std::uint32_t>(name_id(name).hash), name);
        if (!is_new) {
            return {place->second, name};
        }
    }
}

} // namespace

// Creation

TEST_CASE("session_table: a new session is leased and found", "[unit][core]")
{
    TableFixture f;
    auto fresh = f.fresh("a", "ada");
    fresh.attributes = data("v");
    auto* const session = f.turn().create(fresh).value();
    CHECK(f.metrics().created == 1);
    CHECK(f.metrics().live == 1);
    CHECK(f.metrics().leased == 1);

    const auto info = f.peek("a").value();
    CHECK(info.reference == fresh.reference);
    CHECK(info.principal_text() == "ada");
    CHECK(info.created == fresh.created);
    CHECK(info.idle_timeout == 100s);
    CHECK(info.expires_in == 100s);
    CHECK(info.requests == 0);
    CHECK(info.leases == 1);
    CHECK(info.attributes.data == fresh.attributes);
    CHECK(info.attributes.version == 1);

    f.give_back(session);
    CHECK(f.peek("a").value().leases == 0);
    CHECK(f.metrics().leased == 0);
}

TEST_CASE("session_table: an id in use is refused, and nothing is created", "[unit][core]")
{
    TableFixture f;
    f.add("a");
    CHECK(f.create("a").error() == errc::id_in_use);
    CHECK(f.metrics().created == 1);
    CHECK(f.metrics().refused_overloaded == 0);
    CHECK(f.peek("a").value().leases == 0);
}

TEST_CASE(
    "session_table: an id is free again once its session was removed, is closing, or expired",
    "[unit][core]"
)
{
    TableFixture f;
    f.add("a");
    CHECK_FALSE(f.remove("a").code().failed());
    auto* const leased = f.create("a").value();
    CHECK_FALSE(f.remove("a").code().failed());
    // The old one is closing and lives until its lease is given back; the new one is another.
    f.add("a", "ada");
    CHECK(f.peek("a").value().principal_text() == "ada");
    f.give_back(leased);
    CHECK(f.peek("a").value().principal_text() == "ada");
    f.now += 100s;
    f.add("a");
    CHECK(f.peek("a").value().principal_text().empty());
    CHECK(
        f.departures() ==
        std::vector{RemovalCause::deleted, RemovalCause::deleted, RemovalCause::expired_idle}
    );
}

TEST_CASE(
    "session_table: a table that is closed takes neither sessions nor requests", "[unit][core]"
)
{
    TableFixture f;
    f.add("a");
    f.turn().close();
    CHECK(f.create("b").error() == errc::stopping);
    CHECK(f.acquire("a").error() == errc::stopping);
    CHECK(f.acquire("none").error() == errc::stopping);
    CHECK(f.metrics().refused_stopping == 2);
    CHECK(f.metrics().creations_refused_stopping == 1);
    CHECK(f.metrics().acquires == 2);
    CHECK(f.metrics().created == 1);
    // What is there can still be looked at and ended.
    CHECK(f.has("a"));
    CHECK_FALSE(f.remove("a").code().failed());
}

TEST_CASE("session_table: long ids work like issued ones", "[unit][core]")
{
    TableFixture f;
    const std::string name(128, 'x');
    const std::string other = std::string(127, 'x') + 'y';
    f.add(name);
    CHECK(f.has(name));
    CHECK_FALSE(f.has(other));
    CHECK_FALSE(f.rotate(name, other).code().failed());
    CHECK(f.has(other));
    CHECK_FALSE(f.has(name));
    CHECK_FALSE(f.remove(other).code().failed());
}

TEST_CASE("session_table: ids with the same hash are told apart", "[unit][core]")
{
    TableFixture f;
    const auto [first, second] = colliding_names();
    CAPTURE(first, second);
    f.add(first);
    CHECK_FALSE(f.has(second));
    f.add(second);
    CHECK(f.peek(first).value().reference == SessionReference(reference(first)));
    CHECK(f.peek(second).value().reference == SessionReference(reference(second)));
    CHECK_FALSE(f.remove(first).code().failed());
    CHECK_FALSE(f.has(first));
    CHECK(f.has(second));
}

// Acquire

TEST_CASE("session_table: only an exact time refuses a request for its rate", "[unit][core]")
{
    // A table whose time lags, as it was told.
    TableFixture f(8, table_options().request_rate(RateLimit(100, 1)));
    f.add("a", "ada");
    const auto id = name_id("a");
    auto exact = f.now;
    int asked = 0;
    const auto exact_now = [&] {
        ++asked;
        return exact;
    };
    f.give_back(f.turn().acquire(id, exact_now).value());
    CHECK(asked == 0);
    // By the time that it was told, it comes too early; by the exact one, in time.
    exact += 10ms;
    f.give_back(f.turn().acquire(id, exact_now).value());
    CHECK(asked == 1);
    CHECK(f.table.now() == exact);
    exact += 10ms - 1ns;
    const auto refused = f.turn().acquire(id, exact_now);
    CHECK(refused.error() == errc::rate_limited);
    CHECK(refused.error().retry_after() == 1ns);
    CHECK(asked == 2);
    CHECK(f.metrics().acquires == 3);
    CHECK(f.metrics().acquired == 2);
    CHECK(f.metrics().rate_limited == 1);
}

TEST_CASE("session_table: acquire counts the request and every outcome", "[unit][core]")
{
    TableFixture f;
    f.add("a");
    auto* const first = f.acquire("a").value();
    auto* const second = f.acquire("a").value();
    CHECK(first == second);
    CHECK(f.table.info(*first).requests == 2);
    CHECK(f.table.info(*first).leases == 2);
    CHECK(f.metrics().leased == 1);
    CHECK(f.acquire("b").error() == errc::not_found);
    CHECK(f.metrics().acquires == 3);
    CHECK(f.metrics().acquired == 2);
    CHECK(f.metrics().not_found == 1);
    f.give_back(first);
    CHECK(f.peek("a").value().leases == 1);
    f.give_back(second);
    CHECK(f.peek("a").value().leases == 0);
    CHECK(f.peek("a").value().requests == 2);
}

TEST_CASE(
    "session_table: each session has a rate of its own, exact to a nanosecond", "[unit][core]"
)
{
    TableFixture f(8, table_options().request_rate(RateLimit(10, 3)));
    f.add("a");
    f.add("b");
    for (int i = 0; i < 3; ++i) {
        f.use("a");
    }
    CHECK(f.acquire("a").error() == Error(errc::rate_limited, 100ms));
    CHECK(f.acquire("a").error() == Error(errc::rate_limited, 100ms));
    CHECK(f.metrics().rate_limited == 2);
    CHECK(f.peek("a").value().requests == 3);
    CHECK(f.peek("a").value().leases == 0);
    f.use("b");
    f.now += 100ms - 1ns;
    CHECK(f.acquire("a").error() == Error(errc::rate_limited, 1ns));
    f.now += 1ns;
    f.use("a");
    CHECK(f.acquire("a").error() == Error(errc::rate_limited, 100ms));
}

TEST_CASE("session_table: a session may be created with a rate of its own", "[unit][core]")
{
    TableFixture f;
    auto fresh = f.fresh("slow", "ada");
    fresh.request_rate = RateLimit(1, 1);
    f.give_back(f.turn().create(fresh).value());
    f.add("other", "ada");
    f.use("slow");
    CHECK(f.acquire("slow").error() == Error(errc::rate_limited, 1s));
    f.use("other");
    f.use("other");
    // How much a time may lag depends on the rate, so this one is judged by the exact time at once.
    const auto exact_now = [&] { return f.now + 1s; };
    f.give_back(f.turn().acquire(name_id("slow"), exact_now).value());
    CHECK(f.table.now() == f.now + 1s);
}

TEST_CASE("session_table: a session has so many leases at most, and no more", "[unit][core]")
{
    TableFixture f(8, table_options().max_in_flight_per_session(2));
    f.add("a");
    f.add("b");
    auto* const first = f.acquire("a").value();
    auto* const second = f.acquire("a").value();
    const auto refused = f.acquire("a");
    CHECK(refused.error() == errc::overloaded);
    CHECK(refused.error().retry_after() > Duration::zero());
    CHECK(f.metrics().refused_busy == 1);
    CHECK(f.peek("a").value().requests == 2);
    f.use("b");
    f.give_back(first);
    f.use("a");
    f.give_back(second);
    CHECK(f.metrics().ledger_holds());
}

TEST_CASE("session_table: a lease that was given back does not count any more", "[unit][core]")
{
    TableFixture f(8, table_options().max_in_flight_per_session(2));
    auto* const session = f.create("a").value();
    REQUIRE(f.acquire("a").value() == session);
    // One gives his back and is kept waiting between the two steps: he has counted it, and is about
    // to list the session. Another one's is given back, and leaves the listing to him.
    session->releases.fetch_add(1);
    f.give_back(session);
    CHECK(f.peek("a")->leases == 1);
    REQUIRE(f.acquire("a").has_value());
    CHECK(f.acquire("a").error() == errc::overloaded);

    // The first goes on, and lists his own.
    REQUIRE(session->releases.exchange(0) == 1);
    f.give_back(session);
    CHECK(f.peek("a")->leases == 1);
    f.give_back(session);
    CHECK(f.peek("a")->leases == 0);
    CHECK(f.metrics().leased == 0);
}

TEST_CASE("session_table: a refused request keeps nothing alive", "[unit][core]")
{
    TableFixture f(8, table_options().request_rate(RateLimit(1, 1)).idle_timeout(500ms));
    f.add("a");
    f.use("a");
    f.now += 400ms;
    CHECK(f.acquire("a").error() == Error(errc::rate_limited, 600ms));
    CHECK(f.peek("a").value().expires_in == 100ms);
    f.now += 100ms;
    CHECK(f.acquire("a").error() == errc::not_found);
}

TEST_CASE("session_table: the rate survives a rotation", "[unit][core]")
{
    TableFixture f(8, table_options().request_rate(RateLimit(1, 1)));
    f.add("a");
    f.use("a");
    CHECK_FALSE(f.rotate("a", "b").code().failed());
    CHECK(f.acquire("b").error() == Error(errc::rate_limited, 1s));
}

// Peek and touch

TEST_CASE("session_table: peek changes nothing", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    f.now += 60s;
    CHECK(f.peek("a").value().expires_in == 40s);
    CHECK(f.peek("a").value().expires_in == 40s);
    CHECK(f.peek("b").error() == errc::not_found);
    const auto before = f.metrics();
    CHECK(f.peek("a").value().requests == 0);
    CHECK(f.metrics() == before);
    f.now += 40s;
    CHECK(f.peek("a").error() == errc::not_found);
}

TEST_CASE("session_table: touch begins the idle time anew and counts no request", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    f.now += 60s;
    const auto info = f.touch("a").value();
    CHECK(info.expires_in == 100s);
    CHECK(info.requests == 0);
    CHECK(f.touch("b").error() == errc::not_found);
    CHECK(f.metrics().acquires == 0);
    f.now += 100s - 1ns;
    CHECK(f.has("a"));
    f.now += 1ns;
    CHECK(f.touch("a").error() == errc::not_found);
}

// Rotation

TEST_CASE("session_table: a rotated session is the same under a new id", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    f.use("a");
    f.now += 30s;
    const auto before = f.peek("a").value();
    CHECK_FALSE(f.rotate("a", "b").code().failed());
    CHECK(f.metrics().rotated == 1);
    CHECK(f.peek("a").error() == errc::not_found);
    CHECK(f.acquire("a").error() == errc::not_found);
    const auto after = f.peek("b").value();
    CHECK(after.reference == before.reference);
    CHECK(after.created == before.created);
    CHECK(after.requests == before.requests);
    CHECK(after.expires_in == before.expires_in);
    CHECK(after.attributes.data == before.attributes.data);
    CHECK(after.attributes.version == before.attributes.version);
    CHECK(after.principal_text() == "ada");
    CHECK(f.metrics().created == 1);
    CHECK(f.metrics().removed_total() == 0);
    f.now += 70s;
    CHECK_FALSE(f.has("b"));
}

TEST_CASE("session_table: a session may be rotated while it is leased", "[unit][core]")
{
    TableFixture f;
    f.add("a");
    auto* const session = f.acquire("a").value();
    CHECK_FALSE(f.rotate("a", "b").code().failed());
    CHECK(f.peek("b").value().leases == 1);
    CHECK(f.acquire("b").value() == session);
    f.give_back(session);
    f.give_back(session);
    CHECK(f.peek("b").value().leases == 0);
}

TEST_CASE(
    "session_table: a rotation to an id in use, even its own, changes nothing", "[unit][core]"
)
{
    TableFixture f;
    f.add("a", "ada");
    f.add("b");
    CHECK(f.rotate("a", "b", "eve") == errc::id_in_use);
    CHECK(f.rotate("a", "a", "eve") == errc::id_in_use);
    CHECK(f.rotate("none", "c") == errc::not_found);
    CHECK(f.peek("a").value().principal_text() == "ada");
    CHECK(f.metrics().rotated == 0);
    // The id of one that expired in the meantime is free.
    f.now += 50s;
    f.use("a");
    f.now += 60s;
    CHECK_FALSE(f.rotate("a", "b").code().failed());
    CHECK(f.departures() == std::vector{RemovalCause::expired_idle});
}

TEST_CASE("session_table: a rotation may give, change or take the principal", "[unit][core]")
{
    TableFixture f;
    f.add("a");
    f.add("x", "ada");
    CHECK(f.metrics().half_open == 1);
    CHECK_FALSE(f.rotate("a", "b", "ada").code().failed());
    CHECK(f.peek("b").value().principal_text() == "ada");
    // Somebody proved to be there.
    CHECK(f.metrics().half_open == 0);
    CHECK(f.peek("b").value().expires_in == 100s);

    CHECK_FALSE(f.rotate("b", "c", "ada").code().failed());
    CHECK(f.peek("c").value().principal_text() == "ada");
    CHECK_FALSE(f.rotate("c", "d", "eve").code().failed());
    CHECK(f.peek("d").value().principal_text() == "eve");
    CHECK(f.turn().remove_by_principal("ada", 10) == 1);
    CHECK_FALSE(f.rotate("d", "e", "").code().failed());
    CHECK(f.peek("e").value().principal == nullptr);
    CHECK(f.turn().remove_by_principal("eve", 10) == 0);
    CHECK(f.has("e"));
    CHECK_FALSE(f.rotate("e", "f", "").code().failed());
    CHECK_FALSE(f.rotate("f", "g").code().failed());
    CHECK(f.peek("g").value().principal == nullptr);
}

// Removal

TEST_CASE("session_table: a removed session is gone, once", "[unit][core]")
{
    TableFixture f;
    f.add("a");
    CHECK_FALSE(f.remove("a").code().failed());
    CHECK(f.remove("a") == errc::not_found);
    CHECK(f.acquire("a").error() == errc::not_found);
    CHECK(f.metrics().live == 0);
    CHECK(f.removed_by(RemovalCause::deleted) == 1);
    CHECK(f.departures() == std::vector{RemovalCause::deleted});
    CHECK(f.departures().empty());
}

TEST_CASE(
    "session_table: all sessions of a principal are removed, and nobody else's", "[unit][core]"
)
{
    TableFixture f(20);
    for (const auto* name : {"a1", "a2", "a3", "a4", "a5"}) {
        f.add(name, "ada");
    }
    f.add("e1", "eve");
    f.add("anonymous");
    auto* const leased = f.acquire("a3").value();
    CHECK(f.turn().remove_by_principal("ada", 2) == 2);
    CHECK(f.turn().remove_by_principal("ada", 0) == 0);
    CHECK(f.turn().remove_by_principal("ada", 100) == 3);
    CHECK(f.turn().remove_by_principal("ada", 100) == 0);
    CHECK(f.turn().remove_by_principal("nobody", 100) == 0);
    CHECK(f.turn().remove_by_principal("", 100) == 0);
    CHECK(f.turn().remove_by_principal(std::string_view(), 100) == 0);
    CHECK_FALSE(f.has("a3"));
    CHECK(f.metrics().closing == 1);
    CHECK(f.has("e1"));
    CHECK(f.has("anonymous"));
    f.give_back(leased);
    CHECK(f.departures() == std::vector(5, RemovalCause::deleted));
}

TEST_CASE(
    "session_table: what had expired is not said to have been deleted with its principal",
    "[unit][core]"
)
{
    TableFixture f;
    f.add("old", "ada");
    f.now += 50s;
    f.add("new", "ada");
    f.now += 50s;
    CHECK(f.turn().remove_by_principal("ada", 10) == 2);
    CHECK(f.departures() == std::vector{RemovalCause::expired_idle, RemovalCause::deleted});
}

// Attributes

TEST_CASE(
    "session_table: attributes change only from the version that was expected", "[unit][core]"
)
{
    TableFixture f;
    f.add("a");
    const auto first = data("1");
    const auto second = data("2");
    const auto id = name_id("a");
    CHECK(f.turn().commit(id, 0, first).error() == errc::conflict);
    CHECK(f.turn().commit(id, 2, first).error() == errc::conflict);
    CHECK(f.turn().commit(id, 1, first).value() == 2);
    CHECK(f.turn().commit(id, 1, second).error() == errc::conflict);
    CHECK(f.turn().snapshot(id).value().data == first);
    CHECK(f.turn().snapshot(id).value().version == 2);
    CHECK(f.turn().commit(id, 2, second).value() == 3);
    CHECK(f.peek("a").value().attributes.data == second);
    CHECK(f.turn().commit(name_id("b"), 1, first).error() == errc::not_found);
    CHECK(f.turn().snapshot(name_id("b")).error() == errc::not_found);
}

TEST_CASE("session_table: a commit keeps nothing alive", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    f.now += 99s;
    CHECK(f.turn().commit(name_id("a"), 1, data("x")).value() == 2);
    CHECK(f.peek("a").value().expires_in == 1s);
    f.now += 1s;
    CHECK(f.turn().commit(name_id("a"), 2, data("y")).error() == errc::not_found);
    CHECK(f.turn().snapshot(name_id("a")).error() == errc::not_found);
}

TEST_CASE("session_table: a removed session departs with its last attributes", "[unit][core]")
{
    TableFixture f;
    const auto fresh = f.fresh("a", "ada");
    f.give_back(f.turn().create(fresh).value());
    f.use("a");
    const auto last = data("last");
    CHECK(f.turn().commit(name_id("a"), 1, last).has_value());
    CHECK_FALSE(f.remove("a").code().failed());
    const auto removed = f.turn().take_departed(10);
    REQUIRE(removed.size() == 1);
    CHECK(removed[0].reference == fresh.reference);
    CHECK(removed[0].created == fresh.created);
    CHECK(*removed[0].principal == "ada");
    CHECK(removed[0].requests == 1);
    CHECK(removed[0].attributes.data == last);
    CHECK(removed[0].attributes.version == 2);
    f.table.delivered(1);
}

// Listing

TEST_CASE("session_table: a listing shows each open session once", "[unit][core]")
{
    TableFixture f(2000);
    std::set<std::uint64_t> expected;
    for (int i = 0; i < 1000; ++i) {
        const auto name = "s" + std::to_string(i);
        f.add(name, i % 3 == 0 ? "ada" : "");
        expected.insert(reference(name));
    }
    const auto limit = GENERATE(1U, 7U, 1000U, 5000U);
    CHECK(references(list_all(f, SessionFilter(), limit)) == expected);
    CHECK(list_all(f, SessionFilter().principal("ada"), limit).size() == 334);
    CHECK(list_all(f, SessionFilter().principal(""), limit).size() == 666);
    CHECK(list_all(f, SessionFilter().principal("eve"), limit).empty());
}

TEST_CASE("session_table: a listing leaves out what is removed, closing or expired", "[unit][core]")
{
    TableFixture f;
    f.add("expired", "ada");
    f.now += 60s;
    f.add("removed");
    f.add("closing");
    f.add("leased");
    f.add("idle", "ada");
    auto* const closing = f.acquire("closing").value();
    auto* const leased = f.acquire("leased").value();
    CHECK_FALSE(f.remove("removed").code().failed());
    CHECK_FALSE(f.remove("closing").code().failed());
    f.now += 40s;
    CHECK(references(list_all(f)) == std::set{reference("leased"), reference("idle")});
    f.give_back(closing);
    f.give_back(leased);
}

TEST_CASE("session_table: a page looks at no more than 4,096 slots", "[unit][core]")
{
    TableFixture f(10'000);
    for (int i = 0; i < 9000; ++i) {
        f.add("s" + std::to_string(i), i == 8999 ? "ada" : "");
    }
    const auto of_ada = SessionFilter().principal("ada");
    const auto first = f.turn().list(of_ada, 0, 10);
    CHECK(first.sessions.empty());
    CHECK(first.next_slot == 4096U);
    const auto second = f.turn().list(of_ada, 4096, 10);
    CHECK(second.next_slot == 8192U);
    const auto third = f.turn().list(of_ada, 8192, 10);
    CHECK(third.sessions.size() == 1);
    CHECK_FALSE(third.next_slot.has_value());
    CHECK_FALSE(f.turn().list(of_ada, 1'000'000, 10).next_slot.has_value());
    CHECK_FALSE(f.turn().list(of_ada, ~0U, 10).next_slot.has_value());
}

// Time

TEST_CASE("session_table: time never goes backwards, whatever the clock does", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    f.now += 60s;
    CHECK(f.peek("a").value().expires_in == 40s);
    f.now -= 30s;
    CHECK(f.peek("a").value().expires_in == 40s);
    CHECK(f.table.now() == f.now + 30s);
    f.now += 30s;
}

TEST_CASE("session_table: the ends of the clock are moments like others", "[unit][core]")
{
    TableFixture f(8, table_options().request_rate(RateLimit(1, 1)));
    SECTION("the first")
    {
        f.now = TimePoint::min();
        f.add("a", "ada");
        f.use("a");
        CHECK(f.acquire("a").error() == Error(errc::rate_limited, 1s));
        CHECK(f.peek("a").value().expires_in == 100s);
        f.now = TimePoint::max();
        CHECK_FALSE(f.has("a"));
    }
    SECTION("the last")
    {
        f.now = TimePoint::max() - 50s;
        f.add("a", "ada");
        f.use("a");
        CHECK(f.peek("a").value().expires_in == 50s);
        f.now = TimePoint::max() - 1ns;
        CHECK(f.peek("a").value().expires_in == 1ns);
        f.now = TimePoint::max();
        CHECK_FALSE(f.has("a"));
    }
}

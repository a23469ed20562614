// Sessions that a stream holds on to weakly, and those whose end somebody waits for.

#include "sojourn/core/session_table.hpp"
#include "support/allocations.hpp"
#include "table_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <vector>

using namespace sojourn;
using namespace sojourn::unit;
using sojourn::tests::allocations_made;
using sojourn::tests::FailingNew;

namespace {

Place acquire_weak(TableFixture& f, std::string_view name)
{
    return place_of(*f.turn().acquire_weak(name_id(name)).value());
}

void release_weak(TableFixture& f, const Place& place)
{
    f.turn().release_weak(place.slot, place.reference, f.now);
}

bool touch(TableFixture& f, const Place& place)
{
    return f.turn().touch(place.slot, place.reference);
}

bool watch(TableFixture& f, const Place& place)
{
    return f.turn().watch(place.slot, place.reference);
}

std::vector<std::uint32_t> take_unwatched(TableFixture& f)
{
    auto& unwatched = f.turn().unwatched();
    const auto slots = unwatched;
    unwatched.clear();
    return slots;
}

} // namespace

TEST_CASE("session_table weak: a weak lease pins against idleness alone", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    const auto weak = acquire_weak(f, "a");
    CHECK(f.metrics().leased == 0);
    f.now += 999s;
    f.expire();
    CHECK(f.has("a"));
    f.now += 1s;
    f.expire();
    CHECK(f.departures() == std::vector{RemovalCause::expired_lifetime});
    release_weak(f, weak);
}

TEST_CASE("session_table weak: idle time begins when the last one goes", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    const auto first = acquire_weak(f, "a");
    const auto second = acquire_weak(f, "a");
    f.now += 200s;
    f.expire();
    release_weak(f, first);
    f.now += 200s;
    f.expire();
    CHECK(f.has("a"));
    release_weak(f, second);
    CHECK(f.peek("a")->expires_in == 100s);
    CHECK(f.table.next_deadline() <= f.now + 100s);
    f.now += 100s - 1ns;
    f.expire();
    CHECK(f.has("a"));
    f.now += 1ns;
    f.expire();
    CHECK(f.departures() == std::vector{RemovalCause::expired_idle});
}

TEST_CASE("session_table weak: cleanup is not kept busy by those who are pinned", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    const auto weak = acquire_weak(f, "a");
    f.now += 100s;
    CHECK_FALSE(f.turn().expire(1));
    CHECK(f.table.next_deadline() > f.now);
    release_weak(f, weak);
    CHECK(f.table.next_deadline() <= f.now + 100s);
}

TEST_CASE("session_table weak: a request for one counts as every other", "[unit][core]")
{
    TableFixture f(8, table_options().request_rate(RateLimit(1, 2)));
    CHECK(f.turn().acquire_weak(name_id("a")).error() == errc::not_found);
    f.add("a");
    (void)acquire_weak(f, "a");
    CHECK(f.metrics().half_open == 0);
    const auto weak = acquire_weak(f, "a");
    const auto refused = f.turn().acquire_weak(name_id("a"));
    CHECK(refused.error() == errc::rate_limited);
    CHECK(refused.error().retry_after() == 1s);
    CHECK(f.peek("a")->requests == 2);
    f.turn().close();
    CHECK(f.turn().acquire_weak(name_id("a")).error() == errc::stopping);
    CHECK(f.metrics().acquires == 5);
    CHECK(f.metrics().ledger_holds());
    release_weak(f, weak);
}

TEST_CASE("session_table weak: there are 63 of a session", "[unit][core]")
{
    TableFixture f;
    f.add("a");
    std::vector<Place> places;
    for (std::size_t i = 0; i < max_weak_leases; ++i) {
        places.push_back(acquire_weak(f, "a"));
    }
    CHECK(f.turn().acquire_weak(name_id("a")).error() == errc::overloaded);
    CHECK(f.metrics().refused_busy == 1);
    f.now += 200s;
    f.expire();
    // All but one.
    for (std::size_t i = 1; i < places.size(); ++i) {
        release_weak(f, places[i]);
    }
    f.now += 200s;
    f.expire();
    CHECK(f.has("a"));
    release_weak(f, places.front());
    f.now += 100s;
    f.expire();
    CHECK(f.departures() == std::vector{RemovalCause::expired_idle});
}

TEST_CASE("session_table weak: it is evicted in the order of use, after its grace", "[unit][core]")
{
    // Long idle ones go to a list of their own.
    const auto silence = GENERATE(Duration(20s), Duration(150s));
    TableFixture f(2, table_options().eviction_grace(10s).idle_timeout(100s));
    f.add("a", "ada");
    const auto weak = acquire_weak(f, "a");
    f.now += silence;
    f.expire();
    f.add("b", "bob");
    f.now += 10s;
    CHECK(touch(f, weak));
    f.add("c", "cara");
    CHECK(f.has("a"));
    CHECK_FALSE(f.has("b"));
    f.now += 10s - 1ns;
    CHECK(f.create("d", "dan").error() == errc::overloaded);
    f.now += 1ns;
    f.add("d", "dan");
    CHECK_FALSE(f.has("a"));
    CHECK_FALSE(touch(f, weak));
    release_weak(f, weak);
    CHECK(f.departures() == std::vector{RemovalCause::evicted, RemovalCause::evicted});
}

TEST_CASE("session_table weak: what comes back late harms nobody in the slot", "[unit][core]")
{
    TableFixture f(1, table_options(), 1000, OnDeparture::forget);
    f.add("a", "ada");
    const auto stale = acquire_weak(f, "a");
    f.add("b", "bob");
    const auto weak = acquire_weak(f, "b");
    REQUIRE(weak.slot == stale.slot);
    f.now += 50s;
    CHECK_FALSE(touch(f, stale));
    CHECK_FALSE(watch(f, stale));
    release_weak(f, stale);
    f.now += 60s;
    f.expire();
    CHECK(f.has("b"));
    release_weak(f, weak);
}

TEST_CASE("session_table weak: it may come back while its session closes", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    const auto weak = acquire_weak(f, "a");
    auto* const session = f.acquire("a").value();
    CHECK_FALSE(f.remove("a").code().failed());
    CHECK_FALSE(touch(f, weak));
    release_weak(f, weak);
    CHECK(f.metrics().closing == 1);
    f.give_back(session);
    CHECK(f.departures() == std::vector{RemovalCause::deleted});
}

TEST_CASE("session_table weak: a touch needs a session that lives", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    const auto weak = acquire_weak(f, "a");
    f.now += 500s;
    CHECK(touch(f, weak));
    f.now += 500s;
    CHECK_FALSE(touch(f, weak));
    CHECK(f.departures() == std::vector{RemovalCause::expired_lifetime});
}

TEST_CASE("session_table watch: one tells of each way in which a session ends", "[unit][core]")
{
    TableFixture f(2);
    f.add("a", "ada");
    f.add("b", "bob");
    const auto a = acquire_weak(f, "a");
    const auto b = acquire_weak(f, "b");
    CHECK(watch(f, a));
    CHECK(watch(f, a));
    CHECK(watch(f, b));
    CHECK(take_unwatched(f).empty());
    SECTION("removal")
    {
        CHECK_FALSE(f.remove("a").code().failed());
        CHECK(take_unwatched(f) == std::vector{a.slot});
    }
    SECTION("eviction")
    {
        f.add("c", "cara");
        CHECK(take_unwatched(f) == std::vector{a.slot});
    }
    SECTION("the end of a lifetime")
    {
        f.now += 1000s;
        f.expire();
        CHECK(take_unwatched(f).size() == 2);
    }
    SECTION("a drain")
    {
        CHECK(f.turn().end_all(0, 1, RemovalCause::drained).count == 1);
        CHECK(take_unwatched(f) == std::vector{a.slot});
    }
    SECTION("that nobody leases it any more")
    {
        release_weak(f, a);
        CHECK(take_unwatched(f) == std::vector{a.slot});
        CHECK(f.has("a"));
        CHECK_FALSE(watch(f, a));
    }
    // Told once.
    CHECK_FALSE(watch(f, a));
    CHECK(take_unwatched(f).empty());
}

TEST_CASE("session_table watch: it ends with the last lease of either kind", "[unit][core]")
{
    const bool is_weak_last = GENERATE(false, true);
    TableFixture f;
    f.add("a", "ada");
    const auto weak = acquire_weak(f, "a");
    auto* const session = f.acquire("a").value();
    CHECK(watch(f, weak));
    if (is_weak_last) {
        f.give_back(session);
        CHECK(take_unwatched(f).empty());
        release_weak(f, weak);
    } else {
        release_weak(f, weak);
        CHECK(take_unwatched(f).empty());
        f.give_back(session);
    }
    CHECK(take_unwatched(f) == std::vector{weak.slot});
    // And is begun anew.
    auto* const again = f.acquire("a").value();
    CHECK(watch(f, weak));
    f.give_back(again);
    CHECK(take_unwatched(f) == std::vector{weak.slot});
}

TEST_CASE("session_table watch: without memory nothing changes", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    const auto weak = acquire_weak(f, "a");
    bool has_thrown = false;
    try {
        const FailingNew failing(1);
        (void)f.table.watch(weak.slot, weak.reference);
    } catch (const std::bad_alloc&) {
        has_thrown = true;
    }
    CHECK(has_thrown);
    CHECK(watch(f, weak));
    {
        // There is room for the end of what is watched.
        const auto before = allocations_made();
        release_weak(f, weak);
        CHECK(allocations_made() == before);
    }
    CHECK(take_unwatched(f) == std::vector{weak.slot});
}

TEST_CASE("session_table watch: many are watched with few allocations", "[unit][core]")
{
    constexpr std::size_t count = 1'000;
    TableFixture f(count);
    std::vector<Place> places;
    for (std::size_t i = 0; i < count; ++i) {
        auto name = "s" + std::to_string(i);
        f.add(name);
        places.push_back(acquire_weak(f, name));
    }
    const auto before = allocations_made();
    for (const auto& place : places) {
        static_cast<void>(f.table.watch(place.slot, place.reference));
    }
    CHECK(allocations_made() - before < 30);
    CHECK(f.turn().end_all(0, count, RemovalCause::drained).count == count);
    CHECK(take_unwatched(f).size() == count);
}

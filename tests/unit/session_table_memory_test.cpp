// What the table allocates, and what it is like after an allocation that failed.

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
using namespace std::string_view_literals;
using sojourn::tests::allocations_made;
using sojourn::tests::bytes_allocated;
using sojourn::tests::FailingNew;

TEST_CASE("session_table memory: requests and touches allocate nothing", "[unit][core]")
{
    TableFixture f(100);
    std::vector<HashedId> ids;
    for (int i = 0; i < 100; ++i) {
        const auto name = "s" + std::to_string(i);
        ids.push_back(name_id(name));
        f.add(name, "ada");
    }
    const auto before = allocations_made();
    for (int round = 0; round < 1000; ++round) {
        f.now += 1ms;
        for (const auto& id : ids) {
            f.give_back(*f.turn().acquire(id));
            static_cast<void>(f.turn().touch(id));
        }
        f.turn().expire(100);
    }
    CHECK(allocations_made() == before);
    CHECK(f.metrics().acquired == 100'000);
}

TEST_CASE(
    "session_table memory: a storm of touches leaves the table's memory as it was", "[unit][core]"
)
{
    // Long enough for every entry to come up early many times.
    TableFixture f(1000, table_options().idle_timeout(1s).absolute_lifetime(10'000s));
    std::vector<HashedId> ids;
    for (int i = 0; i < 1000; ++i) {
        const auto name = "s" + std::to_string(i);
        ids.push_back(name_id(name));
        f.add(name, "ada");
    }
    const auto bytes = bytes_allocated();
    for (int i = 0; i < 200'000; ++i) {
        f.now += 100us;
        static_cast<void>(f.turn().touch(ids[static_cast<std::size_t>(i) % 1000]));
        f.table.expire(16);
    }
    CHECK(bytes_allocated() == bytes);
    CHECK(f.metrics().live == 1000);
}

TEST_CASE(
    "session_table memory: a million sessions come and go, and nothing grows", "[unit][core][large]"
)
{
    constexpr int count = 1'000'000;
    TableFixture f(100, table_options(), 100);
    std::vector<HashedId> ids;
    for (int i = 0; i < 500; ++i) {
        ids.push_back(name_id("s" + std::to_string(i)));
    }
    auto fresh = f.fresh("x");
    std::size_t bytes = 0;
    int refused = 0;
    for (int i = 0; i < count; ++i) {
        f.now += 1us;
        const auto& id = ids[static_cast<std::size_t>(i) % ids.size()];
        fresh.id = id;
        if (const auto session = f.turn().create(fresh)) {
            f.give_back(*session);
        } else {
            ++refused;
        }
        // Some are removed at once, the others evicted later.
        if (i % 3 == 1) {
            static_cast<void>(f.turn().remove(id));
        }
        f.table.delivered(f.turn().take_departed(10).size());
        if (i == 10'000) {
            bytes = bytes_allocated();
        }
    }
    CHECK(refused == 0);
    CHECK(bytes_allocated() <= bytes + 1024);
    CHECK(f.metrics().created == count);
    CHECK(f.metrics().live == 100);
    // The one that just departed has its slot until the next turn.
    CHECK(f.slots() <= 102);
}

TEST_CASE("session_table memory: a destroyed table leaves nothing behind", "[unit][core]")
{
    const auto before = bytes_allocated();
    {
        TableFixture f(500);
        for (int i = 0; i < 1000; ++i) {
            f.add(
                std::string(100, 'x') + std::to_string(i),
                "a principal with a long name " + std::to_string(i % 50)
            );
        }
    }
    CHECK(bytes_allocated() == before);
}

namespace {

/// Whether the operation succeeds when only so many allocations do.
template <class Operation>
bool succeeds_with(long allocations, Operation operation)
{
    const FailingNew limit(allocations + 1, FailingNew::Repeat::yes);
    try {
        return operation();
    } catch (const std::bad_alloc&) {
        return false;
    }
}

} // namespace

TEST_CASE("session_table memory: a creation that lacks memory has created nothing", "[unit][core]")
{
    // In a slot that is used for the first time, and in one that was used before.
    const int used = GENERATE(0, 2);
    const std::string long_name(100, 'x');
    long allocations = 0;
    for (bool is_done = false; !is_done; ++allocations) {
        CAPTURE(used, allocations);
        TableFixture f(8);
        if (used > 0) {
            f.add("other", "ada");
        }
        for (int i = 0; i < used; ++i) {
            f.add("s" + std::to_string(i));
            CHECK_FALSE(f.remove("s" + std::to_string(i)).code().failed());
        }
        const auto fresh = f.fresh(long_name, "a principal with a long name");
        const auto before = f.turn().metrics();
        is_done = succeeds_with(allocations, [&] { return f.table.create(fresh).has_value(); });
        CHECK(f.table.check_invariants().value_or("") == "");
        if (!is_done) {
            CHECK(f.metrics() == before);
            CHECK_FALSE(f.has(long_name));
            // And it can be made later.
            f.add(long_name, "a principal with a long name");
        }
        CHECK(f.has(long_name));
        CHECK(f.departures() == std::vector(static_cast<std::size_t>(used), RemovalCause::deleted));
    }
    // The principal's entry and its name.
    CHECK(allocations >= 3);
}

TEST_CASE("session_table memory: nobody makes room for a creation that lacks it", "[unit][core]")
{
    const auto principal = GENERATE("ada", "a principal with a long name");
    long allocations = 0;
    for (bool is_done = false; !is_done; ++allocations) {
        CAPTURE(principal, allocations);
        TableFixture f(1);
        f.add("victim", "ada");
        const auto fresh = f.fresh("new", principal);
        f.turn();
        is_done = succeeds_with(allocations, [&] { return f.table.create(fresh).has_value(); });
        CHECK(f.table.check_invariants().value_or("") == "");
        CHECK(f.has("victim") == !is_done);
        CHECK(f.removed_by(RemovalCause::evicted) == (is_done ? 1 : 0));
        CHECK(
            f.turn().remove_by_principal(principal, 10) == (is_done || principal == "ada"sv ? 1 : 0)
        );
    }
}

TEST_CASE("session_table memory: a free slot keeps nothing of its session", "[unit][core]")
{
    TableFixture f(8, table_options(), 8, OnDeparture::forget);
    const auto name = std::string(100, 'x');
    auto fresh = f.fresh(name, "ada");
    fresh.attributes.set("k", std::string(1000, 'v'));
    f.give_back(f.turn().create(fresh).value());
    fresh = NewSession();
    const auto bytes = bytes_allocated();
    CHECK_FALSE(f.remove(name).code().failed());
    // The long id and the principal.
    const auto bytes_left = bytes_allocated();
    CHECK(bytes_left + name.size() < bytes);
    // And the attributes, for whoever frees them after the turn.
    CHECK_FALSE(f.table.take_discarded().empty());
    CHECK(bytes_allocated() + 1000 < bytes_left);
}

TEST_CASE("session_table memory: attributes are freed where they are taken out", "[unit][core]")
{
    TableFixture f(8, table_options(), 8, OnDeparture::forget);
    f.add("a");
    f.add("b");
    const auto commit = [&](std::string_view name, std::uint64_t version, std::size_t bytes) {
        const auto id = name_id(name);
        CHECK(f.turn().commit(id, version, {{"k", std::string(bytes, 'v')}}).has_value());
    };
    const auto before = bytes_allocated();
    commit("a", 1, 1000);
    commit("b", 1, 1000);
    CHECK(f.table.take_discarded().empty());
    commit("a", 2, 1000);
    CHECK_FALSE(f.remove("b").code().failed());
    CHECK(bytes_allocated() > before + 3000);
    CHECK_FALSE(f.table.take_discarded().empty());
    CHECK(bytes_allocated() < before + 2000);
    CHECK(f.table.take_discarded().empty());
    // What is refused was never the table's.
    CHECK(f.turn().commit(name_id("a"), 7, {{"k", "v"}}).error() == errc::conflict);
    // And what somebody still reads is not memory to be freed.
    const auto snapshot = f.turn().snapshot(name_id("a")).value();
    CHECK_FALSE(f.remove("a").code().failed());
    CHECK(f.table.take_discarded().empty());
    CHECK(snapshot.data.get("k")->size() == 1000);
}

TEST_CASE("session_table memory: a rotation that lacks memory has changed nothing", "[unit][core]")
{
    const std::string long_name(100, 'x');
    long allocations = 0;
    for (bool is_done = false; !is_done; ++allocations) {
        CAPTURE(allocations);
        TableFixture f(8);
        f.add("a", "ada");
        const auto from = name_id("a");
        const auto to = name_id(long_name);
        const std::optional<std::string> principal = "a principal with a long name";
        f.turn();
        is_done = succeeds_with(allocations, [&] {
            return f.table.rotate(from, to, principal).has_value();
        });
        CHECK(f.table.check_invariants().value_or("") == "");
        CHECK(f.has("a") == !is_done);
        CHECK(f.has(long_name) == is_done);
        CHECK(f.turn().remove_by_principal(is_done ? *principal : "ada", 10) == 1);
    }
    CHECK(allocations >= 3);
}

TEST_CASE("session_table memory: departures that lack memory are taken later", "[unit][core]")
{
    TableFixture f;
    f.add("a", "ada");
    CHECK_FALSE(f.remove("a").code().failed());
    f.turn();
    CHECK_FALSE(succeeds_with(0, [&] { return !f.table.take_departed(10).empty(); }));
    CHECK(f.departures() == std::vector{RemovalCause::deleted});
}

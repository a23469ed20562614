// Tables that share a capacity, as the shards of a service do.

#include "sojourn/core/capacity.hpp"
#include "sojourn/core/session_table.hpp"
#include "table_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <utility>
#include <vector>

using namespace sojourn;
using namespace sojourn::unit;

namespace {

constexpr Demand established_session;

std::shared_ptr<Capacity> make_capacity(const ServiceOptions& options, std::size_t sessions)
{
    return std::make_shared<Capacity>(bounds_of(options, sessions, 10, OnArrival::forget));
}

/// Two tables that have memory for all that they share.
struct Pair {
    explicit Pair(std::size_t sessions, const ServiceOptions& options = table_options())
        : capacity(make_capacity(options, sessions)),
          left(options, capacity, {sessions, sessions + 10}),
          right(options, capacity, {sessions, sessions + 10})
    {
    }

    std::shared_ptr<Capacity> capacity;
    TableFixture left;
    TableFixture right;
};

Result<Session*> create_at(TableFixture& f, Capacity::Place place, std::string_view name)
{
    return f.turn().create(f.fresh(name, "ada"), std::move(place));
}

} // namespace

TEST_CASE("session_table shared: what one leaves another may take", "[unit][core]")
{
    Pair pair(2);
    pair.left.add("a", "ada");
    pair.left.add("b", "ada");
    CHECK(pair.capacity->is_full());
    // It has nobody who could make room.
    CHECK(pair.right.create("c", "ada").error() == errc::overloaded);
    CHECK(pair.right.turn().oldest_use() == TimePoint::max());
    CHECK(pair.left.turn().oldest_use() == pair.left.now);

    Capacity::Place place(*pair.capacity);
    CHECK_FALSE(pair.right.turn().make_session_room(place));
    CHECK(pair.left.turn().make_session_room(place));
    CHECK_FALSE(pair.left.has("a"));
    pair.right.give_back(create_at(pair.right, std::move(place), "c").value());
    CHECK(pair.right.has("c"));
    CHECK(pair.capacity->is_full());
    CHECK(pair.left.departures() == std::vector{RemovalCause::evicted});
}

TEST_CASE("session_table shared: a place goes back where its session is refused", "[unit][core]")
{
    Pair pair(2);
    pair.left.add("a", "ada");
    CHECK(
        create_at(pair.left, pair.capacity->take(established_session).value(), "a").error() ==
        errc::id_in_use
    );
    CHECK_FALSE(pair.capacity->is_full());
    pair.left.table.close();
    CHECK(
        create_at(pair.left, pair.capacity->take(established_session).value(), "b").error() ==
        errc::stopping
    );
    CHECK_FALSE(pair.capacity->is_full());
    CHECK(pair.left.metrics().creations_refused_stopping == 1);
}

TEST_CASE(
    "session_table shared: a table that is full itself evicts its own, or refuses", "[unit][core]"
)
{
    const auto options = table_options();
    const auto capacity = make_capacity(options, 3);
    TableFixture f(options, capacity, {1, 11});
    f.add("a", "ada");
    auto* const b = create_at(f, capacity->take(established_session).value(), "b").value();
    CHECK_FALSE(f.has("a"));
    CHECK(f.departures() == std::vector{RemovalCause::evicted});
    CHECK(
        create_at(f, capacity->take(established_session).value(), "c").error() == errc::overloaded
    );
    CHECK(f.metrics().refused_overloaded == 1);
    f.give_back(b);
    // Neither the victim nor who was refused kept anything.
    const auto second = capacity->take(established_session);
    const auto third = capacity->take(established_session);
    CHECK(second.has_value());
    CHECK(third.has_value());
    CHECK(capacity->is_full());
}

TEST_CASE("session_table shared: a table without a slot refuses", "[unit][core]")
{
    const auto options = table_options();
    const auto capacity = make_capacity(options, 10);
    TableFixture f(options, capacity, {2, 2});
    f.add("a", "ada");
    CHECK_FALSE(f.remove("a").code().failed());
    f.add("b", "ada");
    // One slot is that of a removal that was not told.
    CHECK(
        create_at(f, capacity->take(established_session).value(), "c").error() == errc::overloaded
    );
    CHECK(f.departures() == std::vector{RemovalCause::deleted});
    f.give_back(create_at(f, capacity->take(established_session).value(), "c").value());
    CHECK(f.has("b"));
}

TEST_CASE("session_table shared: each tells how its principals use it", "[unit][core]")
{
    Pair pair(8);
    auto& f = pair.left;
    CHECK(f.turn().use_by("ada").sessions == 0);
    CHECK(f.turn().use_by("ada").oldest_use == TimePoint::max());
    auto* const leased = f.create("a", "ada").value();
    CHECK(f.turn().use_by("ada").sessions == 1);
    CHECK(f.turn().use_by("ada").oldest_use == TimePoint::max());
    Capacity::Place place(*pair.capacity);
    CHECK_FALSE(f.turn().make_principal_room("ada", place));
    f.now += 1s;
    f.add("b", "ada");
    f.now += 1s;
    f.add("c", "ada");
    f.add("d", "bob");
    const auto use = f.turn().use_by("ada");
    CHECK(use.sessions == 3);
    CHECK(use.oldest_use == f.now - 1s);
    CHECK(pair.right.turn().use_by("ada").sessions == 0);

    CHECK_FALSE(f.turn().make_principal_room("eve", place));
    CHECK(f.turn().make_principal_room("ada", place));
    CHECK_FALSE(f.has("b"));
    CHECK(f.turn().use_by("ada").oldest_use == f.now);
    // Those that are due are ended first; so the principal goes with the last of them.
    f.now += 100s;
    CHECK(f.turn().use_by("bob").sessions == 0);
    CHECK(f.departures().size() == 2);
    f.give_back(leased);
}

TEST_CASE(
    "session_table shared: the oldest may be one that may lie idle for longer", "[unit][core]"
)
{
    Pair pair(4);
    auto& f = pair.left;
    auto fresh = f.fresh("elder", "ada");
    fresh.idle_timeout = 500s;
    f.give_back(f.turn().create(fresh).value());
    const auto used = f.now;
    f.now += 100s;
    f.expire();
    f.add("young", "ada");
    CHECK(f.turn().oldest_use() == used);
    Capacity::Place place(*pair.capacity);
    CHECK(f.turn().evict_oldest(place));
    CHECK_FALSE(f.has("elder"));
    CHECK(f.turn().oldest_use() == f.now);
}

TEST_CASE("session_table shared: a half-open session makes room in its own table", "[unit][core]")
{
    Pair pair(4, table_options().max_half_open(1));
    pair.left.add("a");
    Capacity::Place place(*pair.capacity);
    CHECK_FALSE(pair.right.turn().make_half_open_room(place));
    CHECK_FALSE(pair.right.turn().evict_half_open(place));
    CHECK(pair.left.turn().make_half_open_room(place));
    CHECK_FALSE(pair.left.has("a"));
    CHECK(place.take_half_open());
    CHECK(pair.left.departures() == std::vector{RemovalCause::evicted});
}

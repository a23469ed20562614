#include "sojourn/core/release_list.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using sojourn::ReleaseList;
using sojourn::Session;
using sojourn::TimePoint;

namespace {

using Settled = std::tuple<const Session*, std::uint32_t, TimePoint>;

std::vector<Settled> settle(ReleaseList& releases)
{
    std::vector<Settled> settled;
    releases.settle([&](const Session& session, std::uint32_t count, TimePoint released_at) {
        settled.emplace_back(&session, count, released_at);
    });
    return settled;
}

} // namespace

TEST_CASE("release_list: an empty list settles nobody", "[unit][core]")
{
    ReleaseList releases;
    CHECK(settle(releases).empty());
    CHECK_FALSE(releases.is_awaited());
}

TEST_CASE(
    "release_list: sessions are settled once, in the order in which they were listed",
    "[unit][core]"
)
{
    ReleaseList releases;
    std::array<Session, 3> sessions;
    CHECK_FALSE(releases.give_back(sessions[1], TimePoint(10ns)));
    CHECK_FALSE(releases.give_back(sessions[0], TimePoint(20ns)));
    CHECK_FALSE(releases.give_back(sessions[2], TimePoint(30ns)));
    CHECK(
        settle(releases) ==
        std::vector<Settled>{
            {&sessions[1], 1, TimePoint(10ns)},
            {&sessions[0], 1, TimePoint(20ns)},
            {&sessions[2], 1, TimePoint(30ns)},
        }
    );
    CHECK(settle(releases).empty());
}

TEST_CASE(
    "release_list: several leases of a session are settled together, with the last one's time",
    "[unit][core]"
)
{
    ReleaseList releases;
    std::array<Session, 2> sessions;
    CHECK_FALSE(releases.give_back(sessions[0], TimePoint(10ns)));
    CHECK_FALSE(releases.give_back(sessions[1], TimePoint(20ns)));
    CHECK_FALSE(releases.give_back(sessions[0], TimePoint(30ns)));
    CHECK_FALSE(releases.give_back(sessions[0], TimePoint(40ns)));
    CHECK(
        settle(releases) ==
        std::vector<Settled>{{&sessions[0], 3, TimePoint(40ns)}, {&sessions[1], 1, TimePoint(20ns)}}
    );
}

TEST_CASE("release_list: the latest of several moments counts, in any order", "[unit][core]")
{
    ReleaseList releases;
    Session session;
    CHECK_FALSE(releases.give_back(session, TimePoint(20ns)));
    CHECK_FALSE(releases.give_back(session, TimePoint(10ns)));
    CHECK(settle(releases) == std::vector<Settled>{{&session, 2, TimePoint(20ns)}});
}

TEST_CASE("release_list: a settled session may be listed anew", "[unit][core]")
{
    ReleaseList releases;
    Session session;
    for (int round = 1; round <= 3; ++round) {
        CHECK_FALSE(releases.give_back(session, TimePoint(round * 1ns)));
        CHECK(settle(releases) == std::vector<Settled>{{&session, 1, TimePoint(round * 1ns)}});
    }
}

TEST_CASE("release_list: a lease given back while the list is settled is not lost", "[unit][core]")
{
    ReleaseList releases;
    std::array<Session, 3> sessions;
    CHECK_FALSE(releases.give_back(sessions[0], TimePoint(1ns)));
    CHECK_FALSE(releases.give_back(sessions[1], TimePoint(2ns)));
    std::vector<std::uint32_t> counts;
    releases.settle([&](const Session&, std::uint32_t count, TimePoint) {
        counts.push_back(count);
        if (counts.size() == 1) {
            CHECK_FALSE(releases.give_back(sessions[0], TimePoint(3ns))); // settled: listed anew
            CHECK_FALSE(releases.give_back(sessions[1], TimePoint(4ns))
            ); // comes next: counted with it
            CHECK_FALSE(releases.give_back(sessions[2], TimePoint(5ns))); // not listed yet
        }
    });
    CHECK(counts == std::vector<std::uint32_t>{1, 2});
    CHECK(
        settle(releases) ==
        std::vector<Settled>{{&sessions[0], 1, TimePoint(3ns)}, {&sessions[2], 1, TimePoint(5ns)}}
    );
}

TEST_CASE("release_list: who gives back learns whether somebody waits", "[unit][core]")
{
    ReleaseList releases;
    std::array<Session, 2> sessions;
    releases.await_releases(true);
    CHECK(releases.is_awaited());
    CHECK(releases.give_back(sessions[0], TimePoint(1ns)));
    // Also with a lease that does not list the session again.
    CHECK(releases.give_back(sessions[0], TimePoint(2ns)));
    releases.await_releases(false);
    CHECK_FALSE(releases.is_awaited());
    CHECK_FALSE(releases.give_back(sessions[1], TimePoint(3ns)));
    CHECK(settle(releases).size() == 2);
}

static_assert(noexcept(std::declval<ReleaseList&>()
                           .give_back(std::declval<Session&>(), std::declval<TimePoint>())));

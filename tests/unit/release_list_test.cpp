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
using sojourn::SessionSlab;
using sojourn::TimePoint;

namespace {

using Settled = std::tuple<const Session*, std::uint32_t, TimePoint>;

/// A list and some sessions, all of them leased often enough.
struct ReleaseFixture {
    ReleaseFixture()
    {
        for (auto*& session : sessions) {
            session = &slab.take();
        }
    }

    bool give_back(std::size_t number, TimePoint at)
    {
        return releases.give_back(*sessions[number], at);
    }

    std::vector<Settled> settle()
    {
        std::vector<Settled> settled;
        releases.settle(slab, [&](const Session& session, std::uint32_t count) {
            settled.emplace_back(&session, count, session.used_last());
        });
        return settled;
    }

    SessionSlab slab{3};
    std::array<Session*, 3> sessions{};
    ReleaseList releases;
};

} // namespace

TEST_CASE("release_list: an empty list settles nobody", "[unit][core]")
{
    ReleaseFixture f;
    CHECK(f.settle().empty());
    CHECK_FALSE(f.releases.is_awaited());
}

TEST_CASE(
    "release_list: sessions are settled once, in the order in which they were listed",
    "[unit][core]"
)
{
    ReleaseFixture f;
    CHECK_FALSE(f.give_back(1, TimePoint(10ns)));
    CHECK_FALSE(f.give_back(0, TimePoint(20ns)));
    CHECK_FALSE(f.give_back(2, TimePoint(30ns)));
    CHECK(
        f.settle() ==
        std::vector<Settled>{
            {f.sessions[1], 1, TimePoint(10ns)},
            {f.sessions[0], 1, TimePoint(20ns)},
            {f.sessions[2], 1, TimePoint(30ns)},
        }
    );
    CHECK(f.settle().empty());
}

TEST_CASE(
    "release_list: several leases of a session are settled together, with the last one's time",
    "[unit][core]"
)
{
    ReleaseFixture f;
    CHECK_FALSE(f.give_back(0, TimePoint(10ns)));
    CHECK_FALSE(f.give_back(1, TimePoint(20ns)));
    CHECK_FALSE(f.give_back(0, TimePoint(30ns)));
    CHECK_FALSE(f.give_back(0, TimePoint(40ns)));
    CHECK(
        f.settle() ==
        std::vector<Settled>{
            {f.sessions[0], 3, TimePoint(40ns)}, {f.sessions[1], 1, TimePoint(20ns)}
        }
    );
}

TEST_CASE("release_list: the latest of several moments counts, in any order", "[unit][core]")
{
    ReleaseFixture f;
    CHECK_FALSE(f.give_back(0, TimePoint(20ns)));
    CHECK_FALSE(f.give_back(0, TimePoint(10ns)));
    CHECK(f.settle() == std::vector<Settled>{{f.sessions[0], 2, TimePoint(20ns)}});
}

TEST_CASE("release_list: a settled session may be listed anew", "[unit][core]")
{
    ReleaseFixture f;
    for (int round = 1; round <= 3; ++round) {
        CHECK_FALSE(f.give_back(0, TimePoint(round * 1ns)));
        CHECK(f.settle() == std::vector<Settled>{{f.sessions[0], 1, TimePoint(round * 1ns)}});
    }
}

TEST_CASE("release_list: a lease given back while the list is settled is not lost", "[unit][core]")
{
    ReleaseFixture f;
    CHECK_FALSE(f.give_back(0, TimePoint(1ns)));
    CHECK_FALSE(f.give_back(1, TimePoint(2ns)));
    std::vector<std::uint32_t> counts;
    f.releases.settle(f.slab, [&](const Session&, std::uint32_t count) {
        counts.push_back(count);
        if (counts.size() == 1) {
            CHECK_FALSE(f.give_back(0, TimePoint(3ns))); // settled: listed anew
            CHECK_FALSE(f.give_back(1, TimePoint(4ns))); // comes next: counted with it
            CHECK_FALSE(f.give_back(2, TimePoint(5ns))); // not listed yet
        }
    });
    CHECK(counts == std::vector<std::uint32_t>{1, 2});
    CHECK(
        f.settle() ==
        std::vector<Settled>{{f.sessions[0], 1, TimePoint(3ns)}, {f.sessions[2], 1, TimePoint(5ns)}}
    );
}

TEST_CASE("release_list: who gives back learns whether somebody waits", "[unit][core]")
{
    ReleaseFixture f;
    f.releases.await_releases(true);
    CHECK(f.releases.is_awaited());
    CHECK(f.give_back(0, TimePoint(1ns)));
    // Also with a lease that does not list the session again.
    CHECK(f.give_back(0, TimePoint(2ns)));
    f.releases.await_releases(false);
    CHECK_FALSE(f.releases.is_awaited());
    CHECK_FALSE(f.give_back(1, TimePoint(3ns)));
    CHECK(f.settle().size() == 2);
}

static_assert(noexcept(std::declval<ReleaseList&>()
                           .give_back(std::declval<Session&>(), std::declval<TimePoint>())));

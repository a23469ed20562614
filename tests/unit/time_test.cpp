#include "sojourn/core/time.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace std::chrono_literals;
using sojourn::Duration;
using sojourn::saturating_add;
using sojourn::time_between;
using sojourn::TimePoint;

TEST_CASE("time: a deadline beyond the end of the clock is its end", "[unit][core]")
{
    CHECK(saturating_add(TimePoint(5ns), 7ns) == TimePoint(12ns));
    CHECK(saturating_add(TimePoint::max(), 0ns) == TimePoint::max());
    CHECK(saturating_add(TimePoint::max(), 1ns) == TimePoint::max());
    CHECK(saturating_add(TimePoint::max() - 1ns, 1ns) == TimePoint::max());
    CHECK(saturating_add(TimePoint::max() - 1ns, 2ns) == TimePoint::max());
    CHECK(saturating_add(TimePoint::max() - 2ns, 1ns) == TimePoint::max() - 1ns);
    CHECK(saturating_add(TimePoint::max(), sojourn::Duration::max()) == TimePoint::max());
    CHECK(saturating_add(TimePoint::min(), sojourn::Duration::max()) == TimePoint(-1ns));
}

TEST_CASE("time: moments too far apart are as far apart as a length can be", "[unit][core]")
{
    CHECK(time_between(TimePoint(5ns), TimePoint(12ns)) == 7ns);
    CHECK(time_between(TimePoint(12ns), TimePoint(5ns)) == -7ns);
    CHECK(time_between(TimePoint(-5ns), TimePoint(12ns)) == 17ns);
    CHECK(time_between(TimePoint(), TimePoint::max()) == Duration::max());
    CHECK(time_between(TimePoint(-1ns), TimePoint::max()) == Duration::max());
    CHECK(time_between(TimePoint(-1ns), TimePoint::max() - 1ns) == Duration::max());
    CHECK(time_between(TimePoint(-1ns), TimePoint::max() - 2ns) == Duration::max() - 1ns);
    CHECK(time_between(TimePoint::min(), TimePoint::max()) == Duration::max());
    CHECK(time_between(TimePoint(), TimePoint::min()) == Duration::min());
    CHECK(time_between(TimePoint(1ns), TimePoint::min()) == Duration::min());
    CHECK(time_between(TimePoint(1ns), TimePoint::min() + 2ns) == Duration::min() + 1ns);
    CHECK(time_between(TimePoint::max(), TimePoint::min()) == Duration::min());
    CHECK(time_between(TimePoint::min(), TimePoint::min()) == 0ns);
}

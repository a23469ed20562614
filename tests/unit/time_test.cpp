#include "sojourn/core/time.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace std::chrono_literals;
using sojourn::saturating_add;
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

#include "sojourn/core/wait_histogram.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace std::chrono_literals;
using sojourn::Duration;
using sojourn::WaitHistogram;

TEST_CASE("wait_histogram: buckets are bounded by powers of two", "[unit][core]")
{
    WaitHistogram waits;
    for (const Duration wait : {0ns, 1ns, 2ns, 3ns, 4ns, 1024ns}) {
        waits.add(wait);
    }
    CHECK(waits.buckets()[0] == 1);
    CHECK(waits.buckets()[1] == 1);
    CHECK(waits.buckets()[2] == 2);
    CHECK(waits.buckets()[3] == 1);
    CHECK(waits.buckets()[11] == 1);
    CHECK(waits.count() == 6);
    CHECK(waits.sum_ns() == 1034);
    for (std::size_t i = 0; i + 1 < WaitHistogram::bucket_count; ++i) {
        WaitHistogram one;
        one.add(WaitHistogram::upper_bound(i) - 1ns);
        CHECK(one.buckets()[i] == 1);
        WaitHistogram next;
        next.add(WaitHistogram::upper_bound(i));
        CHECK(next.buckets()[i + 1] == 1);
    }
}

TEST_CASE("wait_histogram: what is too long or negative has its bucket too", "[unit][core]")
{
    WaitHistogram waits;
    waits.add(Duration::max());
    waits.add(Duration::max());
    waits.add(Duration::max());
    CHECK(waits.buckets().back() == 3);
    CHECK(WaitHistogram::upper_bound(WaitHistogram::bucket_count - 1) == Duration::max());
    CHECK(waits.sum_ns() == UINT64_MAX);
    CHECK(waits.mean_wait() > std::chrono::hours(24));
    waits.add(Duration::min());
    CHECK(waits.buckets().front() == 1);
}

TEST_CASE("wait_histogram: the mean is of those that had to wait", "[unit][core]")
{
    WaitHistogram waits;
    CHECK(waits.mean_wait() == 0ns);
    waits.add(0ns);
    CHECK(waits.mean_wait() == 0ns);
    waits.add(10ms);
    waits.add(20ms);
    CHECK(waits.mean_wait() == 15ms);
}

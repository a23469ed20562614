#include "sojourn/core/semaphore_metrics.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace std::chrono_literals;
using sojourn::SemaphoreMetrics;

TEST_CASE("semaphore_metrics: the ledger notices what does not add up", "[unit][core]")
{
    CHECK(SemaphoreMetrics().ledger_holds());

    SemaphoreMetrics metrics;
    metrics.entered = 17;
    metrics.waiting = 2;
    metrics.granted = 3;
    metrics.held = 3;
    metrics.refused_overloaded = 4;
    metrics.timed_out = 1;
    metrics.cancelled = 5;
    metrics.refused_stopping = 2;
    for (int i = 0; i < 3; ++i) {
        metrics.waits.add(1ms);
    }
    REQUIRE(metrics.ledger_holds());

    for (auto* counter :
         {&metrics.entered,
          &metrics.granted,
          &metrics.refused_overloaded,
          &metrics.timed_out,
          &metrics.cancelled,
          &metrics.refused_stopping}) {
        ++*counter;
        CHECK_FALSE(metrics.ledger_holds());
        --*counter;
    }
    for (auto* count : {&metrics.held, &metrics.waiting}) {
        ++*count;
        CHECK_FALSE(metrics.ledger_holds());
        --*count;
    }
    REQUIRE(metrics.ledger_holds());
    metrics.waits.add(1ms);
    CHECK_FALSE(metrics.ledger_holds());
}

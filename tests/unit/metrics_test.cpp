#include "sojourn/core/metrics.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdint>

using sojourn::Metrics;
using sojourn::RemovalCause;

namespace {

/// Every counter with a number of its own, so that one that is forgotten or mixed up shows.
Metrics numbered(std::uint64_t step)
{
    Metrics metrics;
    std::uint64_t next = 0;
    for (auto* counter :
         {&metrics.created,
          &metrics.live,
          &metrics.half_open,
          &metrics.closing,
          &metrics.leased,
          &metrics.pending_removals,
          &metrics.pending_creations,
          &metrics.rotated,
          &metrics.acquires,
          &metrics.acquired,
          &metrics.not_found,
          &metrics.rate_limited,
          &metrics.refused_busy,
          &metrics.refused_stopping,
          &metrics.guesses_rate_limited,
          &metrics.requests_shed,
          &metrics.refused_overloaded,
          &metrics.creations_rate_limited,
          &metrics.creations_refused_stopping,
          &metrics.frames_recorded,
          &metrics.frames,
          &metrics.frame_bytes,
          &metrics.frames_dropped,
          &metrics.frames_ended,
          &metrics.calls_inline,
          &metrics.calls_combined,
          &metrics.calls_suspended}) {
        *counter = step * ++next;
    }
    for (auto& counter : metrics.removed) {
        counter = step * ++next;
    }
    return metrics;
}

// A new counter must be numbered above, and so be added in operator+=.
static_assert(sizeof(Metrics) == (27 + sojourn::removal_cause_count) * sizeof(std::uint64_t));

} // namespace

TEST_CASE("metrics: a sum adds every counter", "[unit][core]")
{
    auto sum = numbered(1);
    sum += numbered(1000);
    CHECK(sum == numbered(1001));
    sum += Metrics();
    CHECK(sum == numbered(1001));
    CHECK_FALSE(sum == numbered(1000));
}

TEST_CASE("metrics: removals are counted by cause and in all", "[unit][core]")
{
    Metrics metrics;
    metrics.removed = {1, 20, 300, 4000, 50000};
    CHECK(metrics.removed_by(RemovalCause::expired_idle) == 1);
    CHECK(metrics.removed_by(RemovalCause::expired_lifetime) == 20);
    CHECK(metrics.removed_by(RemovalCause::evicted) == 300);
    CHECK(metrics.removed_by(RemovalCause::deleted) == 4000);
    CHECK(metrics.removed_by(RemovalCause::drained) == 50000);
    CHECK(metrics.removed_total() == 54321);
}

TEST_CASE("metrics: the ledger notices what does not add up", "[unit][core]")
{
    CHECK(Metrics().ledger_holds());

    Metrics metrics;
    metrics.created = 10;
    metrics.live = 6;
    metrics.removed = {1, 1, 1, 1, 0};
    metrics.half_open = 4;
    metrics.closing = 2;
    metrics.acquires = 10;
    metrics.acquired = 3;
    metrics.refused_busy = 1;
    metrics.not_found = 3;
    metrics.rate_limited = 2;
    metrics.refused_stopping = 1;
    metrics.frames_recorded = 6;
    metrics.frames = 3;
    metrics.frames_dropped = 2;
    metrics.frames_ended = 1;
    REQUIRE(metrics.ledger_holds());

    for (auto* counter :
         {&metrics.created,
          &metrics.live,
          &metrics.half_open,
          &metrics.closing,
          &metrics.removed[4],
          &metrics.acquires,
          &metrics.acquired,
          &metrics.not_found,
          &metrics.rate_limited,
          &metrics.refused_busy,
          &metrics.refused_stopping,
          &metrics.frames_recorded,
          &metrics.frames,
          &metrics.frames_dropped,
          &metrics.frames_ended}) {
        ++*counter;
        CHECK_FALSE(metrics.ledger_holds());
        --*counter;
    }
    CHECK(metrics.ledger_holds());
}

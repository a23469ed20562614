#include "sojourn/service/drain_ledger.hpp"

#include <catch2/catch_test_macros.hpp>

using sojourn::DrainCounts;
using sojourn::DrainLedger;
using sojourn::DrainReport;

TEST_CASE("drain_ledger: where all finish, all have finished", "[unit][service]")
{
    DrainLedger ledger;
    ledger.begin({.live = 5, .open = 5, .untold = 2, .told = 10});
    ledger.end({.live = 0, .open = 0, .untold = 0, .told = 17});
    const auto report = ledger.report();
    CHECK(report.finished == 5);
    CHECK(report.cancelled == 0);
    CHECK(report.still_leased == 0);
    CHECK(report.events_delivered == 7);
    CHECK(report.events_undelivered == 0);
    CHECK(report.is_clean());
}

TEST_CASE("drain_ledger: who is left at the limit is cancelled", "[unit][service]")
{
    DrainLedger ledger;
    ledger.begin({.live = 9, .open = 8, .untold = 0, .told = 3});
    ledger.cancel({.live = 4, .open = 4, .untold = 1, .told = 7});
    ledger.end({.live = 1, .open = 0, .untold = 2, .told = 9});
    const auto report = ledger.report();
    CHECK(report.finished == 5);
    CHECK(report.cancelled == 4);
    CHECK(report.still_leased == 1);
    CHECK(report.events_delivered == 6);
    CHECK(report.events_undelivered == 2);
    CHECK_FALSE(report.is_clean());
    // Nobody is counted twice, and nobody is forgotten.
    CHECK(report.finished + report.cancelled == 9);
    CHECK(
        report.events_delivered + report.events_undelivered ==
        report.finished + report.cancelled - report.still_leased
    );
}

TEST_CASE("drain_ledger: each moment is noted once", "[unit][service]")
{
    DrainLedger ledger;
    ledger.begin({.live = 3, .open = 3});
    ledger.begin({.live = 2, .open = 2});
    ledger.cancel({.live = 2, .open = 2});
    ledger.cancel({.live = 1, .open = 0});
    ledger.end({.live = 1, .open = 0});
    const auto report = ledger.report();
    ledger.end({});
    ledger.cancel({});
    CHECK(ledger.report() == report);
    CHECK(report.finished == 1);
    CHECK(report.cancelled == 2);
    CHECK(report.still_leased == 1);
}

TEST_CASE("drain_ledger: a shard that has ended cannot be cancelled any more", "[unit][service]")
{
    DrainLedger ledger;
    ledger.begin({.live = 1, .open = 1});
    ledger.end({});
    ledger.cancel({.live = 1, .open = 1});
    CHECK(ledger.report().finished == 1);
    CHECK(ledger.report().cancelled == 0);
}

TEST_CASE("drain_ledger: reports and counts of shards add up", "[unit][service]")
{
    DrainReport sum{1, 2, 3, 4, 5, 6};
    sum += DrainReport{10, 20, 30, 40, 50, 60};
    CHECK(sum == DrainReport{11, 22, 33, 44, 55, 66});

    DrainCounts counts{1, 2, 3, 4};
    counts += DrainCounts{10, 20, 30, 40};
    CHECK(counts.live == 11);
    CHECK(counts.open == 22);
    CHECK(counts.untold == 33);
    CHECK(counts.told == 44);
}

TEST_CASE("drain_ledger: clean is who cut nobody off", "[unit][service]")
{
    DrainReport report;
    report.finished = 7;
    report.waiters_refused = 3;
    report.events_delivered = 7;
    CHECK(report.is_clean());
    report.events_undelivered = 1;
    CHECK_FALSE(report.is_clean());
    report.events_undelivered = 0;
    report.cancelled = 1;
    CHECK_FALSE(report.is_clean());
}

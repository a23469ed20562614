#include "sojourn/core/expiry_schedule.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using sojourn::ExpiryEntry;
using sojourn::ExpirySchedule;
using sojourn::TimePoint;

namespace {

constexpr auto never = TimePoint::max();

TimePoint at(std::int64_t moment)
{
    return TimePoint(sojourn::Duration(moment));
}

/// A schedule with the slots' notes of when they are armed.
struct ScheduleFixture {
    explicit ScheduleFixture(std::uint32_t slots) : schedule(slots), armed_at(slots, never) {}

    void arm(std::uint32_t slot, std::int64_t moment)
    {
        schedule.arm(slot, armed_at[slot], at(moment), [this](auto visit) {
            for (std::uint32_t other = 0; other < armed_at.size(); ++other) {
                if (armed_at[other] != never) {
                    visit(ExpiryEntry{armed_at[other], other});
                }
            }
        });
    }

    /// The next slot that is due, and disarmed; stale entries are passed over.
    std::optional<std::uint32_t> take(TimePoint now)
    {
        while (const auto entry = schedule.take_due(now)) {
            if (armed_at[entry->slot] == entry->at) {
                schedule.disarm(armed_at[entry->slot]);
                return entry->slot;
            }
        }
        return std::nullopt;
    }

    ExpirySchedule schedule;
    std::vector<TimePoint> armed_at;
};

} // namespace

TEST_CASE("expiry_schedule: an empty schedule is never due", "[unit][core]")
{
    ScheduleFixture f(1);
    CHECK(f.schedule.next() == never);
    CHECK_FALSE(f.schedule.take_due(never - 1ns).has_value());
    CHECK(f.schedule.size() == 0);
    CHECK(f.schedule.armed() == 0);
    CHECK(f.schedule.stale() == 0);
}

TEST_CASE(
    "expiry_schedule: an entry is due at its moment and not a nanosecond before", "[unit][core]"
)
{
    ScheduleFixture f(8);
    f.arm(7, 100);
    CHECK(f.armed_at[7] == at(100));
    CHECK(f.schedule.next() == at(100));
    CHECK_FALSE(f.schedule.take_due(at(99)).has_value());
    CHECK(f.schedule.take_due(at(100)) == ExpiryEntry{at(100), 7});
    f.schedule.disarm(f.armed_at[7]);
    CHECK(f.armed_at[7] == never);
    CHECK(f.schedule.armed() == 0);
    CHECK_FALSE(f.schedule.take_due(at(100)).has_value());
}

TEST_CASE("expiry_schedule: a slot that is armed early enough costs nothing", "[unit][core]")
{
    ScheduleFixture f(1);
    f.arm(0, 100);
    for (int i = 0; i < 1000; ++i) {
        f.arm(0, 100 + i);
    }
    CHECK(f.schedule.size() == 1);
    CHECK(f.take(at(100)) == 0U);
    CHECK_FALSE(f.take(at(5000)).has_value());
}

TEST_CASE("expiry_schedule: a slot that must come up earlier does, and once", "[unit][core]")
{
    ScheduleFixture f(1);
    f.arm(0, 100);
    f.arm(0, 50);
    CHECK(f.schedule.size() == 2);
    CHECK(f.schedule.stale() == 1);
    CHECK(f.take(at(50)) == 0U);
    CHECK_FALSE(f.take(at(1000)).has_value());
    CHECK(f.schedule.size() == 0);
}

TEST_CASE("expiry_schedule: two entries of a slot for one moment count as one", "[unit][core]")
{
    ScheduleFixture f(1);
    f.arm(0, 100);
    f.arm(0, 50);
    CHECK(f.take(at(50)) == 0U);
    f.arm(0, 100); // beside the stale one
    CHECK(f.schedule.size() == 2);
    CHECK(f.schedule.armed() == 1);
    CHECK(f.schedule.stale() == 1);
    CHECK(f.take(at(100)) == 0U);
    CHECK_FALSE(f.take(at(100)).has_value());
    CHECK(f.schedule.armed() == 0);
}

TEST_CASE("expiry_schedule: slots come in the order of their moments", "[unit][core]")
{
    constexpr std::uint32_t count = 1000;
    ScheduleFixture f(count);
    std::mt19937_64 random(3);
    std::vector<TimePoint> moments;
    for (std::uint32_t slot = 0; slot < count; ++slot) {
        f.arm(slot, std::uniform_int_distribution<std::int64_t>(0, 500)(random));
        moments.push_back(f.armed_at[slot]);
    }
    const auto known = moments;
    std::ranges::sort(moments);
    std::vector<TimePoint> taken;
    while (const auto slot = f.take(at(500))) {
        taken.push_back(known[*slot]);
    }
    CHECK(taken == moments);
}

TEST_CASE("expiry_schedule: stale entries are dropped when they are too many", "[unit][core]")
{
    constexpr std::uint32_t count = 1000;
    ScheduleFixture f(count);
    CHECK(f.schedule.stale_limit() == count / 8);
    for (std::uint32_t slot = 0; slot < count; ++slot) {
        f.arm(slot, 2000);
    }
    for (std::uint32_t slot = 0; slot < f.schedule.stale_limit(); ++slot) {
        f.arm(slot, 1000);
    }
    CHECK(f.schedule.stale() == f.schedule.stale_limit());
    f.arm(count - 1, 900);
    CHECK(f.schedule.stale() == 0);
    CHECK(f.schedule.size() == count);
    CHECK(f.schedule.next() == at(900));
    // Nobody was lost.
    std::size_t taken = 0;
    while (f.take(at(2000))) {
        ++taken;
    }
    CHECK(taken == count);
}

TEST_CASE("expiry_schedule: a small schedule tolerates a few stale entries", "[unit][core]")
{
    ScheduleFixture f(1);
    CHECK(f.schedule.stale_limit() == ExpirySchedule::stale_floor);
    for (std::int64_t moment = 1000; moment > 0; --moment) {
        f.arm(0, moment);
        if (f.schedule.stale() > ExpirySchedule::stale_floor) {
            FAIL("at " << moment << ": " << f.schedule.stale());
        }
    }
    CHECK(f.take(at(1)) == 0U);
    CHECK_FALSE(f.take(at(1000)).has_value());
}

TEST_CASE(
    "expiry_schedule: nobody comes up late, in disorder or not at all, at random",
    "[unit][core][large]"
)
{
    // The model is each slot's note: the earliest moment that it was armed for since it last came
    // up.
    const auto seed = GENERATE(1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U);
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto pick = [&](std::uint64_t most) {
        return std::uniform_int_distribution<std::uint64_t>(0, most)(random);
    };
    constexpr std::uint32_t count = 300;
    ScheduleFixture f(count);
    std::vector<TimePoint> model(count, never);
    auto now = at(0);
    for (int step = 0; step < 20'000; ++step) {
        if (pick(9) != 0) {
            const auto slot = static_cast<std::uint32_t>(pick(count - 1));
            const auto moment = now + std::chrono::nanoseconds(pick(2000));
            f.arm(slot, moment.time_since_epoch().count());
            model[slot] = std::min(model[slot], moment);
            continue;
        }
        now += std::chrono::nanoseconds(pick(100));
        while (const auto slot = f.take(now)) {
            const auto earliest = std::ranges::min(model);
            if (model[*slot] > now || model[*slot] != earliest) {
                FAIL("step " << step << ": slot " << *slot << " early, or out of order");
            }
            model[*slot] = never;
        }
        if (std::ranges::min(model) <= now) {
            FAIL("step " << step << ": somebody is late");
        }
        if (f.armed_at != model || f.schedule.stale() > f.schedule.stale_limit()) {
            FAIL("step " << step << ": " << f.schedule.stale() << " stale entries");
        }
    }
}

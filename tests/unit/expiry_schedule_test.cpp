#include "sojourn/core/expiry_schedule.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

using namespace std::chrono_literals;
using sojourn::ExpiryEntry;
using sojourn::ExpirySchedule;
using sojourn::TimePoint;

namespace {

constexpr std::size_t floor_size = ExpirySchedule::stale_floor;

ExpiryEntry entry(std::int64_t at, std::uint32_t slot = 0, std::uint32_t generation = 0)
{
    return {TimePoint(sojourn::Duration(at)), slot, generation};
}

} // namespace

TEST_CASE("expiry_schedule: an empty schedule is never due", "[unit][core]")
{
    ExpirySchedule schedule;
    CHECK(schedule.next_deadline() == TimePoint::max());
    CHECK_FALSE(schedule.take_due(TimePoint::max()).has_value());
    CHECK(schedule.size() == 0);
    CHECK(schedule.live() == 0);
    CHECK(schedule.stale() == 0);
}

TEST_CASE(
    "expiry_schedule: an entry is due at its deadline and not a nanosecond before", "[unit][core]"
)
{
    ExpirySchedule schedule;
    schedule.add(entry(100, 7, 3));
    CHECK(schedule.next_deadline() == TimePoint(100ns));
    CHECK_FALSE(schedule.take_due(TimePoint(99ns)).has_value());
    CHECK(schedule.take_due(TimePoint(100ns)) == entry(100, 7, 3));
    CHECK(schedule.size() == 0);
    CHECK_FALSE(schedule.take_due(TimePoint(100ns)).has_value());
}

TEST_CASE("expiry_schedule: entries come in the order of their deadlines", "[unit][core]")
{
    ExpirySchedule schedule;
    std::mt19937_64 random(3);
    std::vector<std::int64_t> deadlines(1000);
    for (std::uint32_t slot = 0; slot < deadlines.size(); ++slot) {
        deadlines[slot] = std::uniform_int_distribution<std::int64_t>(0, 500)(random);
        schedule.add(entry(deadlines[slot], slot));
    }
    std::ranges::sort(deadlines);
    std::vector<std::int64_t> taken;
    while (const auto due = schedule.take_due(TimePoint(500ns))) {
        taken.push_back(due->deadline.time_since_epoch().count());
    }
    CHECK(taken == deadlines);
}

TEST_CASE(
    "expiry_schedule: stale entries are dropped when they outnumber the live ones", "[unit][core]"
)
{
    ExpirySchedule schedule;
    constexpr std::uint32_t count = 1000;
    for (std::uint32_t slot = 0; slot < count; ++slot) {
        schedule.add(entry(slot, slot));
    }
    // Slots below `gone` are gone.
    std::uint32_t gone = 0;
    const auto is_live = [&](const ExpiryEntry& item) { return item.slot >= gone; };
    while (gone < 500) {
        ++gone;
        schedule.retire(is_live);
    }
    CHECK(schedule.stale() == 500);
    CHECK(schedule.size() == count);
    ++gone;
    schedule.retire(is_live);
    CHECK(schedule.stale() == 0);
    CHECK(schedule.size() == count - 501);
    CHECK(schedule.next_deadline() == TimePoint(501ns));
}

TEST_CASE(
    "expiry_schedule: stale entries are dropped when taken ones leave too few live", "[unit][core]"
)
{
    ExpirySchedule schedule;
    constexpr std::uint32_t count = 200;
    for (std::uint32_t slot = 0; slot < count; ++slot) {
        schedule.add(entry(slot, slot));
    }
    // The later half goes first, unseen; then the earlier half comes up, one by one.
    std::uint32_t expired = 0;
    const auto is_live = [&](const ExpiryEntry& item) {
        return item.slot >= expired && item.slot < count / 2;
    };
    for (std::uint32_t i = 0; i < count / 2; ++i) {
        schedule.retire(is_live);
    }
    CHECK(schedule.stale() == count / 2);
    CHECK(schedule.take_due(TimePoint(0ns)) == entry(0, 0));
    ++expired;
    schedule.trim(is_live);
    CHECK(schedule.stale() == 0);
    CHECK(schedule.size() == count / 2 - 1);
    schedule.trim(is_live);
    CHECK(schedule.size() == count / 2 - 1);
}

TEST_CASE("expiry_schedule: a few stale entries are tolerated in a small schedule", "[unit][core]")
{
    ExpirySchedule schedule;
    const auto nobody = [](const ExpiryEntry&) { return false; };
    for (std::size_t i = 0; i < floor_size; ++i) {
        schedule.add(entry(static_cast<std::int64_t>(i)));
        schedule.retire(nobody);
    }
    CHECK(schedule.stale() == floor_size);
    CHECK(schedule.size() == floor_size);
    schedule.add(entry(1000));
    schedule.retire(nobody);
    CHECK(schedule.stale() == 0);
    CHECK(schedule.size() == 0);
    CHECK(schedule.next_deadline() == TimePoint::max());
}

TEST_CASE("expiry_schedule: a stale entry that was taken is no longer counted", "[unit][core]")
{
    ExpirySchedule schedule;
    schedule.add(entry(1));
    schedule.retire([](const ExpiryEntry&) { return false; });
    CHECK(schedule.stale() == 1);
    CHECK(schedule.take_due(TimePoint(1ns)).has_value());
    schedule.forget_stale();
    CHECK(schedule.stale() == 0);
    CHECK(schedule.size() == 0);
}

TEST_CASE(
    "expiry_schedule: no live entry is lost, and stale ones stay bounded, at random", "[unit][core]"
)
{
    // Sessions come and go in slots that are used again; the model is the set of live entries. Each
    // live entry must come up exactly once, in order, and not early.
    const auto seed = GENERATE(1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U);
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto pick = [&](std::uint64_t most) {
        return std::uniform_int_distribution<std::uint64_t>(0, most)(random);
    };

    struct Slot {
        std::uint32_t generation = 0;
        bool is_live = false;
    };

    std::vector<Slot> slots(300);
    std::set<std::tuple<TimePoint, std::uint32_t>> live;
    std::vector<TimePoint> deadlines(slots.size());
    ExpirySchedule schedule;
    const auto is_live = [&](const ExpiryEntry& item) {
        return slots[item.slot].is_live && slots[item.slot].generation == item.generation;
    };
    TimePoint now{};
    for (int step = 0; step < 20'000; ++step) {
        const auto number = static_cast<std::uint32_t>(pick(slots.size() - 1));
        auto& slot = slots[number];
        if (pick(9) == 0) {
            now += std::chrono::nanoseconds(pick(100));
            while (const auto due = schedule.take_due(now)) {
                if (due->deadline > now) {
                    FAIL("taken early");
                }
                if (!is_live(*due)) {
                    schedule.forget_stale();
                    continue;
                }
                if (live.empty() || *live.begin() > std::tuple(due->deadline, due->slot) ||
                    std::get<0>(*live.begin()) != due->deadline) {
                    FAIL("out of order at step " << step);
                }
                live.erase({due->deadline, due->slot});
                slots[due->slot].is_live = false;
                ++slots[due->slot].generation;
                schedule.trim(is_live);
            }
            if (!live.empty() && std::get<0>(*live.begin()) <= now) {
                FAIL("a due entry was not given at step " << step);
            }
        } else if (slot.is_live) {
            live.erase({deadlines[number], number});
            slot.is_live = false;
            ++slot.generation;
            schedule.retire(is_live);
        } else {
            slot.is_live = true;
            deadlines[number] = now + std::chrono::nanoseconds(pick(2000));
            schedule.add({deadlines[number], number, slot.generation});
            live.emplace(deadlines[number], number);
        }
        if (schedule.live() != live.size() ||
            schedule.stale() > std::max(floor_size, schedule.live())) {
            FAIL(
                "at step " << step << ": " << schedule.live() << " live, " << schedule.stale()
                           << " stale"
            );
        }
    }
    std::size_t stale = 0;
    schedule.for_each([&](const ExpiryEntry& item) { stale += is_live(item) ? 0U : 1U; });
    CHECK(stale == schedule.stale());
}

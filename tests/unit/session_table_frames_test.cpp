// The frames of a table's sessions.

#include "sojourn/core/session_table.hpp"
#include "table_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

using namespace sojourn;
using namespace sojourn::unit;

namespace {

constexpr std::size_t each_frame = 10 + Frame::overhead;

ServiceOptions recording_options()
{
    return table_options().max_frames_per_session(20).max_frame_bytes_per_session(1'000'000);
}

/// Where a new session is, which nobody leases.
Place add(TableFixture& f, std::string_view name)
{
    auto* const session = f.create(name, "ada").value();
    const auto place = place_of(*session);
    f.give_back(session);
    return place;
}

/// The frame's number.
Result<std::uint64_t> record(TableFixture& f, const Place& place, std::size_t bytes = 10)
{
    Recording recording;
    recording.frame = std::make_shared<KeptFrame>(
        Frame(FrameDirection::from_client, std::string(bytes, 'x'), 0, WallTime())
    );
    do {
        if (recording.lacking_room > 0) {
            recording.ring = std::make_unique<FrameRing>(recording.lacking_room);
        }
        const auto done = f.turn().record(place.slot, place.reference, recording);
        if (!done) {
            return done.error();
        }
    } while (recording.lacking_room > 0);
    return recording.sequence;
}

Result<FramePage> read(TableFixture& f, const Place& place)
{
    FramePage page;
    const auto done = f.turn().read_frames(place.slot, place.reference, FrameQuery(), page);
    if (!done) {
        return done.error();
    }
    return page;
}

std::size_t frames(TableFixture& f, const Place& place)
{
    return read(f, place).value().frames.size();
}

} // namespace

TEST_CASE("session_table frames: each session has numbers of its own", "[unit][core]")
{
    TableFixture f(8, recording_options());
    const auto a = add(f, "a");
    const auto b = add(f, "b");
    CHECK(record(f, a).value() == 1);
    CHECK(record(f, a).value() == 2);
    CHECK(record(f, b).value() == 1);
    CHECK(frames(f, a) == 2);
    CHECK(frames(f, b) == 1);
    CHECK(f.metrics().frames == 3);
    CHECK(f.metrics().frames_recorded == 3);
    CHECK(f.metrics().frame_bytes == 3 * each_frame);
}

TEST_CASE("session_table frames: a ring grows with what it keeps, up to the bound", "[unit][core]")
{
    TableFixture f(8, recording_options());
    const auto a = add(f, "a");
    for (std::uint64_t number = 1; number <= 50; ++number) {
        CHECK(record(f, a).value() == number);
        REQUIRE(f.table.check_invariants().value_or("") == "");
    }
    CHECK(frames(f, a) == 20);
    CHECK(f.metrics().frames_dropped == 30);
    CHECK(f.metrics().ledger_holds());
}

TEST_CASE("session_table frames: a rotated session keeps them, and their numbers", "[unit][core]")
{
    TableFixture f(8, recording_options());
    const auto a = add(f, "a");
    (void)record(f, a).value();
    CHECK_FALSE(f.rotate("a", "b").code().failed());
    CHECK(frames(f, a) == 1);
    CHECK(record(f, a).value() == 2);
}

TEST_CASE("session_table frames: what ends gives its bytes back at once", "[unit][core]")
{
    TableFixture f(8, recording_options().max_frame_bytes(2 * each_frame));
    const auto a = add(f, "a");
    const auto b = add(f, "b");
    (void)record(f, a).value();
    (void)record(f, a).value();
    CHECK(record(f, b).value() == 1);
    CHECK(frames(f, b) == 0);
    // Leased, so it has not ended yet; but nobody finds it any more.
    auto* const lease = f.acquire("a").value();
    CHECK_FALSE(f.remove("a").code().failed());
    CHECK(f.metrics().frames == 0);
    CHECK(f.metrics().frame_bytes == 0);
    CHECK(f.metrics().frames_ended == 2);
    CHECK(record(f, b).value() == 2);
    CHECK(frames(f, b) == 1);
    CHECK(read(f, a).error() == errc::not_found);
    CHECK(record(f, a).error() == errc::not_found);
    f.give_back(lease);
    CHECK(f.turn().metrics().ledger_holds());
    CHECK(f.metrics().frames_recorded == 4);
    CHECK(f.metrics().frames_dropped == 1);
}

TEST_CASE("session_table frames: the next session in a slot begins with none", "[unit][core]")
{
    TableFixture f(1, recording_options(), 1000, OnDeparture::forget);
    const auto a = add(f, "a");
    (void)record(f, a).value();
    CHECK_FALSE(f.remove("a").code().failed());
    const auto b = add(f, "b");
    REQUIRE(b.slot == a.slot);
    CHECK(frames(f, b) == 0);
    CHECK(record(f, a).error() == errc::not_found);
    CHECK(record(f, b).value() == 1);
}

TEST_CASE("session_table frames: of one that is due there are none", "[unit][core]")
{
    TableFixture f(8, recording_options());
    const auto a = add(f, "a");
    (void)record(f, a).value();
    f.now += 100s;
    CHECK(read(f, a).error() == errc::not_found);
    CHECK(f.departures() == std::vector{RemovalCause::expired_idle});
    CHECK(f.metrics().frames == 0);
}

TEST_CASE("session_table frames: to record does not touch the session", "[unit][core]")
{
    TableFixture f(8, recording_options());
    const auto a = add(f, "a");
    f.now += 99s;
    (void)record(f, a).value();
    (void)frames(f, a);
    CHECK(f.peek("a").value().expires_in == 1s);
}

TEST_CASE("session_table frames: where none are recorded they take no memory", "[unit][core]")
{
    TableFixture f;
    const auto a = add(f, "a");
    CHECK_FALSE(f.table.is_recording());
    CHECK(frames(f, a) == 0);
}

TEST_CASE("session_table frames: what a session leaves behind is in the bin", "[unit][core]")
{
    TableFixture f(8, recording_options());
    const auto a = add(f, "a");
    (void)record(f, a).value();
    CHECK(f.table.take_discarded().empty());
    CHECK_FALSE(f.remove("a").code().failed());
    CHECK_FALSE(f.table.take_discarded().empty());
    CHECK(f.table.take_discarded().empty());
}

TEST_CASE("session_table frames: who follows an idle session is told of its end", "[unit][core]")
{
    TableFixture f(8, recording_options());
    const auto a = add(f, "a");
    CHECK(f.turn().follow(a.slot, a.reference));
    CHECK(f.turn().follow(a.slot, a.reference));
    CHECK_FALSE(f.table.has_unwatched());
    CHECK_FALSE(f.remove("a").code().failed());
    CHECK(f.table.unwatched() == std::vector{a.slot});
    f.table.unwatched().clear();
    CHECK_FALSE(f.turn().follow(a.slot, a.reference));
}

TEST_CASE("session_table frames: a session is located by its reference", "[unit][core]")
{
    TableFixture f(8, recording_options());
    const auto a = add(f, "a");
    const auto b = add(f, "b");
    CHECK(f.turn().locate(a.reference, 0).slot == a.slot);
    CHECK(f.turn().locate(b.reference, 0).slot == b.slot);
    const auto nobody = f.turn().locate(SessionReference(1), 0);
    CHECK_FALSE(nobody.slot.has_value());
    CHECK_FALSE(nobody.next_slot.has_value());
    CHECK_FALSE(f.remove("a").code().failed());
    CHECK_FALSE(f.turn().locate(a.reference, 0).slot.has_value());
}

#include "cli/missed_frames.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <utility>

using namespace sojourn::cli;
namespace json = boost::json;

namespace {

/// A page that ends with the session's newest frame.
json::value page_of(
    std::initializer_list<std::uint64_t> sequences,
    std::uint64_t next,
    std::uint64_t first_kept = 1,
    std::uint64_t dropped = 0
)
{
    json::array frames;
    for (const auto sequence : sequences) {
        frames.push_back(json::object{{"sequence", sequence}});
    }
    return json::object{
        {"frames", std::move(frames)},
        {"next", next},
        {"newest", next},
        {"first_kept", first_kept},
        {"dropped", dropped},
    };
}

} // namespace

TEST_CASE("missed frames: who gets every number has missed none", "[cli]")
{
    MissedFrames missed(0, FrameChoice::all);
    CHECK(missed.told_by(page_of({}, 0)).empty());
    CHECK(missed.told_by(page_of({1, 2, 3}, 3)).empty());
    CHECK(missed.told_by(page_of({}, 3)).empty());
    CHECK(missed.told_by(page_of({4}, 4, 3, 2)).empty());
}

TEST_CASE("missed frames: gaps before, between and behind frames are told, once", "[cli]")
{
    MissedFrames missed(0, FrameChoice::all);
    CHECK(
        missed.told_by(page_of({3, 5, 9}, 11, 3)) == "frames 1 to 2 are not kept\n"
                                                     "frame 4 is not kept\n"
                                                     "frames 6 to 8 are not kept\n"
                                                     "frames 10 to 11 are not kept\n"
    );
    CHECK(missed.told_by(page_of({12}, 12, 3)).empty());
    CHECK(missed.told_by(page_of({}, 13, 14)) == "frame 13 is not kept\n");
}

TEST_CASE("missed frames: what was there before the reader began is not missed", "[cli]")
{
    CHECK(MissedFrames(7, FrameChoice::all).told_by(page_of({8}, 8, 8, 7)).empty());
    CHECK(MissedFrames(7, FrameChoice::one_stream).told_by(page_of({8}, 8, 8, 7)).empty());
}

TEST_CASE("missed frames: no number is too large", "[cli]")
{
    constexpr auto last = std::numeric_limits<std::uint64_t>::max();
    for (const auto choice : {FrameChoice::all, FrameChoice::one_stream}) {
        MissedFrames missed(last, choice);
        CHECK(missed.told_by(page_of({}, last)).empty());
    }
    CHECK(
        MissedFrames(last - 2, FrameChoice::all).told_by(page_of({last}, last)) ==
        "frame 18446744073709551614 is not kept\n"
    );
}

TEST_CASE("missed frames: other streams leave no gap in one", "[cli]")
{
    MissedFrames missed(0, FrameChoice::one_stream);
    CHECK(missed.told_by(page_of({2, 9}, 12)).empty());
    CHECK(missed.told_by(page_of({20}, 20)).empty());
}

TEST_CASE("missed frames: the reader of a stream is told what its session lost", "[cli]")
{
    MissedFrames missed(0, FrameChoice::one_stream);
    CHECK(
        missed.told_by(page_of({4}, 10, 3, 3)) ==
        "frames 1 to 2 are not kept\n"
        "1 frame of the session found no room, perhaps of this stream\n"
    );
    CHECK(missed.told_by(page_of({}, 10, 3, 3)).empty());
    CHECK(
        missed.told_by(page_of({}, 12, 3, 5)) ==
        "2 frames of the session found no room, perhaps of this stream\n"
    );
}

TEST_CASE("missed frames: a frame that was read and then dropped is not missed", "[cli]")
{
    MissedFrames missed(0, FrameChoice::one_stream);
    CHECK(missed.told_by(page_of({1, 2}, 5)).empty());
    CHECK(missed.told_by(page_of({6}, 6, 3, 2)).empty());
}

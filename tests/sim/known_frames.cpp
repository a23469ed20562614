#include "sim/known_frames.hpp"

#include "sim/known.hpp"

#include <algorithm>
#include <iterator>
#include <string>

namespace sojourn::tests::sim {

namespace {

bool is_asked_for(const FrameQuery& query, const Frame& frame)
{
    return query.stream().value_or(frame.stream) == frame.stream;
}

} // namespace

bool is_frame_room_scarce(const ServiceOptions& options) noexcept
{
    return options.max_frame_bytes() / options.max_sessions() <
           options.max_frame_bytes_per_session();
}

void KnownFrames::answer(
    std::uint64_t number, const Frame& frame, std::uint64_t least, const ServiceOptions& options
)
{
    const auto most = answered_ + in_flight_;
    ++answered_;
    const bool can_fit = frame.bytes() <= options.max_frame_bytes_per_session() &&
                         frame.bytes() <= options.max_frame_bytes();
    if (number == 0) {
        require(!can_fit || is_frame_room_scarce(options), "no room for a frame, though there is");
        return;
    }
    require(can_fit, "a frame was kept that is larger than may be");
    require(
        number > least && number <= most,
        "a frame has number " + std::to_string(number) + ", and should have one from " +
            std::to_string(least + 1) + " to " + std::to_string(most)
    );
    see(number, frame);
}

/// Whoever sees the frame of a number sees the same one.
void KnownFrames::see(std::uint64_t number, const Frame& frame)
{
    const auto& known = frames_.try_emplace(number, frame).first->second;
    require(
        known.payload == frame.payload && known.direction == frame.direction &&
            known.stream == frame.stream,
        "two frames of number " + std::to_string(number)
    );
}

void KnownFrames::judge(
    const FramePage& page,
    const FrameQuery& query,
    std::uint64_t least,
    const ServiceOptions& options
)
{
    require(
        page.newest >= least && page.newest <= answered_ + in_flight_,
        "the newest frame is " + std::to_string(page.newest) + " of " + std::to_string(least) +
            " to " + std::to_string(answered_ + in_flight_)
    );
    require(
        page.first_kept > 0 && page.first_kept <= page.newest + 1,
        "the oldest frame has a number that was not given"
    );
    require(page.frames.size() <= query.limit(), "more frames on a page than were asked for");
    const auto behind = std::max(query.after(), page.first_kept - 1);
    auto before = behind;
    for (const auto& frame : page.frames) {
        require(frame->sequence > before, "a frame that its reader has seen");
        require(is_asked_for(query, *frame), "a frame of another stream than was asked for");
        see(frame->sequence, *frame);
        before = frame->sequence;
    }
    require(page.next >= before, "a page that asks for itself again");
    const bool is_cut = page.frames.size() == query.limit();
    require(
        is_cut ? page.next <= page.newest : page.next == std::max(page.newest, query.after()),
        "a page that ends too early or too late"
    );
    const auto there = std::count_if(
        frames_.upper_bound(behind),
        frames_.upper_bound(page.next),
        [&](const auto& one) { return is_asked_for(query, one.second); }
    );
    require(
        static_cast<std::size_t>(there) == page.frames.size(),
        std::to_string(page.frames.size()) + " frames on a page, of " + std::to_string(there)
    );
    judge_counts(page, options);
}

/// What the page says of all that its session keeps.
void KnownFrames::judge_counts(const FramePage& page, const ServiceOptions& options) const
{
    const auto kept = page.newest - page.dropped;
    require(
        page.dropped <= page.newest && kept <= options.max_frames_per_session(),
        "a session keeps more frames than may be"
    );
    std::size_t known = 0;
    std::size_t bytes = 0;
    const auto end = frames_.upper_bound(page.newest);
    for (auto frame = frames_.lower_bound(page.first_kept); frame != end; ++frame) {
        ++known;
        bytes += frame->second.bytes();
    }
    require(known <= kept, "frames have gone that were to be kept");
    require(
        bytes <= options.max_frame_bytes_per_session() && bytes <= options.max_frame_bytes(),
        "a session keeps more bytes of frames than may be"
    );
    if (in_flight_ > 0) {
        return;
    }
    require(known == kept, "a session says that it keeps others than it does");
    require(
        known == 0 ? page.first_kept == page.newest + 1 : frames_.contains(page.first_kept),
        "the oldest frame is not the one that it is said to be"
    );
    const auto oldest = oldest_kept(page.newest, options);
    require(
        is_frame_room_scarce(options) || oldest == end || oldest->first == page.first_kept,
        "a frame was dropped for nothing"
    );
}

/// Of those up to this one, where nobody takes their room: a new one drops as many as it must.
KnownFrames::Frames::const_iterator
KnownFrames::oldest_kept(std::uint64_t newest, const ServiceOptions& options) const
{
    auto oldest = frames_.begin();
    std::size_t count = 0;
    std::size_t bytes = 0;
    const auto end = frames_.upper_bound(newest);
    for (auto frame = frames_.begin(); frame != end; ++frame) {
        ++count;
        bytes += frame->second.bytes();
        while (count > options.max_frames_per_session() ||
               bytes > options.max_frame_bytes_per_session()) {
            --count;
            bytes -= oldest->second.bytes();
            ++oldest;
        }
    }
    return oldest;
}

bool KnownFrames::has_last_for(const FrameQuery& query) const
{
    return !frames_.empty() && frames_.rbegin()->first > query.after() &&
           is_asked_for(query, frames_.rbegin()->second);
}

std::size_t KnownFrames::kept(const ServiceOptions& options) const
{
    return static_cast<std::size_t>(std::distance(oldest_kept(answered_, options), frames_.end()));
}

} // namespace sojourn::tests::sim

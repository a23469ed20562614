#include "cli/missed_frames.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace sojourn::cli {

namespace json = boost::json;

namespace {

std::uint64_t number(const json::value& object, std::string_view name)
{
    return object.at(name).to_number<std::uint64_t>();
}

std::uint64_t difference(std::uint64_t number, std::uint64_t less) noexcept
{
    return number - std::min(number, less);
}

} // namespace

std::string MissedFrames::told_by(const json::value& page)
{
    return choice_ == FrameChoice::all ? gaps_between_all(page) : gaps_of_session(page);
}

/// Tells of those up to this number, which is on no page.
std::string MissedFrames::pass_to(std::uint64_t number)
{
    if (number <= seen_) {
        return {};
    }
    const auto first = std::exchange(seen_, number) + 1;
    return first == number ? fmt::format("frame {} is not kept\n", first)
                           : fmt::format("frames {} to {} are not kept\n", first, number);
}

std::string MissedFrames::gaps_between_all(const json::value& page)
{
    std::string text;
    for (const auto& frame : page.at("frames").as_array()) {
        const auto sequence = number(frame, "sequence");
        text += pass_to(difference(sequence, 1));
        seen_ = std::max(seen_, sequence);
    }
    return text + pass_to(number(page, "next"));
}

std::string MissedFrames::gaps_of_session(const json::value& page)
{
    // The oldest are dropped all the time, to make room for new ones: mostly after they were read.
    const auto before_first = difference(number(page, "first_kept"), 1);
    auto text = pass_to(before_first);
    const auto holes = difference(number(page, "dropped"), before_first);
    if (const auto fresh = difference(holes, std::exchange(holes_, holes)); fresh > 0) {
        text += fmt::format(
            "{} {} of the session found no room, perhaps of this stream\n",
            fresh,
            fresh == 1 ? "frame" : "frames"
        );
    }
    seen_ = std::max(seen_, number(page, "next"));
    return text;
}

} // namespace sojourn::cli

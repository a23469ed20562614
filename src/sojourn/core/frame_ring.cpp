#include "sojourn/core/frame_ring.hpp"

#include "sojourn/core/capacity.hpp"
#include "sojourn/core/frame_bin.hpp"
#include "sojourn/detail/assert.hpp"

#include <algorithm>
#include <optional>

namespace sojourn {

namespace {

/// Frames that one page looks at, as a turn is short.
constexpr std::size_t looks_a_page = 1000;

/// Bytes of the frames on a page, unless its first has more: whoever reads it makes copies.
constexpr std::size_t bytes_a_page = std::size_t{1} << 20U;

} // namespace

std::uint64_t FrameRing::record(
    std::shared_ptr<KeptFrame>& fresh, const FrameBounds& bounds, Capacity& capacity, FrameBin& bin
) noexcept
{
    fresh->frame.sequence = ++newest_;
    const auto wanted = fresh->frame.bytes();
    const bool can_fit = bounds.frames > 0 && wanted <= bounds.bytes &&
                         wanted <= bytes_ + capacity.free_frame_bytes();
    if (!can_fit) {
        return newest_;
    }
    // What the oldest had is kept at hand, lest other sessions take it meanwhile.
    std::size_t at_hand = 0;
    while (size_ >= bounds.frames || wanted > bounds.bytes - bytes_) {
        at_hand += drop_oldest(bin);
    }
    const auto take = [&] { return capacity.take_frame_bytes(wanted - std::min(wanted, at_hand)); };
    bool has_bytes = take();
    while (!has_bytes && size_ > 0) {
        at_hand += drop_oldest(bin);
        has_bytes = take();
    }
    const auto spent = has_bytes ? std::min(wanted, at_hand) : 0;
    capacity.give_back_frame_bytes(at_hand - spent);
    if (has_bytes) {
        keep(std::move(fresh));
    }
    return newest_;
}

/// Returns what it had.
std::size_t FrameRing::drop_oldest(FrameBin& bin) noexcept
{
    auto oldest = std::move(frames_[first_]);
    const auto bytes = oldest->frame.bytes();
    first_ = (first_ + 1) % frames_.size();
    --size_;
    bytes_ -= bytes;
    bin.add(std::move(oldest));
    return bytes;
}

void FrameRing::keep(std::shared_ptr<KeptFrame> frame) noexcept
{
    SOJOURN_ASSERT(size_ < frames_.size());
    bytes_ += frame->frame.bytes();
    frames_[(first_ + size_) % frames_.size()] = std::move(frame);
    ++size_;
}

/// Where the first frame is that has a larger number.
std::size_t FrameRing::place_after(std::uint64_t sequence) const noexcept
{
    std::size_t least = 0;
    for (auto most = size_; least < most;) {
        const auto middle = least + (most - least) / 2;
        if (at(middle)->frame.sequence > sequence) {
            most = middle;
        } else {
            least = middle + 1;
        }
    }
    return least;
}

void FrameRing::read(const FrameQuery& query, FramePage& page) const
{
    const auto begin = place_after(query.after());
    const auto end = std::min(size_, begin + looks_a_page);
    auto place = begin;
    std::size_t bytes = 0;
    for (; place < end && page.frames.size() < query.limit(); ++place) {
        const auto& kept = at(place);
        if (query.stream().value_or(kept->frame.stream) == kept->frame.stream) {
            bytes += kept->frame.bytes();
            if (bytes > bytes_a_page && !page.frames.empty()) {
                break;
            }
            page.frames.emplace_back(kept, &kept->frame);
        }
    }
    page.newest = newest_;
    page.first_kept = size_ > 0 ? at(0)->frame.sequence : newest_ + 1;
    page.dropped = dropped();
    page.next = place < size_ ? at(place)->frame.sequence - 1 : std::max(newest_, query.after());
}

void FrameRing::take_over(FrameRing& smaller) noexcept
{
    SOJOURN_ASSERT(size_ == 0 && room() >= smaller.size_);
    for (std::size_t place = 0; place < smaller.size_; ++place) {
        frames_[place] = std::move(smaller.frames_[(smaller.first_ + place) % smaller.room()]);
    }
    size_ = std::exchange(smaller.size_, 0);
    bytes_ = std::exchange(smaller.bytes_, 0);
    newest_ = smaller.newest_;
}

} // namespace sojourn

/// @file
/// Private header. The last frames of one session.

#ifndef SOJOURN_CORE_FRAME_RING_HPP
#define SOJOURN_CORE_FRAME_RING_HPP

#include "sojourn/core/attribute_bin.hpp"
#include "sojourn/core/frame.hpp"
#include "sojourn/core/frame_page.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace sojourn {

class Capacity;
class FrameBin;

/// A frame as a ring has it: with the link that chains it to others once it is dropped.
struct KeptFrame {
    explicit KeptFrame(Frame made) noexcept : frame(std::move(made)) {}

    Frame frame;
    std::shared_ptr<KeptFrame> next;
};

/// How much one session may keep. Bytes as `Frame::bytes` counts.
struct FrameBounds {
    std::size_t frames = 0;
    std::size_t bytes = 0;
};

/// A ring of frames, the oldest of which go first, and the count of all that it ever had.
///
/// Neither `record` nor `read` allocates, but for the page: a ring has the room that it was made
/// with, and one that needs more is taken over by a larger one.
class FrameRing final : public Discardable {
public:
    /// *Exceptions*: `bad_alloc`.
    explicit FrameRing(std::size_t room) : frames_(room) {}

    /// How many frames it has the memory for.
    [[nodiscard]] std::size_t room() const noexcept { return frames_.size(); }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Of all that it keeps.
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    [[nodiscard]] std::uint64_t newest() const noexcept { return newest_; }

    [[nodiscard]] std::uint64_t dropped() const noexcept { return newest_ - size_; }

    /// Gives the frame its number and keeps it, if there is room for it within the bounds and the
    /// capacity, for which its own oldest frames are dropped into the bin; those of other rings
    /// never. Where that would not help none is dropped but the new one, which the caller has then.
    /// Returns the number. There must be memory: `size() < room()`, or as many frames as may be.
    std::uint64_t record(
        std::shared_ptr<KeptFrame>& fresh,
        const FrameBounds& bounds,
        Capacity& capacity,
        FrameBin& bin
    ) noexcept;

    /// Fills a page. O(log n) and the frames that it looks at. *Exceptions*: `bad_alloc`, if the
    /// page has not reserved enough.
    void read(const FrameQuery& query, FramePage& page) const;

    /// Becomes what the other was, with more room, and leaves it empty. This must be empty.
    void take_over(FrameRing& smaller) noexcept;

private:
    [[nodiscard]] const std::shared_ptr<KeptFrame>& at(std::size_t place) const noexcept
    {
        return frames_[(first_ + place) % frames_.size()];
    }

    [[nodiscard]] std::size_t place_after(std::uint64_t sequence) const noexcept;
    [[nodiscard]] std::size_t drop_oldest(FrameBin& bin) noexcept;
    void keep(std::shared_ptr<KeptFrame> frame) noexcept;

    std::vector<std::shared_ptr<KeptFrame>> frames_;
    /// Where the oldest is.
    std::size_t first_ = 0;
    std::size_t size_ = 0;
    std::size_t bytes_ = 0;
    std::uint64_t newest_ = 0;
};

} // namespace sojourn

#endif // SOJOURN_CORE_FRAME_RING_HPP

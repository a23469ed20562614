/// @file
/// Private header. Where frames go inside a turn that no session keeps any more: to free them takes
/// longer than a turn should, so they are kept until somebody takes the bin out and drops it.

#ifndef SOJOURN_CORE_FRAME_BIN_HPP
#define SOJOURN_CORE_FRAME_BIN_HPP

#include "sojourn/core/frame_ring.hpp"

#include <memory>
#include <utility>

namespace sojourn {

/// Frames, and whole rings of them, each chained through itself. Lets go of them when destroyed,
/// O(their number); all else is O(1) and allocates nothing.
///
/// *Thread safety*: a value.
class FrameBin {
public:
    FrameBin() noexcept = default;
    /// Leaves `other` empty.
    FrameBin(FrameBin&& other) noexcept = default;

    /// Lets go of what it had, and leaves `other` empty.
    FrameBin& operator=(FrameBin&& other) noexcept
    {
        FrameBin taken(std::move(other));
        std::swap(frames_, taken.frames_);
        std::swap(rings_, taken.rings_);
        return *this;
    }

    FrameBin(const FrameBin&) = delete;
    FrameBin& operator=(const FrameBin&) = delete;

    ~FrameBin()
    {
        if (!empty()) {
            free();
        }
    }

    void add(std::shared_ptr<KeptFrame> frame) noexcept
    {
        frame->next = std::move(frames_);
        frames_ = std::move(frame);
    }

    void add(std::unique_ptr<FrameRing> ring) noexcept
    {
        ring->next_ = std::move(rings_);
        rings_ = std::move(ring);
    }

    [[nodiscard]] bool empty() const noexcept { return frames_ == nullptr && rings_ == nullptr; }

private:
    void free() noexcept;

    std::shared_ptr<KeptFrame> frames_;
    std::unique_ptr<FrameRing> rings_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_FRAME_BIN_HPP

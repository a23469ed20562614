#include "sojourn/core/frame_bin.hpp"

namespace sojourn {

/// One by one: a chain that is dropped at once is as deep a recursion as it is long. And whoever
/// still reads a frame must not keep those behind it.
void FrameBin::free() noexcept
{
    while (frames_ != nullptr) {
        frames_ = std::exchange(frames_->next, nullptr);
    }
    while (rings_ != nullptr) {
        rings_ = std::exchange(rings_->next_, nullptr);
    }
}

} // namespace sojourn

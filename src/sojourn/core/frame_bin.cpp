#include "sojourn/core/frame_bin.hpp"

namespace sojourn {

/// One by one: a chain that is dropped at once is as deep a recursion as it is long. And whoever
/// still reads a frame must not keep those behind it.
void FrameBin::clear() noexcept
{
    while (last_ != nullptr) {
        last_ = std::exchange(last_->next, nullptr);
    }
}

} // namespace sojourn

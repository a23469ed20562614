/// @file
/// Private header. Where frames go inside a turn that their session keeps no more: to free them
/// takes longer than a turn should, so they are kept until the bin is dropped after it.

#ifndef SOJOURN_CORE_FRAME_BIN_HPP
#define SOJOURN_CORE_FRAME_BIN_HPP

#include "sojourn/core/frame_ring.hpp"

#include <memory>
#include <utility>

namespace sojourn {

/// Frames, chained through themselves. Lets go of them when destroyed, O(their number); all else is
/// O(1) and allocates nothing.
///
/// *Thread safety*: a value.
class FrameBin {
public:
    FrameBin() noexcept = default;
    FrameBin(const FrameBin&) = delete;
    FrameBin& operator=(const FrameBin&) = delete;
    FrameBin(FrameBin&&) = delete;
    FrameBin& operator=(FrameBin&&) = delete;

    ~FrameBin() { clear(); }

    void add(std::shared_ptr<KeptFrame> frame) noexcept
    {
        frame->next = std::move(last_);
        last_ = std::move(frame);
    }

    [[nodiscard]] bool empty() const noexcept { return last_ == nullptr; }

    void clear() noexcept;

private:
    std::shared_ptr<KeptFrame> last_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_FRAME_BIN_HPP

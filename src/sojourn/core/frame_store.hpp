/// @file
/// Private header. The frames of one table's sessions: a ring for each that has had any, found by
/// its slot. Beside the sessions and not in them, since most services record none, and most
/// sessions of those that do are looked at for other things.

#ifndef SOJOURN_CORE_FRAME_STORE_HPP
#define SOJOURN_CORE_FRAME_STORE_HPP

#include "sojourn/core/attribute_bin.hpp"
#include "sojourn/core/capacity.hpp"
#include "sojourn/core/frame_bin.hpp"
#include "sojourn/core/frame_page.hpp"
#include "sojourn/core/frame_ring.hpp"
#include "sojourn/core/metrics.hpp"
#include "sojourn/core/service_options.hpp"
#include "sojourn/detail/large_array.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace sojourn {

/// A frame to be recorded, with the memory for it; what is left of both afterwards, and what made
/// room. To be dropped after the turn.
struct Recording {
    std::shared_ptr<KeptFrame> frame;
    /// A larger ring, if the one before was too small.
    std::unique_ptr<FrameRing> ring;
    /// The room that the ring must have, if there was too little; then nothing was done.
    std::size_t lacking_room = 0;
    /// Its number.
    std::uint64_t sequence = 0;
    FrameBin dropped;
};

/// Where nothing is recorded it takes no memory; else a pointer a slot.
class FrameStore {
public:
    FrameStore(const ServiceOptions& options, std::size_t slots)
        : bounds_{options.max_frames_per_session(), options.max_frame_bytes_per_session()},
          rings_(is_recording() ? slots : 0)
    {
    }

    [[nodiscard]] bool is_recording() const noexcept { return bounds_.frames > 0; }

    [[nodiscard]] const FrameBounds& bounds() const noexcept { return bounds_; }

    /// Gives the frame its number and keeps it if it can: see `FrameRing::record`. Precondition:
    /// `is_recording`.
    void
    record(std::uint32_t slot, Recording& recording, Capacity& capacity, Metrics& metrics) noexcept;

    /// Fills a page; it stays as it is if the session never had a frame.
    void read(std::uint32_t slot, const FrameQuery& query, FramePage& page) const;

    /// The session in this slot ends, and its frames with it. Their bytes are free at once; their
    /// memory is in the bin.
    void end(std::uint32_t slot, Capacity& capacity, Metrics& metrics, AttributeBin& bin) noexcept;

    /// Null if the session in this slot never had a frame.
    [[nodiscard]] const FrameRing* ring(std::uint32_t slot) const noexcept
    {
        return is_recording() ? rings_[slot].get() : nullptr;
    }

private:
    [[nodiscard]] std::size_t room_for_another(const FrameRing* ring) const noexcept;

    const FrameBounds bounds_;
    detail::LargeArray<std::unique_ptr<FrameRing>> rings_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_FRAME_STORE_HPP

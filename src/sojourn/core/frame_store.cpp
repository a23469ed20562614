#include "sojourn/core/frame_store.hpp"

#include <algorithm>

namespace sojourn {

/// As much as there is, or twice as much where the ring is full and may grow.
std::size_t FrameStore::room_for_another(const FrameRing* ring) const noexcept
{
    constexpr std::size_t first_room = 8;
    if (ring == nullptr) {
        return std::min(first_room, bounds_.frames);
    }
    return ring->size() < ring->room() ? ring->room() : std::min(2 * ring->room(), bounds_.frames);
}

void FrameStore::record(
    std::uint32_t slot, Recording& recording, Capacity& capacity, Metrics& metrics
) noexcept
{
    auto& ring = rings_[slot];
    const auto room = room_for_another(ring.get());
    if (ring == nullptr || ring->room() < room) {
        if (recording.ring == nullptr || recording.ring->room() < room) {
            recording.lacking_room = room;
            return;
        }
        if (ring != nullptr) {
            recording.ring->take_over(*ring);
        }
        std::swap(ring, recording.ring);
    }
    recording.lacking_room = 0;
    metrics.frames -= ring->size();
    metrics.frame_bytes -= ring->bytes();
    metrics.frames_dropped -= ring->dropped();
    recording.sequence = ring->record(recording.frame, bounds_, capacity, recording.dropped);
    ++metrics.frames_recorded;
    metrics.frames += ring->size();
    metrics.frame_bytes += ring->bytes();
    metrics.frames_dropped += ring->dropped();
}

void FrameStore::read(std::uint32_t slot, const FrameQuery& query, FramePage& page) const
{
    page.next = query.after();
    if (const auto* const known = ring(slot)) {
        known->read(query, page);
    }
}

void FrameStore::end(
    std::uint32_t slot, Capacity& capacity, Metrics& metrics, AttributeBin& bin
) noexcept
{
    if (ring(slot) == nullptr) {
        return;
    }
    auto& ring = rings_[slot];
    metrics.frames -= ring->size();
    metrics.frames_ended += ring->size();
    metrics.frame_bytes -= ring->bytes();
    capacity.give_back_frame_bytes(ring->bytes());
    bin.add(std::move(ring));
}

} // namespace sojourn

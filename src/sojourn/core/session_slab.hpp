/// @file
/// Private header. The memory of a table's sessions: numbered slots that never move, each used
/// again after its session is gone.

#ifndef SOJOURN_CORE_SESSION_SLAB_HPP
#define SOJOURN_CORE_SESSION_SLAB_HPP

#include "sojourn/core/session.hpp"
#include "sojourn/detail/large_array.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace sojourn {

/// Slots for up to `capacity` sessions, in one piece, so that a slot's number is its place. The
/// address space is taken at once; memory comes to it slot by slot, on first use, and stays.
class SessionSlab {
public:
    explicit SessionSlab(std::size_t capacity)
        : capacity_(capacity), slots_(Memory().allocate(capacity))
    {
    }

    SessionSlab(const SessionSlab&) = delete;
    SessionSlab& operator=(const SessionSlab&) = delete;
    SessionSlab(SessionSlab&&) = delete;
    SessionSlab& operator=(SessionSlab&&) = delete;

    ~SessionSlab()
    {
        std::destroy_n(slots_, used_);
        Memory().deallocate(slots_, capacity_);
    }

    /// Whether `take` has one to give.
    [[nodiscard]] bool has_room() const noexcept { return free_ != no_slot || used_ < capacity_; }

    /// A vacant session, the one that was given back last if there is one. There must be room.
    [[nodiscard]] Session& take() noexcept
    {
        if (free_ == no_slot) {
            auto& session = *std::construct_at(slots_ + used_);
            session.slot = static_cast<std::uint32_t>(used_++);
            return session;
        }
        auto& session = slots_[free_];
        free_ = std::exchange(session.next, no_slot);
        return session;
    }

    /// Makes the slot free again.
    void give_back(Session& session) noexcept { session.next = std::exchange(free_, session.slot); }

    [[nodiscard]] Session& operator[](std::uint32_t slot) noexcept { return slots_[slot]; }

    [[nodiscard]] const Session& operator[](std::uint32_t slot) const noexcept
    {
        return slots_[slot];
    }

    /// Slots that were used and are free. O(their number).
    [[nodiscard]] std::size_t count_free() const noexcept
    {
        std::size_t count = 0;
        for (auto slot = free_; slot != no_slot; slot = slots_[slot].next) {
            ++count;
        }
        return count;
    }

    /// Slots that were ever used: every slot number is below it.
    [[nodiscard]] std::size_t size() const noexcept { return used_; }

private:
    using Memory = detail::LargeAllocator<Session>;

    std::size_t capacity_;
    Session* slots_;
    std::size_t used_ = 0;
    std::uint32_t free_ = no_slot;
};

} // namespace sojourn

#endif // SOJOURN_CORE_SESSION_SLAB_HPP

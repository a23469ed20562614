/// @file
/// Private header. The memory of a table's sessions: numbered slots that never move, in chunks,
/// each used again after its session is gone.

#ifndef SOJOURN_CORE_SESSION_SLAB_HPP
#define SOJOURN_CORE_SESSION_SLAB_HPP

#include "sojourn/core/session.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace sojourn {

/// Slots for sessions. Grows by a chunk when no slot is free, never shrinks.
class SessionSlab {
public:
    /// Makes sure that the next `take` does not allocate. *Exceptions*: `bad_alloc`, nothing done.
    void reserve_one()
    {
        if (free_ != nullptr) {
            return;
        }
        chunks_.push_back(std::make_unique<Chunk>());
        auto& chunk = *chunks_.back();
        for (auto slot = chunk_size; slot-- > 0;) {
            chunk[slot].slot = static_cast<std::uint32_t>(size() - chunk_size + slot);
            chunk[slot].next = std::exchange(free_, &chunk[slot]);
        }
    }

    /// A vacant session. Call `reserve_one` before.
    [[nodiscard]] Session& take() noexcept
    {
        auto& session = *free_;
        free_ = std::exchange(session.next, nullptr);
        return session;
    }

    /// Makes the slot free again, under a new generation.
    void give_back(Session& session) noexcept
    {
        ++session.generation;
        session.next = std::exchange(free_, &session);
    }

    [[nodiscard]] Session& operator[](std::uint32_t slot) noexcept
    {
        return (*chunks_[slot / chunk_size])[slot % chunk_size];
    }

    [[nodiscard]] const Session& operator[](std::uint32_t slot) const noexcept
    {
        return (*chunks_[slot / chunk_size])[slot % chunk_size];
    }

    /// Slots that are free. O(their number).
    [[nodiscard]] std::size_t count_free() const noexcept
    {
        std::size_t count = 0;
        for (const auto* session = free_; session != nullptr; session = session->next) {
            ++count;
        }
        return count;
    }

    /// Slots, taken or free: every slot number is below it.
    [[nodiscard]] std::size_t size() const noexcept { return chunks_.size() * chunk_size; }

private:
    static constexpr std::size_t chunk_size = 256;
    using Chunk = std::array<Session, chunk_size>;

    std::vector<std::unique_ptr<Chunk>> chunks_;
    Session* free_ = nullptr;
};

} // namespace sojourn

#endif // SOJOURN_CORE_SESSION_SLAB_HPP

/// @file
/// Private header. Finds a session's slot by the hash of its id. The places are made once, for as
/// many sessions as the table may hold: nothing is ever allocated or rehashed, so that no turn is
/// longer than others and nothing can fail. A place keeps a piece of the hash beside the slot, so
/// that a look-up reads one cache line here and then the session it looks for, no other.

#ifndef SOJOURN_CORE_SESSION_INDEX_HPP
#define SOJOURN_CORE_SESSION_INDEX_HPP

#include "sojourn/detail/large_array.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace sojourn {

/// The slots of one table's sessions, by id: linear probing, and deletion without tombstones
/// (Knuth, The Art of Computer Programming 3, section 6.4, algorithms L and R). *Complexity*: O(1)
/// on average.
class SessionIndex {
public:
    /// For up to `capacity` sessions.
    explicit SessionIndex(std::size_t capacity) : places_(capacity + capacity / 2 + 1) {}

    /// The slot whose hash this is and of which `is_it(slot)` is true; nothing if there is none.
    template <class IsIt>
    [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t hash, IsIt is_it) const
    {
        const auto tag = tag_of(hash);
        for (auto at = home(tag); places_[at].slot_and_one != 0; at = next(at)) {
            if (places_[at].tag == tag && is_it(places_[at].slot_and_one - 1)) {
                return places_[at].slot_and_one - 1;
            }
        }
        return std::nullopt;
    }

    /// Adds a slot. There must be room.
    void insert(std::uint64_t hash, std::uint32_t slot) noexcept
    {
        const auto tag = tag_of(hash);
        auto at = home(tag);
        while (places_[at].slot_and_one != 0) {
            at = next(at);
        }
        places_[at] = {tag, slot + 1};
        ++size_;
    }

    /// Takes a slot out, which must be there.
    void erase(std::uint64_t hash, std::uint32_t slot) noexcept
    {
        auto gap = home(tag_of(hash));
        while (places_[gap].slot_and_one != slot + 1) {
            gap = next(gap);
        }
        // Whoever was pushed past the gap moves into it, and leaves one in turn.
        for (auto at = next(gap); places_[at].slot_and_one != 0; at = next(at)) {
            if (distance(home(places_[at].tag), at) >= distance(gap, at)) {
                places_[gap] = places_[at];
                gap = at;
            }
        }
        places_[gap] = {};
        --size_;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    /// Zeros are an empty place.
    struct Place {
        std::uint32_t tag = 0;
        std::uint32_t slot_and_one = 0;
    };

    static std::uint32_t tag_of(std::uint64_t hash) noexcept
    {
        return static_cast<std::uint32_t>(hash);
    }

    [[nodiscard]] std::size_t home(std::uint32_t tag) const noexcept
    {
        return static_cast<std::size_t>((std::uint64_t{tag} * places_.size()) >> 32U);
    }

    [[nodiscard]] std::size_t next(std::size_t at) const noexcept
    {
        return at + 1 == places_.size() ? 0 : at + 1;
    }

    /// Steps of `next` from one place to another.
    [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const noexcept
    {
        return to >= from ? to - from : to + places_.size() - from;
    }

    detail::LargeArray<Place> places_;
    std::size_t size_ = 0;
};

} // namespace sojourn

#endif // SOJOURN_CORE_SESSION_INDEX_HPP

/// @file
/// Private header. What a service has for its sessions, as one account for all shards: how many
/// there may be, how many of them half-open, how many bytes of attributes and of frames. A new
/// session takes its share before it is made and leaves it when it ends; so no bound is ever
/// passed, whichever shards the sessions are in.

#ifndef SOJOURN_CORE_CAPACITY_HPP
#define SOJOURN_CORE_CAPACITY_HPP

#include "sojourn/detail/assert.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>

namespace sojourn {

/// What a session that lives, or is to be made, takes up besides being one.
struct Demand {
    bool is_half_open = false;
    /// Of its attributes.
    std::size_t bytes = 0;
};

/// Five counts, of which none ever exceeds its bound: the sessions that live; those together with
/// what listeners have yet to be told, which are the slots; the half-open ones of those that live;
/// the bytes of their attributes; and those of the frames that they keep.
///
/// *Thread safety*: all members, any thread.
class Capacity {
public:
    static constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();

    struct Bounds {
        std::size_t sessions = 0;
        /// Sessions that wait for their listener, besides.
        std::size_t pending = 0;
        /// What a new one takes: another if a listener is to be told that it was created.
        std::size_t slots_each = 1;
        std::size_t half_open = unbounded;
        std::size_t bytes = unbounded;
        std::size_t frame_bytes = unbounded;
    };

    explicit Capacity(const Bounds& bounds) noexcept
        : sessions_(bounds.sessions),
          slots_(bounds.sessions + bounds.pending),
          slots_each_(bounds.slots_each),
          half_open_(bounds.half_open),
          bytes_(bounds.bytes),
          frame_bytes_(bounds.frame_bytes)
    {
    }

    Capacity(const Capacity&) = delete;
    Capacity& operator=(const Capacity&) = delete;
    Capacity(Capacity&&) = delete;
    Capacity& operator=(Capacity&&) = delete;
    ~Capacity() = default;

    /// Part of the capacity, or all that a session needs: one who makes a session collects it, and
    /// what no session occupies in the end is given back.
    class Place {
    public:
        /// Nothing yet.
        explicit Place(Capacity& capacity) noexcept : capacity_(&capacity) {}

        Place(Place&& other) noexcept
            : capacity_(other.capacity_), share_(std::exchange(other.share_, Share()))
        {
        }

        Place& operator=(Place&& other) noexcept
        {
            std::swap(capacity_, other.capacity_);
            std::swap(share_, other.share_);
            return *this;
        }

        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;

        ~Place() { capacity_->give_back(share_); }

        // Each takes what this lacks. False if there is none, and then nothing has changed.

        [[nodiscard]] bool take_session() noexcept
        {
            return share_.session || (share_.session = capacity_->sessions_.take());
        }

        [[nodiscard]] bool take_slot() noexcept
        {
            return share_.slot || (share_.slot = capacity_->slots_.take(capacity_->slots_each_));
        }

        [[nodiscard]] bool take_half_open() noexcept
        {
            return share_.half_open || (share_.half_open = capacity_->half_open_.take());
        }

        [[nodiscard]] bool take_bytes(std::size_t count) noexcept
        {
            const auto lacking = count - std::min(count, share_.bytes);
            if (!capacity_->bytes_.take(lacking)) {
                return false;
            }
            share_.bytes += lacking;
            return true;
        }

        /// How many bytes would have to become free before `take_bytes` finds so many.
        [[nodiscard]] std::size_t lacking_bytes(std::size_t count) const noexcept
        {
            const auto free = share_.bytes + capacity_->bytes_.free();
            return count - std::min(count, free);
        }

        /// All that a session needs.
        [[nodiscard]] bool take(const Demand& demand) noexcept
        {
            // The scarcest first: what is taken for a moment, in vain, others find missing.
            return (!demand.is_half_open || take_half_open()) && take_bytes(demand.bytes) &&
                   take_slot() && take_session();
        }

        /// A session that there is has these bytes too from now on, which must be here.
        void spend_bytes(std::size_t count) noexcept { share_.bytes -= count; }

        /// A new session has its share from now on, which must be here.
        void occupy(const Demand& demand) noexcept
        {
            share_.session = false;
            share_.slot = false;
            share_.half_open = share_.half_open && !demand.is_half_open;
            spend_bytes(demand.bytes);
        }

    private:
        friend class Capacity;

        struct Share {
            bool session = false;
            bool slot = false;
            bool half_open = false;
            std::size_t bytes = 0;
        };

        Capacity* capacity_;
        Share share_;
    };

    /// A place that has all that a session needs, if there is so much.
    [[nodiscard]] std::optional<Place> take(const Demand& demand) noexcept
    {
        Place place(*this);
        return place.take(demand) ? std::optional<Place>(std::move(place)) : std::nullopt;
    }

    // What a session that ends had goes to the heir for whom it makes room, without anybody coming
    // between; back, if there is none or he has it.

    void leave_session(Place* heir) noexcept
    {
        if (heir != nullptr && !heir->share_.session) {
            heir->share_.session = true;
        } else {
            sessions_.give_back(1);
        }
    }

    void leave_slot(Place* heir) noexcept
    {
        // Who is told of creations is told of removals, and then nobody leaves a slot to an heir.
        SOJOURN_ASSERT(slots_each_ == 1);
        if (heir != nullptr && !heir->share_.slot) {
            heir->share_.slot = true;
        } else {
            slots_.give_back(1);
        }
    }

    void leave_half_open(Place* heir) noexcept
    {
        if (heir != nullptr && !heir->share_.half_open) {
            heir->share_.half_open = true;
        } else {
            half_open_.give_back(1);
        }
    }

    void leave_bytes(std::size_t count, Place* heir) noexcept
    {
        if (heir != nullptr) {
            heir->share_.bytes += count;
        } else {
            bytes_.give_back(count);
        }
    }

    // The bytes of ended sessions that wait to be told. They are not among the others, since what
    // ends makes room; but there may not be more of them either.

    void keep_bytes(std::size_t count) noexcept
    {
        untold_bytes_.fetch_add(count, std::memory_order_relaxed);
    }

    void drop_bytes(std::size_t count) noexcept
    {
        untold_bytes_.fetch_sub(count, std::memory_order_relaxed);
    }

    /// Whether so many more may be asked for: not while more than the bound wait to be told.
    [[nodiscard]] bool may_add_bytes(std::size_t count) const noexcept
    {
        return count == 0 || untold_bytes_.load(std::memory_order_relaxed) <= bytes_.most();
    }

    // Of the frames that sessions keep. No session makes room for another's.

    [[nodiscard]] bool take_frame_bytes(std::size_t count) noexcept
    {
        return frame_bytes_.take(count);
    }

    void give_back_frame_bytes(std::size_t count) noexcept { frame_bytes_.give_back(count); }

    /// How many there are, as of this moment.
    [[nodiscard]] std::size_t free_frame_bytes() const noexcept { return frame_bytes_.free(); }

    /// Listeners were told of so many.
    void vacate(std::size_t count) noexcept { slots_.give_back(count); }

    /// Whether as many live as may.
    [[nodiscard]] bool is_full() const noexcept { return !sessions_.has_room(); }

private:
    class Count {
    public:
        explicit Count(std::size_t most) noexcept : most_(most) {}

        [[nodiscard]] bool take(std::size_t wanted = 1) noexcept
        {
            if (most_ == unbounded || wanted == 0) {
                return true;
            }
            auto count = count_.load(std::memory_order_relaxed);
            while (count <= most_ && wanted <= most_ - count) {
                if (count_.compare_exchange_weak(
                        count, count + wanted, std::memory_order_relaxed
                    )) {
                    return true;
                }
            }
            return false;
        }

        /// Nothing may be given back when this is gone: by a place that was moved from.
        void give_back(std::size_t count) noexcept
        {
            if (count != 0 && most_ != unbounded) {
                count_.fetch_sub(count, std::memory_order_relaxed);
            }
        }

        [[nodiscard]] bool has_room() const noexcept { return free() > 0; }

        [[nodiscard]] std::size_t most() const noexcept { return most_; }

        [[nodiscard]] std::size_t free() const noexcept
        {
            return most_ - std::min(most_, count_.load(std::memory_order_relaxed));
        }

    private:
        const std::size_t most_;
        std::atomic<std::size_t> count_{0};
    };

    void give_back(const Place::Share& share) noexcept
    {
        sessions_.give_back(share.session ? 1 : 0);
        slots_.give_back(share.slot ? slots_each_ : 0);
        half_open_.give_back(share.half_open ? 1 : 0);
        bytes_.give_back(share.bytes);
    }

    // Of all shards' creations and of nothing else: a request touches none, but for the first of a
    // half-open session.
    alignas(64) Count sessions_;
    Count slots_;
    const std::size_t slots_each_;
    Count half_open_;
    Count bytes_;
    std::atomic<std::size_t> untold_bytes_{0};
    /// Of all that is recorded.
    alignas(64) Count frame_bytes_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_CAPACITY_HPP

/// @file
/// Private header. How many sessions there may be, as one number for all shards of a service. A new
/// session takes a place before it is made, and leaves it when it ends; so the number is exact,
/// whichever shards they are in.

#ifndef SOJOURN_CORE_CAPACITY_HPP
#define SOJOURN_CORE_CAPACITY_HPP

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

namespace sojourn {

/// Two counts: the sessions that live, and those together with the ended ones whose removal
/// listener has not returned. Neither ever exceeds its bound.
///
/// *Thread safety*: all members, any thread.
class Capacity {
public:
    /// For `sessions` live ones, and `pending` more that have ended.
    Capacity(std::size_t sessions, std::size_t pending) noexcept
        : sessions_(sessions), slots_(sessions + pending)
    {
    }

    Capacity(const Capacity&) = delete;
    Capacity& operator=(const Capacity&) = delete;
    Capacity(Capacity&&) = delete;
    Capacity& operator=(Capacity&&) = delete;
    ~Capacity() = default;

    /// A place for one session, given back unless a session takes it.
    class Place {
    public:
        Place(Place&& other) noexcept : capacity_(std::exchange(other.capacity_, nullptr)) {}

        Place& operator=(Place&& other) noexcept
        {
            std::swap(capacity_, other.capacity_);
            return *this;
        }

        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;

        ~Place()
        {
            if (capacity_ != nullptr) {
                capacity_->leave();
                capacity_->vacate(1);
            }
        }

        /// A session has it from now on; it must `leave` and `vacate`.
        void occupy() noexcept { capacity_ = nullptr; }

    private:
        friend class Capacity;

        explicit Place(Capacity& capacity) noexcept : capacity_(&capacity) {}

        Capacity* capacity_;
    };

    /// A place, if there is one.
    [[nodiscard]] std::optional<Place> take() noexcept
    {
        if (!slots_.take()) {
            return std::nullopt;
        }
        if (!sessions_.take()) {
            slots_.give_back(1);
            return std::nullopt;
        }
        return Place(*this);
    }

    /// The place of a session that ends to make room: it does not `leave`, and neither does it
    /// `vacate`, unless a slot was taken for this one.
    [[nodiscard]] Place inherit() noexcept { return Place(*this); }

    /// Half a place, for who inherits the rest.
    [[nodiscard]] bool take_slot() noexcept { return slots_.take(); }

    /// A session has ended.
    void leave() noexcept { sessions_.give_back(1); }

    /// Sessions that had ended are forgotten.
    void vacate(std::size_t count) noexcept { slots_.give_back(count); }

    /// Whether as many live as may.
    [[nodiscard]] bool is_full() const noexcept { return !sessions_.has_room(); }

private:
    class Count {
    public:
        explicit Count(std::size_t most) noexcept : most_(most) {}

        [[nodiscard]] bool take() noexcept
        {
            auto count = count_.load(std::memory_order_relaxed);
            while (count < most_) {
                if (count_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) {
                    return true;
                }
            }
            return false;
        }

        void give_back(std::size_t count) noexcept
        {
            count_.fetch_sub(count, std::memory_order_relaxed);
        }

        [[nodiscard]] bool has_room() const noexcept
        {
            return count_.load(std::memory_order_relaxed) < most_;
        }

    private:
        const std::size_t most_;
        std::atomic<std::size_t> count_{0};
    };

    // Of all shards' creations and of nothing else: a request touches neither.
    alignas(64) Count sessions_;
    Count slots_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_CAPACITY_HPP

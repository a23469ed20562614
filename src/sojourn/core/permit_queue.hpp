/// @file
/// Private header. What a semaphore decides: who holds a permit, who waits for one, and what
/// becomes of each. It knows no clock, no threads and no handlers; it is told the time, and tells
/// whom it has decided about.

#ifndef SOJOURN_CORE_PERMIT_QUEUE_HPP
#define SOJOURN_CORE_PERMIT_QUEUE_HPP

#include "sojourn/core/semaphore_metrics.hpp"
#include "sojourn/core/time.hpp"

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>

#include <cstddef>
#include <cstdint>

namespace sojourn {

/// Where somebody stands who wants a permit. From `queued` there is one step to one of the others,
/// and none from those: what was decided stays.
enum class PermitState : std::uint8_t {
    /// Has not asked.
    outside,
    queued,
    granted,
    /// Refused, as there were as many waiters as there may be.
    overloaded,
    timed_out,
    cancelled,
    /// Refused, as the queue is closed.
    closed,
};

/// Permits, and a queue for them: first come, first served.
///
/// A permit is handed over and never raced for: as long as anybody waits, none is free, and
/// `try_take` fails. A decision is final: a waiter that was granted a permit is no longer in the
/// queue, so neither a deadline nor a cancellation can take it back. Closing is final too.
///
/// Waiters belong to the caller and are linked, so nothing here allocates or fails. A waiter that
/// was decided about is passed on by `take_decided`, in the order of the decisions; the queue does
/// not touch it afterwards.
///
/// *Thread safety*: none. *Complexity*: O(1), and O(log n) for a waiter with a deadline, for each
/// waiter that is decided about.
class PermitQueue {
public:
    /// The deadline of one who takes a permit if there is a free one, and does not wait.
    static constexpr TimePoint no_wait = TimePoint::min();

    /// The least that `retry_after` says.
    static constexpr Duration shortest_retry = std::chrono::milliseconds(1);

    /// Somebody who waits, or wants to.
    class Waiter {
    public:
        explicit Waiter(TimePoint deadline = TimePoint::max()) noexcept : deadline_(deadline) {}

        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;
        Waiter(Waiter&&) = delete;
        Waiter& operator=(Waiter&&) = delete;

        [[nodiscard]] PermitState state() const noexcept { return state_; }

        /// The moment from which on it waits no more; `TimePoint::max()` for none.
        [[nodiscard]] TimePoint deadline() const noexcept { return deadline_; }

    protected:
        /// Must be in no queue any more.
        ~Waiter() = default;

    private:
        friend class PermitQueue;

        boost::intrusive::list_member_hook<> place_;
        boost::intrusive::set_member_hook<> deadline_place_;
        TimePoint deadline_;
        TimePoint entered_;
        PermitState state_ = PermitState::outside;
    };

    PermitQueue(std::size_t limit, std::size_t max_waiters) noexcept
        : limit_(limit), max_waiters_(max_waiters)
    {
    }

    PermitQueue(const PermitQueue&) = delete;
    PermitQueue& operator=(const PermitQueue&) = delete;
    PermitQueue(PermitQueue&&) = delete;
    PermitQueue& operator=(PermitQueue&&) = delete;
    ~PermitQueue();

    /// Takes a permit if one is free. False if not, and then nothing has been counted: the caller
    /// goes on to `enter` or `turn_away`.
    [[nodiscard]] bool try_take() noexcept;

    /// What `enter` would answer at once to one who finds no permit free: `overloaded` or `closed`,
    /// which is counted as it would be; or `queued`, and nothing is counted.
    [[nodiscard]] PermitState refuse_at_once(TimePoint now) noexcept;

    /// Refuses one who would have to wait and does not want to; `overloaded` or `closed`.
    PermitState turn_away() noexcept;

    /// Lets a waiter in, which must be outside. If there is a permit for it, or it cannot wait, it
    /// is decided about at once; a free permit is granted however soon the deadline is, unless it
    /// has passed. One with `no_wait` has none that can pass.
    void enter(Waiter& waiter, TimePoint now) noexcept;

    /// Ends the wait, if the waiter still waits.
    void cancel(Waiter& waiter) noexcept;

    /// Takes permits back, and hands them to those who wait longest. No more than are held.
    void give_back(std::uint64_t count, TimePoint now) noexcept;

    /// Changes how many permits there are. More go to those who wait; fewer come about as permits
    /// are given back, and nobody is granted one before.
    void resize(std::size_t limit, TimePoint now) noexcept;

    /// Ends the waits whose deadline is not after `now`. All that grants does this first, so nobody
    /// is granted a permit at or after its deadline.
    void expire(TimePoint now) noexcept;

    /// Refuses all who wait, and all who come. Permits that are held remain so until given back.
    void close() noexcept;

    /// One that was decided about; null if there is no other.
    [[nodiscard]] Waiter* take_decided() noexcept;

    /// When `expire` has something to do; `TimePoint::max()` if nobody waits who has a deadline.
    [[nodiscard]] TimePoint next_deadline() const noexcept;

    /// For how long one should stay away who was refused: what others waited on average who got a
    /// permit, and at least `shortest_retry`. By then those who wait now will mostly have been
    /// served.
    [[nodiscard]] Duration retry_after() const noexcept;

    [[nodiscard]] std::size_t limit() const noexcept { return limit_; }

    [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }

    /// O(1).
    [[nodiscard]] SemaphoreMetrics metrics() const noexcept;

private:
    using Line = boost::intrusive::list<
        Waiter,
        boost::intrusive::
            member_hook<Waiter, boost::intrusive::list_member_hook<>, &Waiter::place_>>;

    struct Earlier {
        bool operator()(const Waiter& left, const Waiter& right) const noexcept
        {
            return left.deadline_ < right.deadline_;
        }
    };

    using Deadlines = boost::intrusive::multiset<
        Waiter,
        boost::intrusive::
            member_hook<Waiter, boost::intrusive::set_member_hook<>, &Waiter::deadline_place_>,
        boost::intrusive::compare<Earlier>,
        boost::intrusive::constant_time_size<false>>;

    [[nodiscard]] bool has_free() const noexcept { return !is_closed_ && held_ < limit_; }

    void grant_waiting(TimePoint now) noexcept;
    void check_promise() const noexcept;
    void leave(Waiter& waiter, PermitState outcome) noexcept;
    void decide(Waiter& waiter, PermitState outcome) noexcept;
    void count(PermitState outcome) noexcept;
    void take(Duration waited) noexcept;

    std::size_t limit_;
    std::size_t max_waiters_;
    std::uint64_t held_ = 0;
    bool is_closed_ = false;

    /// Those who wait, in the order in which they came.
    Line line_;
    /// Of those the ones with a deadline, the earliest first.
    Deadlines deadlines_;
    /// Those who were decided about, until they are taken.
    Line decided_;

    /// What has been counted; `held`, `limit` and `waiting` are filled in where it is asked for.
    SemaphoreMetrics counts_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_PERMIT_QUEUE_HPP

/// @file
/// A clock that stands still until it is told to go on, for tests and simulations: no test needs to
/// sleep, and what happens at a deadline can be looked at one nanosecond before it and at it.

#ifndef SOJOURN_TESTING_MANUAL_CLOCK_HPP
#define SOJOURN_TESTING_MANUAL_CLOCK_HPP

#include "sojourn/async/clock.hpp"

#include <cstddef>
#include <memory>

namespace sojourn::testing {

/// A clock moved by hand. Starts at one hour past the clock's epoch, and at a wall time of
/// 2001-09-09 01:46:40 UTC, so that both are round and neither is zero.
///
/// Its timers complete when the time is moved to or past their deadline, by `post` to the executor
/// they were made for. A wait does not keep an `io_context` running: `run` returns when all that is
/// left is waiting for this clock.
///
/// *Thread safety*: all members, any thread. *Lifetime*: timers may outlive it and then never fire.
class ManualClock final : public Clock {
public:
    ManualClock();

    [[nodiscard]] TimePoint steady() const noexcept override;
    [[nodiscard]] WallTime wall() const noexcept override;
    [[nodiscard]] std::unique_ptr<Timer> make_timer(const boost::asio::any_io_executor& executor
    ) override;

    /// Moves both times on and fires the timers that are due. `length` must not be negative.
    void advance(Duration length);

    /// Moves the steady time to `moment`, forwards or backwards, and fires the timers that are due.
    void set(TimePoint moment);

    /// Waits in progress.
    [[nodiscard]] std::size_t waiting() const;

    /// The earliest deadline that somebody waits for; `TimePoint::max()` if nobody waits.
    [[nodiscard]] TimePoint next_deadline() const;

private:
    class State;
    class ManualTimer;

    std::shared_ptr<State> state_;
};

} // namespace sojourn::testing

#endif // SOJOURN_TESTING_MANUAL_CLOCK_HPP

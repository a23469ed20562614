/// @file
/// Time as something that is handed in. A service reads all its time from one `Clock` and waits on
/// timers that the clock makes, so that a test or a simulation with a `testing::ManualClock`
/// decides what time it is. A timer only wakes; what is due is decided by comparing with the clock.

#ifndef SOJOURN_ASYNC_CLOCK_HPP
#define SOJOURN_ASYNC_CLOCK_HPP

#include "sojourn/core/time.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/system/error_code.hpp>

#include <memory>

namespace sojourn {

/// Waits for a moment of its clock.
///
/// *Thread safety*: none; one wait at a time. *Lifetime*: destroying it cancels the wait.
class Timer {
public:
    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    Timer(Timer&&) = delete;
    Timer& operator=(Timer&&) = delete;
    virtual ~Timer() = default;

    /// Completes when the clock has reached the deadline, with no error, or with
    /// `operation_aborted` when cancelled. Never from inside this function.
    virtual void start_wait(
        TimePoint deadline,
        boost::asio::any_completion_handler<void(boost::system::error_code)> handler
    ) = 0;

    /// Ends the wait, if there is one.
    virtual void cancel() = 0;
};

/// A source of time.
///
/// *Thread safety*: all members, any thread.
class Clock {
public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    Clock(Clock&&) = delete;
    Clock& operator=(Clock&&) = delete;
    virtual ~Clock() = default;

    /// What deadlines are measured in.
    [[nodiscard]] virtual TimePoint steady() const noexcept = 0;

    /// How far `steady_coarse` may lag behind.
    static constexpr Duration coarse_lag = std::chrono::milliseconds(10);

    /// The same moment as `steady`, or one before it, by no more than `coarse_lag`. For what need
    /// not be exact and must be cheap. By default it is exact.
    [[nodiscard]] virtual TimePoint steady_coarse() const noexcept { return steady(); }

    /// What people are shown.
    [[nodiscard]] virtual WallTime wall() const noexcept = 0;

    /// A timer whose handlers run on `executor` unless they bring their own.
    [[nodiscard]] virtual std::unique_ptr<Timer>
    make_timer(const boost::asio::any_io_executor& executor) = 0;
};

/// The clocks of the operating system.
class SystemClock final : public Clock {
public:
    [[nodiscard]] TimePoint steady() const noexcept override;
    /// On Linux as of the last tick of the kernel, and several times cheaper.
    [[nodiscard]] TimePoint steady_coarse() const noexcept override;
    [[nodiscard]] WallTime wall() const noexcept override;
    [[nodiscard]] std::unique_ptr<Timer> make_timer(const boost::asio::any_io_executor& executor
    ) override;
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_CLOCK_HPP

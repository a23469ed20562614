/// @file
/// Private header. A wait that ends at a moment or when somebody rings, for any executor: what an
/// `Alarm` is, but once, and without a strand. A strand that has no memory to schedule itself never
/// runs again, and whoever waits on it hangs.

#ifndef SOJOURN_ASYNC_BELL_HPP
#define SOJOURN_ASYNC_BELL_HPP

#include "sojourn/async/async_semaphore.hpp"
#include "sojourn/async/clock.hpp"
#include "sojourn/core/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <memory>
#include <utility>

namespace sojourn {

/// A bell, for one coroutine. A semaphore without permits: to wait is to wait for one in vain, and
/// to ring is to close it.
///
/// *Thread safety*: `ring` and `has_rung` from any thread. *Lifetime*: must outlive its wait; may
/// outlive its execution context.
class Bell {
public:
    Bell(const boost::asio::any_io_executor& executor, std::shared_ptr<Clock> clock)
        : clock_(std::move(clock)), line_(executor, SemaphoreOptions().permits(0), clock_)
    {
    }

    /// Waits until the clock reaches the moment or the bell has rung.
    [[nodiscard]] boost::asio::awaitable<void> wait_until(TimePoint moment)
    {
        const auto limit = moment == TimePoint::max() ? Duration::max() : moment - clock_->steady();
        // How it ended the caller sees where he looks for what he waits for.
        static_cast<void>(co_await line_.acquire(limit));
    }

    /// Ends the wait, also one that comes later. If there is no memory to go on with, the coroutine
    /// that waits is destroyed.
    void ring() noexcept
    {
        has_rung_.store(true, std::memory_order_relaxed);
        line_.close();
    }

    [[nodiscard]] bool has_rung() const noexcept
    {
        return has_rung_.load(std::memory_order_relaxed);
    }

private:
    std::shared_ptr<Clock> clock_;
    AsyncSemaphore line_;
    std::atomic<bool> has_rung_{false};
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_BELL_HPP

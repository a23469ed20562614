/// @file
/// Private header. Something that happens once, and those who wait for it. Needs no strand: one
/// that has no memory to schedule itself never runs again, and whoever waits on it hangs.

#ifndef SOJOURN_ASYNC_LATCH_HPP
#define SOJOURN_ASYNC_LATCH_HPP

#include "sojourn/async/async_semaphore.hpp"
#include "sojourn/async/clock.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/core/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <memory>

namespace sojourn {

/// Closed, then open for ever. A semaphore without permits: who waits for one waits for its end.
///
/// *Thread safety*, *Lifetime*, *Cancellation*: as `AsyncSemaphore`.
class Latch {
public:
    /// `max_waiters`: those who may wait at a time.
    Latch(
        const boost::asio::any_io_executor& executor,
        const std::shared_ptr<Clock>& clock,
        std::size_t max_waiters = SemaphoreOptions::most
    );

    /// Waits until `open`; for ever with `Duration::max()`. *Errors*: `timed_out`; `overloaded`, at
    /// once; one equal to `operation_aborted`.
    [[nodiscard]] boost::asio::awaitable<Result<void>> wait(Duration limit);

    /// Completes all who wait, and who will. A coroutine for which there is no memory to go on with
    /// is destroyed.
    void open() noexcept
    {
        is_open_.store(true, std::memory_order_relaxed);
        line_.close();
    }

    [[nodiscard]] bool is_open() const noexcept { return is_open_.load(std::memory_order_relaxed); }

private:
    AsyncSemaphore line_;
    std::atomic<bool> is_open_{false};
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_LATCH_HPP

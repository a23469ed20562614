/// @file
/// Private header. Something that happens once, and those who wait for it.

#ifndef SOJOURN_ASYNC_LATCH_HPP
#define SOJOURN_ASYNC_LATCH_HPP

#include "sojourn/async/async_semaphore.hpp"
#include "sojourn/async/clock.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/core/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>

namespace sojourn {

/// Closed, then open for ever. A semaphore whose only permit is never given back: who waits for it
/// waits for its end.
///
/// *Thread safety*, *Lifetime*, *Cancellation*: as `AsyncSemaphore`.
class Latch {
public:
    Latch(const boost::asio::any_io_executor& executor, const std::shared_ptr<Clock>& clock);

    /// Waits until `open`; for ever with `Duration::max()`. *Errors*: `timed_out`; one equal to
    /// `operation_aborted`.
    [[nodiscard]] boost::asio::awaitable<Result<void>> wait(Duration limit);

    /// Completes all who wait, and who will.
    void open() noexcept { line_.close(); }

private:
    AsyncSemaphore line_;
    Permit never_;
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_LATCH_HPP

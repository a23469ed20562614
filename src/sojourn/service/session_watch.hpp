/// @file
/// Private header. What those wait for who lease a session: its end, or their turn with it. Few
/// sessions are waited for, so it is kept beside the table and made on demand.

#ifndef SOJOURN_SERVICE_SESSION_WATCH_HPP
#define SOJOURN_SERVICE_SESSION_WATCH_HPP

#include "sojourn/async/async_semaphore.hpp"
#include "sojourn/async/clock.hpp"
#include "sojourn/async/latch.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/core/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>

namespace sojourn {

/// Of one session, until it ends or nobody leases it any more.
///
/// *Thread safety*: all members, any thread.
class SessionWatch {
public:
    SessionWatch(const boost::asio::any_io_executor& executor, const std::shared_ptr<Clock>& clock);

    /// Waits until `end`. *Errors*: one equal to `operation_aborted`.
    [[nodiscard]] boost::asio::awaitable<Result<void>> until_end();

    /// Waits for those who came before to give theirs back. *Errors*: `timed_out`; `stopping` after
    /// `end`; one equal to `operation_aborted`.
    [[nodiscard]] boost::asio::awaitable<Result<Permit>> take_turn(Duration limit);

    /// Completes all who wait, and who will.
    void end() noexcept;

private:
    Latch end_;
    AsyncSemaphore turns_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_SESSION_WATCH_HPP

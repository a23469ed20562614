/// @file
/// Private header. A wait that ends at a moment or when somebody rings, whichever comes first.

#ifndef SOJOURN_ASYNC_ALARM_HPP
#define SOJOURN_ASYNC_ALARM_HPP

#include "sojourn/async/clock.hpp"
#include "sojourn/async/shutdown_hook.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <memory>

namespace sojourn {

/// An alarm for one waiting coroutine, which must run on `strand`, an executor that runs one thing
/// at a time. Made by `make_shared`.
///
/// *Thread safety*: `ring` from any thread; `wait_until` on the strand. *Lifetime*: may outlive its
/// execution context.
class Alarm final : public std::enable_shared_from_this<Alarm>, private ShutdownHook {
public:
    Alarm(const boost::asio::any_io_executor& strand, Clock& clock);

    /// Waits until the clock reaches `deadline` or `ring` is called. A ring that came since the
    /// last wait ended ends this one at once, so none is lost.
    [[nodiscard]] boost::asio::awaitable<void> wait_until(TimePoint deadline);

    /// Ends the wait, or the next one if there is none. Several rings may end one wait.
    void ring() noexcept;

private:
    void on_context_shutdown() noexcept override;

    boost::asio::any_io_executor strand_;
    std::unique_ptr<Timer> timer_;
    std::atomic<bool> has_rung_{false};
    /// Whether a cancellation of the wait is on its way to the strand.
    std::atomic<bool> is_posted_{false};
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_ALARM_HPP

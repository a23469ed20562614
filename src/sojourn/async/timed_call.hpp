/// @file
/// Private header. Runs a coroutine that is not ours and may take for ever: after some time it is
/// cancelled, and nobody waits for it any longer.

#ifndef SOJOURN_ASYNC_TIMED_CALL_HPP
#define SOJOURN_ASYNC_TIMED_CALL_HPP

#include "sojourn/async/alarm.hpp"
#include "sojourn/async/clock.hpp"
#include "sojourn/core/time.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>

namespace sojourn {

/// Makes such calls, one after the other.
///
/// *Thread safety*: one coroutine at a time, always on the same strand; the calls run on it too.
/// *Lifetime*: a call that was left to itself may outlive this.
class TimedCaller {
public:
    using Make = std::function<boost::asio::awaitable<void>()>;

    /// Calls that may be left to themselves at a time; one more is waited for.
    static constexpr std::size_t max_abandoned = 8;

    TimedCaller(std::shared_ptr<Clock> clock, Duration limit);

    /// Runs the coroutine that `make` returns until it ends or the limit is over, and gives what it
    /// threw, or `errc::timed_out` as a `system_error`. Null if it ended well.
    ///
    /// *Exceptions*: `bad_alloc`, and then `make` was not called.
    [[nodiscard]] boost::asio::awaitable<std::exception_ptr> call(Make make);

private:
    struct Call;
    class Completion;

    static boost::asio::awaitable<void> begin(std::shared_ptr<Call> call, Make make);

    const std::shared_ptr<Clock> clock_;
    const Duration limit_;
    /// Those that were abandoned and have not ended; they know it.
    const std::shared_ptr<std::size_t> abandoned_ = std::make_shared<std::size_t>(0);
    std::shared_ptr<Alarm> alarm_;
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_TIMED_CALL_HPP

#include "sojourn/async/alarm.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace asio = boost::asio;

namespace sojourn {

Alarm::Alarm(const asio::any_io_executor& strand, Clock& clock)
    : ShutdownHook(asio::query(strand, asio::execution::context)), strand_(strand), timer_(clock.make_timer(strand))
{
}

asio::awaitable<void> Alarm::wait_until(TimePoint deadline)
{
    // A ring from here on posts to this strand, so it finds the timer waiting.
    if (!has_rung_.exchange(false, std::memory_order_acq_rel)) {
        const auto start = [](auto handler, Timer* timer, TimePoint until) {
            timer->start_wait(until, std::move(handler));
        };
        // The error only tells how the wait ended, and the caller looks at the clock anyway.
        constexpr auto token = asio::as_tuple(asio::use_awaitable);
        co_await asio::async_initiate<decltype(token), void(boost::system::error_code)>(
            start, token, timer_.get(), deadline
        );
        has_rung_.exchange(false, std::memory_order_acq_rel);
    }
}

void Alarm::ring() noexcept
{
    if (has_rung_.exchange(true, std::memory_order_acq_rel) || !strand_) {
        return;
    }
    try {
        asio::post(strand_, [self = shared_from_this()] {
            if (self->timer_) {
                self->timer_->cancel();
            }
        });
    } catch (...) {
        // No memory to wake the waiter with. It finds the ring when its time has come.
    }
}

void Alarm::on_context_shutdown() noexcept
{
    timer_.reset();
    strand_ = asio::any_io_executor();
}

} // namespace sojourn

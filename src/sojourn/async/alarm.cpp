#include "sojourn/async/alarm.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace asio = boost::asio;

namespace sojourn {

Alarm::Alarm(const asio::any_io_executor& strand, Clock& clock)
    : ShutdownHook(asio::query(strand, asio::execution::context)),
      strand_(strand),
      timer_(clock.make_timer(strand))
{
}

asio::awaitable<void> Alarm::wait_until(TimePoint deadline)
{
    // A ring from here on posts to this strand, so it finds the timer waiting.
    if (!has_rung_.exchange(false, std::memory_order_seq_cst)) {
        const auto start = [](auto handler, Timer* timer, TimePoint until) {
            timer->start_wait(until, std::move(handler));
        };
        // The error only tells how the wait ended, and the caller looks at the clock anyway.
        constexpr auto token = asio::as_tuple(asio::use_awaitable);
        co_await asio::async_initiate<decltype(token), void(boost::system::error_code)>(
            start, token, timer_.get(), deadline
        );
        has_rung_.exchange(false, std::memory_order_seq_cst);
    }
}

void Alarm::ring() noexcept
{
    has_rung_.store(true, std::memory_order_seq_cst);
    if (!strand_ || is_posted_.exchange(true, std::memory_order_seq_cst)) {
        return;
    }
    try {
        asio::post(strand_, [self = shared_from_this()] {
            self->is_posted_.store(false, std::memory_order_seq_cst);
            // Not if a wait has taken the ring in: this would end the next one, too.
            if (self->timer_ && self->has_rung_.load(std::memory_order_seq_cst)) {
                self->timer_->cancel();
            }
        });
    } catch (...) {
        // No memory to wake the waiter with: the next ring tries again.
        is_posted_.store(false, std::memory_order_seq_cst);
    }
}

void Alarm::on_context_shutdown() noexcept
{
    // The waiter, which goes with the timer, may hold the last reference to this.
    const auto self = weak_from_this().lock();
    timer_.reset();
    strand_ = asio::any_io_executor();
}

} // namespace sojourn

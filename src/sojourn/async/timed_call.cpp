#include "sojourn/async/timed_call.hpp"

#include "sojourn/core/error.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <new>
#include <utility>

namespace asio = boost::asio;
using boost::asio::awaitable;

namespace sojourn {

struct TimedCaller::Call {
    std::shared_ptr<Alarm> alarm;
    std::shared_ptr<std::size_t> abandoned;
    asio::cancellation_signal cancel;
    std::exception_ptr failure;
    bool has_begun = false;
    bool has_ended = false;
    bool is_abandoned = false;

    void end() noexcept
    {
        has_ended = true;
        if (is_abandoned) {
            --*abandoned;
        }
        alarm->ring();
    }
};

/// Notes the end of the call, even if that is only that its frame was lost for want of memory.
class TimedCaller::Completion {
public:
    explicit Completion(std::shared_ptr<Call> call) noexcept : call_(std::move(call)) {}

    Completion(Completion&& other) noexcept = default;
    Completion& operator=(Completion&&) = delete;
    Completion(const Completion&) = delete;
    Completion& operator=(const Completion&) = delete;

    ~Completion()
    {
        if (call_) {
            call_->end();
        }
    }

    void operator()(std::exception_ptr failure) noexcept
    {
        call_->failure = std::move(failure);
        std::exchange(call_, nullptr)->end();
    }

private:
    std::shared_ptr<Call> call_;
};

TimedCaller::TimedCaller(std::shared_ptr<Clock> clock, Duration limit)
    : clock_(std::move(clock)), limit_(limit)
{
}

awaitable<std::exception_ptr> TimedCaller::call(Make make)
{
    const auto strand = co_await asio::this_coro::executor;
    if (!alarm_) {
        alarm_ = std::make_shared<Alarm>(strand, *clock_);
    }
    const auto call = std::make_shared<Call>();
    call->alarm = alarm_;
    call->abandoned = abandoned_;
    auto completion = asio::bind_cancellation_slot(call->cancel.slot(), Completion(call));
    asio::co_spawn(strand, begin(call, std::move(make)), std::move(completion));

    const auto deadline = saturating_add(clock_->steady(), limit_);
    bool is_cancelled = false;
    while (!call->has_ended) {
        // One that has not begun is not late: the strand is.
        const bool is_late = call->has_begun && clock_->steady() >= deadline;
        if (is_late && !is_cancelled) {
            is_cancelled = true;
            call->cancel.emit(asio::cancellation_type::all);
        } else if (is_late && *abandoned_ < max_abandoned) {
            ++*abandoned_;
            call->is_abandoned = true;
            break;
        } else {
            // One of the abandoned rings too when it ends.
            co_await alarm_->wait_until(is_late ? TimePoint::max() : deadline);
        }
    }
    if (is_cancelled) {
        co_return std::make_exception_ptr(
            boost::system::system_error(make_error_code(errc::timed_out))
        );
    }
    if (!call->has_begun) {
        throw std::bad_alloc();
    }
    co_return call->failure;
}

awaitable<void> TimedCaller::begin(std::shared_ptr<Call> call, Make make)
{
    call->has_begun = true;
    call.reset();
    co_await make();
}

} // namespace sojourn

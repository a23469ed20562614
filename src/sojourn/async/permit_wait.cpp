#include "sojourn/async/permit_wait.hpp"

#include "sojourn/async/clock.hpp"
#include "sojourn/async/semaphore_state.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/execution/bad_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>

#include <utility>

namespace asio = boost::asio;

namespace sojourn {

namespace {

/// A result on its way. Posted where its handler belongs, or where that can be passed on to it.
class Delivery {
public:
    using executor_type = asio::any_completion_executor;

    Delivery(
        const asio::any_io_executor& executor,
        PermitHandler handler,
        std::unique_ptr<PermitTimer> timer,
        Result<Permit> result
    )
        : executor_(asio::get_associated_executor(handler, executor)),
          result_(std::move(result)),
          timer_(std::move(timer)),
          handler_(std::move(handler))
    {
    }

    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }

    void operator()()
    {
        timer_.reset();
        // Only here nobody else uses the slot.
        if (auto slot = asio::get_associated_cancellation_slot(handler_); slot.is_connected()) {
            slot.clear();
        }
        std::move(handler_)(std::move(result_));
    }

private:
    asio::any_completion_executor executor_;
    Result<Permit> result_;
    std::unique_ptr<PermitTimer> timer_;
    PermitHandler handler_;
};

} // namespace

PermitTimer::PermitTimer(
    std::weak_ptr<SemaphoreState> state,
    const asio::any_io_executor& home,
    std::unique_ptr<Timer> timer,
    TimePoint at
)
    : ShutdownHook(asio::query(home, asio::execution::context)), timer_(std::move(timer))
{
    timer_->start_wait(at, [state = std::move(state)](boost::system::error_code /*how*/) {
        // Who is due, the clock says.
        if (const auto locked = state.lock()) {
            locked->nudge();
        }
    });
}

PermitTimer::~PermitTimer() = default;

void PermitTimer::on_context_shutdown() noexcept
{
    timer_.reset();
}

void deliver_permit(
    const asio::any_io_executor& executor,
    PermitHandler handler,
    std::unique_ptr<PermitTimer> timer,
    Result<Permit> result
)
{
    asio::post(
        executor, Delivery(executor, std::move(handler), std::move(timer), std::move(result))
    );
}

PermitWait::PermitWait(
    std::shared_ptr<SemaphoreState> state,
    TimePoint deadline,
    const asio::any_io_executor& executor,
    PermitHandler handler
)
    : Waiter(deadline),
      state_(std::move(state)),
      executor_(asio::prefer(executor, asio::execution::outstanding_work.tracked)),
      work_(asio::get_associated_executor(handler, executor)),
      handler_(std::move(handler))
{
}

PermitWait::~PermitWait() = default;

void PermitWait::prepare()
{
    if (deadline() != TimePoint::max()) {
        const auto& home = state_->home();
        if (!home) {
            throw asio::execution::bad_executor();
        }
        timer_ = std::make_unique<PermitTimer>(
            state_, home, state_->clock().make_timer(home), deadline()
        );
    }
    if (auto slot = asio::get_associated_cancellation_slot(handler_); slot.is_connected()) {
        slot.assign([weak = weak_from_this()](asio::cancellation_type type) {
            const auto self = weak.lock();
            if (self && type != asio::cancellation_type::none) {
                self->state_->cancel(*self);
            }
        });
    }
}

void PermitWait::complete(Result<Permit> result) noexcept
{
    const auto self = std::move(self_);
    const auto executor = std::move(executor_);
    const auto work = std::move(work_);
    try {
        deliver_permit(executor, std::move(handler_), std::move(timer_), std::move(result));
    } catch (...) {
        // No memory to complete with: the handler is destroyed, which its owner notices, and the
        // permit goes back.
    }
}

void PermitWait::abandon() noexcept
{
    const auto self = std::move(self_);
    timer_.reset();
    const auto handler = std::move(handler_);
    work_.reset();
    executor_ = asio::any_io_executor();
}

} // namespace sojourn

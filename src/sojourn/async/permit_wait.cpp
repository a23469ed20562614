#include "sojourn/async/permit_wait.hpp"

#include "sojourn/async/clock.hpp"
#include "sojourn/async/semaphore_state.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/bad_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>

#include <new>
#include <utility>

namespace asio = boost::asio;

namespace sojourn {

namespace {

/// The same executor, which counts as busy. Asio makes an empty one if there is no memory.
template <class Executor>
Executor kept_busy(const Executor& executor)
{
    if (!executor) {
        throw std::bad_alloc();
    }
    Executor busy(asio::prefer(executor, asio::execution::outstanding_work_t::tracked));
    if (!busy) {
        throw std::bad_alloc();
    }
    return busy;
}

/// Calls the handler. Only there nobody else uses its slot.
void finish(std::shared_ptr<PermitEnding> ending)
{
    ending->timer.reset();
    if (auto slot = asio::get_associated_cancellation_slot(ending->handler); slot.is_connected()) {
        slot.clear();
    }
    auto handler = std::move(ending->handler);
    auto result = std::move(ending->result);
    // The memory goes back before the handler is called.
    ending.reset();
    std::move(handler)(std::move(result));
}

/// A result on its way.
class Delivery {
public:
    explicit Delivery(std::shared_ptr<PermitEnding> ending) noexcept : ending_(std::move(ending)) {}

    void operator()()
    {
        if (!ending_->own) {
            finish(std::move(ending_));
            return;
        }
        const auto own = std::move(ending_->own);
        try {
            asio::dispatch(own, [ending = ending_] { finish(ending); });
        } catch (...) {
            if (!ending_->handler) {
                // The handler has been called: what was thrown is its own.
                throw;
            }
            // No memory for this last step: the handler is destroyed, which its owner notices.
        }
    }

private:
    std::shared_ptr<PermitEnding> ending_;
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

PermitEnding::PermitEnding(
    const asio::any_io_executor& executor, PermitRoute route, PermitHandler taken
)
    : handler(std::move(taken))
{
    if (route == PermitRoute::by_home) {
        own = kept_busy(asio::get_associated_executor(handler, executor));
    }
}

PermitEnding::~PermitEnding()
{
    // One after the other and not one within the other: there may be many.
    while (dropped_before != nullptr) {
        auto next = std::move(dropped_before->dropped_before);
        dropped_before = std::move(next);
    }
}

void deliver_permit(
    const asio::any_io_executor& executor,
    PermitRoute route,
    PermitHandler handler,
    Result<Permit> result
)
{
    auto ending = std::make_shared<PermitEnding>(executor, route, std::move(handler));
    ending->result = std::move(result);
    asio::post(executor, Delivery(std::move(ending)));
}

PermitWait::PermitWait(
    std::shared_ptr<SemaphoreState> state,
    TimePoint deadline,
    const asio::any_io_executor& executor,
    PermitRoute route,
    PermitHandler handler
)
    : Waiter(deadline),
      state_(std::move(state)),
      executor_(kept_busy(executor)),
      ending_(std::make_shared<PermitEnding>(executor, route, std::move(handler)))
{
}

PermitWait::~PermitWait() = default;

void PermitWait::prepare()
{
    if (deadline() != PermitQueue::no_wait && deadline() != TimePoint::max()) {
        const auto& home = state_->home();
        if (!home) {
            throw asio::execution::bad_executor();
        }
        ending_->timer = std::make_unique<PermitTimer>(
            state_, home, state_->clock().make_timer(home), deadline()
        );
    }
    if (auto slot = asio::get_associated_cancellation_slot(ending_->handler); slot.is_connected()) {
        slot.assign([weak = weak_from_this()](asio::cancellation_type type) {
            const auto self = weak.lock();
            if (self && type != asio::cancellation_type::none) {
                self->state_->cancel(*self);
            }
        });
    }
}

std::shared_ptr<PermitEnding> PermitWait::complete(Result<Permit> result) noexcept
{
    const auto executor = std::move(executor_);
    auto ending = std::move(ending_);
    ending->result = std::move(result);
    try {
        asio::post(executor, Delivery(ending));
    } catch (...) {
        // No memory to complete with: the handler will be destroyed, which its owner notices. The
        // permit need not wait for that.
        ending->result = Permit();
        return ending;
    }
    // A strand of a context that is being destroyed takes what is posted and destroys it at once.
    return ending.use_count() == 1 ? ending : nullptr;
}

void PermitWait::abandon() noexcept
{
    const auto self = std::move(self_);
    ending_.reset();
    executor_ = asio::any_io_executor();
}

} // namespace sojourn

#include "sojourn/async/async_semaphore.hpp"

#include "sojourn/async/gate.hpp"
#include "sojourn/async/permit_wait.hpp"
#include "sojourn/async/semaphore_state.hpp"
#include "sojourn/detail/assert.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/execution/bad_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace asio = boost::asio;
using boost::asio::awaitable;

namespace sojourn {

namespace {

using State = std::shared_ptr<SemaphoreState>;

/// Some tens of microseconds: longer than any turn takes that is not interrupted.
constexpr int tries_to_acquire = 1000;
/// Most turns are shorter than this, and there is a queue for the rest.
constexpr int tries_before_waiting = 50;

constexpr auto metrics_turn = [](ConfinedPermits& permits) noexcept { return permits.metrics(); };

TimePoint deadline_after(const Clock& clock, Duration limit)
{
    if (limit == Duration::max()) {
        return TimePoint::max();
    }
    return limit > Duration::zero() ? saturating_add(clock.steady(), limit) : PermitQueue::no_wait;
}

/// Gets ready to wait in line. Nothing can fail from here on; the caller has only to enter.
std::shared_ptr<PermitWait> prepare_wait(
    const State& state,
    Duration limit,
    const asio::any_io_executor& executor,
    PermitRoute route,
    PermitHandler handler
)
{
    const auto deadline = deadline_after(state->clock(), limit);
    auto wait = std::make_shared<PermitWait>(state, deadline, executor, route, std::move(handler));
    wait->prepare();
    return wait;
}

void start(
    const State& state,
    Duration limit,
    const asio::any_io_executor& executor,
    PermitRoute route,
    PermitHandler handler
)
{
    if (!executor) {
        throw asio::execution::bad_executor();
    }
    if (auto decided = state->ask(IfNoneFree::wait, tries_before_waiting)) {
        deliver_permit(executor, route, std::move(handler), std::move(*decided));
    } else {
        const auto wait = prepare_wait(state, limit, executor, route, std::move(handler));
        state->enter(*wait);
    }
}

/// Resumes a coroutine that waits. Made before the coroutine is suspended, as that takes memory,
/// and told then what it resumes: an exception on the way into a suspension would destroy the
/// coroutine and leave the executor's `run`.
class Resumption {
public:
    using Suspended =
        asio::async_result<asio::use_awaitable_t<>, void(Result<Permit>)>::handler_type;
    using Place = std::optional<Suspended>;
    using executor_type = asio::any_io_executor;
    using cancellation_slot_type = asio::cancellation_slot;

    Resumption(executor_type executor, cancellation_slot_type slot)
        : place_(std::make_unique<Place>()), executor_(std::move(executor)), slot_(slot)
    {
    }

    /// Where to put the suspended coroutine. It goes with this if it is not resumed.
    [[nodiscard]] Place& place() const noexcept { return *place_; }

    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }

    [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }

    void operator()(Result<Permit> result)
    {
        auto suspended = std::move(*std::exchange(place_, nullptr));
        SOJOURN_ASSERT(suspended.has_value());
        std::move (*suspended)(std::move(result));
    }

private:
    std::unique_ptr<Place> place_;
    executor_type executor_;
    cancellation_slot_type slot_;
};

awaitable<Result<Permit>> acquire_from(State state, Duration limit)
{
    if (!spend_inline_budget()) {
        co_await asio::post(asio::use_awaitable);
        renew_inline_budget();
    }
    if (auto decided = state->ask(IfNoneFree::wait, tries_before_waiting)) {
        co_return std::move(*decided);
    }
    const auto executor = co_await asio::this_coro::executor;
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    Resumption resumption(executor, cancellation.slot());
    auto* const place = &resumption.place();
    const auto wait =
        prepare_wait(state, limit, executor, PermitRoute::direct, std::move(resumption));
    const auto suspend = [place, &wait, &state](Resumption::Suspended suspended) {
        place->emplace(std::move(suspended));
        // The frame, and what it holds, may go from here on.
        // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): that is why it is copied
        const auto keep = state;
        keep->enter(*wait);
    };
    auto result =
        co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<Permit>)>(
            suspend, asio::use_awaitable
        );
    renew_inline_budget();
    co_return result;
}

awaitable<SemaphoreMetrics> metrics_of(State state)
{
    co_return co_await state->permits().call(metrics_turn);
}

} // namespace

AsyncSemaphore::AsyncSemaphore(
    const asio::any_io_executor& executor, SemaphoreOptions options, std::shared_ptr<Clock> clock
)
    : state_(std::make_shared<SemaphoreState>(executor, options, std::move(clock)))
{
}

AsyncSemaphore::~AsyncSemaphore()
{
    close();
}

Result<Permit> AsyncSemaphore::try_acquire() noexcept
{
    if (auto decided = state_->ask(IfNoneFree::refuse, tries_to_acquire)) {
        return std::move(*decided);
    }
    return state_->turn_away();
}

awaitable<Result<Permit>> AsyncSemaphore::acquire()
{
    return acquire_from(state_, default_limit());
}

awaitable<Result<Permit>> AsyncSemaphore::acquire(Duration limit)
{
    return acquire_from(state_, limit);
}

void AsyncSemaphore::close() noexcept
{
    state_->close();
}

Result<void> AsyncSemaphore::resize(std::size_t permits) noexcept
{
    if (permits > SemaphoreOptions::most) {
        return errc::invalid_options;
    }
    state_->resize(permits);
    return {};
}

awaitable<SemaphoreMetrics> AsyncSemaphore::metrics()
{
    return metrics_of(state_);
}

Duration AsyncSemaphore::default_limit() const noexcept
{
    return state_->options().max_wait().value_or(Duration::max());
}

const asio::any_io_executor& AsyncSemaphore::home_of(const SemaphoreState& state) noexcept
{
    return state.home();
}

void AsyncSemaphore::start_acquire(
    const State& state, Duration limit, const asio::any_io_executor& executor, Handler handler
)
{
    start(state, limit, executor, PermitRoute::direct, std::move(handler));
}

void AsyncSemaphore::start_acquire_by_home(
    const State& state, Duration limit, const asio::any_io_executor& home, Handler handler
)
{
    start(state, limit, home, PermitRoute::by_home, std::move(handler));
}

void AsyncSemaphore::start_metrics(const State& state, MetricsHandler handler)
{
    state->permits().async_call(metrics_turn, std::move(handler));
}

} // namespace sojourn

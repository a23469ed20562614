#include "sojourn/async/semaphore_state.hpp"

#include "sojourn/detail/pause.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/query.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace asio = boost::asio;

namespace sojourn {

namespace {

using Stack = std::atomic<PermitWait*>;
using Link = PermitWait* PermitWait::*;

/// Treiber's stack (1986).
void push(Stack& stack, PermitWait& wait, Link next) noexcept
{
    auto* top = stack.load(std::memory_order_relaxed);
    do {
        wait.*next = top;
    } while (!stack.compare_exchange_weak(
        top, &wait, std::memory_order_release, std::memory_order_relaxed
    ));
}

/// Takes the whole stack as a queue: first come, first served.
PermitWait* take_all(Stack& stack, Link next) noexcept
{
    if (stack.load(std::memory_order_relaxed) == nullptr) {
        return nullptr;
    }
    PermitWait* first = nullptr;
    for (auto* wait = stack.exchange(nullptr, std::memory_order_acquire); wait != nullptr;) {
        first = std::exchange(wait, std::exchange(wait->*next, first));
    }
    return first;
}

Error refusal(PermitState state, Duration retry_after)
{
    switch (state) {
    case PermitState::overloaded:
        return {errc::overloaded, retry_after};
    case PermitState::timed_out:
        return errc::timed_out;
    case PermitState::cancelled:
        return make_error_code(asio::error::operation_aborted);
    default:
        return errc::stopping;
    }
}

SemaphoreOptions checked(const SemaphoreOptions& options)
{
    if (const auto invalid = options.validate()) {
        throw boost::system::system_error(
            make_error_code(errc::invalid_options), invalid->message()
        );
    }
    return options;
}

} // namespace

void ConfinedPermits::nudged() noexcept
{
    if (is_up_to_date()) {
        return;
    }
    const auto now = clock_->steady();
    // Taken first and let in last: what one did before he came, to close or to give back a permit,
    // has been noted by then.
    auto* const arrived = take_all(notes_->arrived, &PermitWait::next_);
    if (notes_->is_closed.load(std::memory_order_relaxed)) {
        queue_.close();
    }
    queue_.expire(now);
    // Before any permit is granted: it would go to one who does not want it any more.
    read_cancellations();
    if (const auto limit = notes_->limit.load(std::memory_order_relaxed); limit != queue_.limit()) {
        queue_.resize(limit, now);
    }
    queue_.give_back(notes_->returned.exchange(0, std::memory_order_acquire), now);
    let_in(arrived, now);
    tell_decided();
}

PermitState ConfinedPermits::ask(IfNoneFree otherwise) noexcept
{
    // Those who came before are before.
    nudged();
    if (queue_.try_take()) {
        return PermitState::granted;
    }
    const auto state = otherwise == IfNoneFree::wait ? queue_.refuse_at_once(clock_->steady())
                                                     : queue_.turn_away();
    tell_decided();
    return state;
}

SemaphoreMetrics ConfinedPermits::metrics() noexcept
{
    nudged();
    auto metrics = queue_.metrics();
    const auto turned_away = notes_->turned_away.load(std::memory_order_relaxed);
    const auto closed = notes_->turned_away_closed.load(std::memory_order_relaxed);
    metrics.entered += turned_away + closed;
    metrics.refused_overloaded += turned_away;
    metrics.refused_stopping += closed;
    return metrics;
}

/// Whether there is nothing to read, and nobody who may be due.
bool ConfinedPermits::is_up_to_date() const noexcept
{
    return notes_->returned.load(std::memory_order_relaxed) == 0 &&
           notes_->arrived.load(std::memory_order_relaxed) == nullptr &&
           notes_->cancelled.load(std::memory_order_relaxed) == nullptr &&
           notes_->limit.load(std::memory_order_relaxed) == queue_.limit() &&
           notes_->is_closed.load(std::memory_order_relaxed) == queue_.is_closed() &&
           queue_.next_deadline() == TimePoint::max();
}

void ConfinedPermits::read_cancellations() noexcept
{
    for (auto* wait = take_all(notes_->cancelled, &PermitWait::next_cancelled_); wait != nullptr;) {
        const auto self = std::move(wait->cancelled_self_);
        wait = self->next_cancelled_;
        // It may be on its way into the queue.
        self->is_cancelled_ = true;
        queue_.cancel(*self);
    }
}

void ConfinedPermits::let_in(PermitWait* arrived, TimePoint now) noexcept
{
    while (arrived != nullptr) {
        auto& wait = *std::exchange(arrived, arrived->next_);
        queue_.enter(wait, now);
        if (wait.is_cancelled_) {
            queue_.cancel(wait);
        }
    }
}

/// Completes those that were decided about, by post.
void ConfinedPermits::tell_decided() noexcept
{
    while (auto* const decided = queue_.take_decided()) {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-static-cast-downcast): only waits are let in
        auto& wait = static_cast<PermitWait&>(*decided);
        if (notes_->is_shutting_down.load(std::memory_order_relaxed)) {
            push(notes_->abandoned, wait, &PermitWait::next_);
            continue;
        }
        const auto self = std::move(wait.self_);
        auto& semaphore = wait.semaphore();
        auto left = wait.complete(
            wait.state() == PermitState::granted
                ? Result<Permit>(semaphore.make_permit())
                : Result<Permit>(refusal(wait.state(), queue_.retry_after()))
        );
        if (left != nullptr) {
            drop_after_turn(semaphore.permits(), std::move(left));
        }
    }
}

/// The gate keeps one object for this; so that it keeps all, each keeps the one before.
void ConfinedPermits::drop_after_turn(
    Confined<ConfinedPermits>& permits, std::shared_ptr<PermitEnding> ending
) noexcept
{
    ending->dropped_before = std::exchange(last_dropped_, ending).lock();
    permits.drop_after_turn(std::move(ending));
}

SemaphoreState::SemaphoreState(
    const asio::any_io_executor& executor,
    const SemaphoreOptions& options,
    std::shared_ptr<Clock> clock
)
    : ShutdownHook(asio::query(executor, asio::execution::context)),
      options_(checked(options)),
      clock_(std::move(clock)),
      home_(executor),
      notes_(std::make_shared<SemaphoreNotes>(options.permits())),
      permits_(executor, options_, clock_, notes_)
{
}

std::optional<Result<Permit>> SemaphoreState::ask(IfNoneFree otherwise, int tries) noexcept
{
    auto state = PermitState::queued;
    auto retry_after = Duration::zero();
    const auto turn = [&](ConfinedPermits& permits) noexcept {
        state = permits.ask(otherwise);
        if (state == PermitState::overloaded) {
            retry_after = permits.retry_after();
        }
    };
    while (!permits_.try_turn(turn)) {
        if (--tries <= 0) {
            return std::nullopt;
        }
        if (tries == 1) {
            // Perhaps nobody is inside, and a drain only waits for the executor: this goes on with
            // it.
            nudge();
        }
        detail::pause();
    }
    if (state == PermitState::queued) {
        return std::nullopt;
    }
    if (state == PermitState::granted) {
        return make_permit();
    }
    return refusal(state, retry_after);
}

Error SemaphoreState::turn_away() noexcept
{
    if (notes_->is_closed.load(std::memory_order_relaxed)) {
        notes_->turned_away_closed.fetch_add(1, std::memory_order_relaxed);
        return errc::stopping;
    }
    notes_->turned_away.fetch_add(1, std::memory_order_relaxed);
    // What others waited on average is not to be had here.
    return {errc::overloaded, PermitQueue::shortest_retry};
}

void SemaphoreState::enter(PermitWait& wait) noexcept
{
    wait.self_ = wait.shared_from_this();
    push(notes_->arrived, wait, &PermitWait::next_);
    nudge();
}

void SemaphoreState::cancel(PermitWait& wait) noexcept
{
    if (!wait.is_cancel_noted_.exchange(true, std::memory_order_relaxed)) {
        wait.cancelled_self_ = wait.shared_from_this();
        push(notes_->cancelled, wait, &PermitWait::next_cancelled_);
        nudge();
    }
}

void SemaphoreState::give_back() noexcept
{
    notes_->returned.fetch_add(1, std::memory_order_release);
    nudge();
}

void SemaphoreState::close() noexcept
{
    notes_->is_closed.store(true, std::memory_order_relaxed);
    nudge();
}

void SemaphoreState::resize(std::size_t permits) noexcept
{
    notes_->limit.store(permits, std::memory_order_relaxed);
    nudge();
}

void SemaphoreState::on_context_shutdown() noexcept
{
    // Whoever is abandoned may hold the last reference to this.
    const auto self = weak_from_this().lock();
    home_ = asio::any_io_executor();
    notes_->is_shutting_down.store(true, std::memory_order_relaxed);
    close();
    notes_->is_shutting_down.store(false, std::memory_order_relaxed);
    // Outside the turn: this destroys the frames of coroutines.
    for (auto* wait = take_all(notes_->abandoned, &PermitWait::next_); wait != nullptr;) {
        std::exchange(wait, wait->next_)->abandon();
    }
}

void Permit::give_back() noexcept
{
    const auto state = std::move(state_);
    state->give_back();
}

} // namespace sojourn

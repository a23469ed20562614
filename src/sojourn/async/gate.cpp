#include "sojourn/async/gate.hpp"

#include "sojourn/detail/assert.hpp"
#include "sojourn/detail/pause.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

#include <utility>

namespace asio = boost::asio;

namespace sojourn {

Gate::Gate(const asio::any_io_executor& executor)
    : ShutdownHook(asio::query(executor, asio::execution::context)),
      tail_(&stub_),
      head_(&stub_),
      executor_(executor)
{
}

Gate::~Gate()
{
    // Queued calls keep this alive, except a nudge, whose drain may have gone with the context.
    SOJOURN_ASSERT(pending_.load() <= 1);
}

CallCounts Gate::counts() const noexcept
{
    return {
        .ran_inline = inline_.load(std::memory_order_relaxed),
        .combined = combined_.load(std::memory_order_relaxed),
        .suspended = suspended_.load(std::memory_order_relaxed),
    };
}

// The queue: Dmitry Vyukov's intrusive multi-producer single-consumer queue.

void Gate::push(Call& call) noexcept
{
    call.next_.store(nullptr, std::memory_order_relaxed);
    auto* const previous = head_.exchange(&call, std::memory_order_acq_rel);
    // A producer that is preempted right here leaves the queue cut in two; see `drain`.
    previous->next_.store(&call, std::memory_order_release);
}

/// The oldest call; null if there is none or a producer is between its two steps.
Gate::Call* Gate::pop() noexcept
{
    auto* tail = tail_;
    auto* next = tail->next_.load(std::memory_order_acquire);
    if (tail == &stub_) {
        if (next == nullptr) {
            return nullptr;
        }
        tail_ = tail = next;
        next = tail->next_.load(std::memory_order_acquire);
    }
    if (next == nullptr) {
        if (tail != head_.load(std::memory_order_acquire)) {
            return nullptr;
        }
        // The last call may not be taken before something follows it.
        push(stub_);
        next = tail->next_.load(std::memory_order_acquire);
        if (next == nullptr) {
            return nullptr;
        }
    }
    tail_ = next;
    return tail;
}

/// Runs queued calls until none is left. The caller is inside, and its own call, if it is not in
/// the queue, is done.
void Gate::drain() noexcept
{
    // A producer between its two steps hides what others have queued behind it. It takes a few
    // instructions, unless its thread is not running: then waiting for it would be spinning.
    constexpr int patience = 64;

    enter();
    int budget = drain_budget;
    int waited = 0;
    for (;;) {
        auto* const call = budget > 0 ? pop() : nullptr;
        if (call == nullptr) {
            detail::pause();
            const bool has_waited = budget == 0 || ++waited > patience;
            if (has_waited && hand_over()) {
                return;
            }
            if (has_waited) {
                budget = drain_budget;
                waited = 0;
            }
            continue;
        }
        waited = 0;
        call->run();
        --budget;
        owner_.store(nullptr, std::memory_order_relaxed);
        if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            return;
        }
        enter();
    }
}

/// Lets the executor go on with the drain, or whoever comes before. False if nobody can be asked:
/// no memory, or no context any more.
bool Gate::hand_over() noexcept
{
    if (!executor_) {
        return false;
    }
    owner_.store(nullptr, std::memory_order_relaxed);
    is_handed_over_.store(true, std::memory_order_seq_cst);
    // A job that is on its way already finds it handed over.
    if (is_posted_.exchange(true, std::memory_order_seq_cst)) {
        return true;
    }
    try {
        // Not through an asio::strand: there is one drain at a time anyway, and a strand that once
        // had no memory stays locked for ever.
        asio::post(executor_, [self = shared_from_this()] {
            self->is_posted_.store(false, std::memory_order_seq_cst);
            if (self->take_over()) {
                self->drain();
            }
        });
        return true;
    } catch (...) {
        is_posted_.store(false, std::memory_order_seq_cst);
        const bool is_still_ours = take_over();
        if (is_still_ours) {
            enter();
        }
        return !is_still_ours;
    }
}

/// Enters in order to go on with a drain; false if somebody else does.
bool Gate::take_over() noexcept
{
    return is_handed_over_.exchange(false, std::memory_order_seq_cst);
}

void Gate::on_context_shutdown() noexcept
{
    // Whoever is abandoned may hold the last reference to this.
    const auto self = weak_from_this().lock();
    executor_ = asio::any_io_executor();
    // If a drain was handed over, it will never run, nor may anybody go on with it: what is queued
    // must be let go. The queued callers' frames are owned by their handlers, and those by the
    // calls.
    is_handed_over_.store(false, std::memory_order_seq_cst);
    while (pending_.load(std::memory_order_acquire) > 0) {
        if (auto* const call = pop()) {
            call->abandon();
        }
        pending_.fetch_sub(1, std::memory_order_acq_rel);
    }
}

} // namespace sojourn

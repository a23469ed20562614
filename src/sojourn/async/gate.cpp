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

/// Runs queued calls until none is left. The caller is still inside, with its own call done.
void Gate::drain() noexcept
{
    enter();
    for (int budget = drain_budget;;) {
        auto* const call = budget > 0 ? pop() : nullptr;
        if (call == nullptr) {
            // Either enough was done for others, or a producer is between its two steps: spinning
            // would wait for a thread that may not be running.
            if (hand_over()) {
                return;
            }
            budget = drain_budget;
            detail::pause();
            continue;
        }
        call->run();
        --budget;
        owner_.store(nullptr, std::memory_order_relaxed);
        if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            return;
        }
        enter();
    }
}

/// Lets the executor go on with the drain. False if it cannot: no memory, or no context any more.
bool Gate::hand_over() noexcept
{
    if (!executor_) {
        return false;
    }
    owner_.store(nullptr, std::memory_order_relaxed);
    try {
        // Not through an asio::strand: there is one drain at a time anyway, and a strand that once
        // had no memory stays locked for ever.
        asio::post(executor_, [self = shared_from_this()] { self->drain(); });
        return true;
    } catch (...) {
        enter();
        return false;
    }
}

void Gate::on_context_shutdown() noexcept
{
    // Whoever is abandoned may hold the last reference to this.
    const auto self = weak_from_this().lock();
    executor_ = asio::any_io_executor();
    // If a drain was handed over, it will never run, and what is queued must be let go: the queued
    // callers' frames are owned by their handlers, and those by the calls.
    while (pending_.load(std::memory_order_acquire) > 0) {
        if (auto* const call = pop()) {
            call->abandon();
        }
        pending_.fetch_sub(1, std::memory_order_acq_rel);
    }
}

} // namespace sojourn

#include "sojourn/async/gate.hpp"

#include "sojourn/detail/assert.hpp"
#include "sojourn/detail/pause.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

#include <utility>

namespace asio = boost::asio;

namespace sojourn {

Gate::Gate(const asio::any_io_executor& executor)
    : ShutdownHook(asio::query(executor, asio::execution::context)), executor_(executor)
{
}

Gate::~Gate()
{
    // Queued calls keep this alive, and so does a drain on its way.
    SOJOURN_ASSERT(state_.load() == nullptr && taken_ == nullptr);
}

CallCounts Gate::counts() const noexcept
{
    return {
        .ran_inline = inline_.load(std::memory_order_relaxed),
        .combined = combined_.load(std::memory_order_relaxed),
        .suspended = suspended_.load(std::memory_order_relaxed),
    };
}

/// The call that is due, taken out of the queue; null if there was none, and then the gate is left.
Gate::Call* Gate::next() noexcept
{
    if (taken_ == nullptr) {
        auto parting = std::move(parting_);
        if (try_leave()) {
            // The gate may go with what is dropped here, or with somebody else from now on.
            return nullptr;
        }
        enter();
        parting_ = std::move(parting);
        // The stack as a queue: first come, first served.
        auto* call = state_.exchange(locked(), std::memory_order_acq_rel);
        while (call != locked()) {
            taken_ = std::exchange(call, std::exchange(call->next_, taken_));
        }
    }
    return std::exchange(taken_, taken_->next_);
}

/// Runs queued calls until none is left, and leaves. The caller is inside.
void Gate::drain() noexcept
{
    enter();
    int budget = drain_budget;
    while (auto* const call = next()) {
        if (budget == 0) {
            call->next_ = std::exchange(taken_, call);
            if (hand_over()) {
                return;
            }
            budget = drain_budget;
            continue;
        }
        --budget;
        call->run();
    }
}

/// Lets the executor go on with the drain, or whoever comes before. False if nobody can be asked:
/// no memory, or no context any more.
bool Gate::hand_over() noexcept
{
    if (!executor_) {
        return false;
    }
    // Whoever goes on with the drain may be done, and the gate gone, before this returns.
    const auto self = weak_from_this().lock();
    owner_.store(nullptr, std::memory_order_relaxed);
    is_handed_over_.store(true, std::memory_order_seq_cst);
    // A job that is on its way already finds it handed over.
    if (is_posted_.exchange(true, std::memory_order_seq_cst)) {
        return true;
    }
    try {
        // Not through an asio::strand: there is one drain at a time anyway, and a strand that once
        // had no memory stays locked for ever.
        asio::post(executor_, [self] {
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
    if (take_over()) {
        enter();
        while (auto* const call = next()) {
            call->abandon();
        }
    }
}

} // namespace sojourn

#include "sojourn/core/permit_queue.hpp"

#include "sojourn/detail/assert.hpp"

#include <algorithm>

namespace sojourn {

PermitQueue::~PermitQueue()
{
    SOJOURN_ASSERT(line_.empty() && decided_.empty());
}

bool PermitQueue::try_take() noexcept
{
    // A permit is free only when nobody waits: whoever makes one free hands it on in the same step.
    if (!has_free()) {
        return false;
    }
    SOJOURN_ASSERT(line_.empty());
    ++counts_.entered;
    count(PermitState::granted);
    take(Duration::zero());
    return true;
}

PermitState PermitQueue::refuse_at_once(TimePoint now) noexcept
{
    if (!is_closed_ && line_.size() >= max_waiters_) {
        // Whoever has waited too long is in nobody's way.
        expire(now);
    }
    return is_closed_ || line_.size() >= max_waiters_ ? turn_away() : PermitState::queued;
}

PermitState PermitQueue::turn_away() noexcept
{
    const auto outcome = is_closed_ ? PermitState::closed : PermitState::overloaded;
    ++counts_.entered;
    count(outcome);
    return outcome;
}

void PermitQueue::enter(Waiter& waiter, TimePoint now) noexcept
{
    SOJOURN_ASSERT(waiter.state_ == PermitState::outside);
    const bool is_late = waiter.deadline_ < now && waiter.deadline_ != no_wait;
    if (is_late && !is_closed_) {
        ++counts_.entered;
        count(PermitState::timed_out);
        decide(waiter, PermitState::timed_out);
    } else if (try_take()) {
        decide(waiter, PermitState::granted);
    } else if (const auto refusal = refuse_at_once(now); refusal != PermitState::queued) {
        decide(waiter, refusal);
    } else {
        ++counts_.entered;
        waiter.state_ = PermitState::queued;
        waiter.entered_ = now;
        line_.push_back(waiter);
        if (waiter.deadline_ != TimePoint::max()) {
            deadlines_.insert(waiter);
            expire(now);
        }
    }
    check_promise();
}

void PermitQueue::cancel(Waiter& waiter) noexcept
{
    if (waiter.state_ == PermitState::queued) {
        leave(waiter, PermitState::cancelled);
    }
    check_promise();
}

void PermitQueue::give_back(std::uint64_t count, TimePoint now) noexcept
{
    SOJOURN_ASSERT(count <= held_);
    held_ -= count;
    grant_waiting(now);
}

void PermitQueue::resize(std::size_t limit, TimePoint now) noexcept
{
    limit_ = limit;
    grant_waiting(now);
}

void PermitQueue::expire(TimePoint now) noexcept
{
    while (!deadlines_.empty() && deadlines_.begin()->deadline_ <= now) {
        leave(*deadlines_.begin(), PermitState::timed_out);
    }
}

void PermitQueue::close() noexcept
{
    is_closed_ = true;
    while (!line_.empty()) {
        leave(line_.front(), PermitState::closed);
    }
    check_promise();
}

PermitQueue::Waiter* PermitQueue::take_decided() noexcept
{
    if (decided_.empty()) {
        return nullptr;
    }
    auto& waiter = decided_.front();
    decided_.pop_front();
    return &waiter;
}

TimePoint PermitQueue::next_deadline() const noexcept
{
    return deadlines_.empty() ? TimePoint::max() : deadlines_.begin()->deadline_;
}

Duration PermitQueue::retry_after() const noexcept
{
    return std::max(counts_.waits.mean_wait(), shortest_retry);
}

SemaphoreMetrics PermitQueue::metrics() const noexcept
{
    auto metrics = counts_;
    metrics.held = held_;
    metrics.limit = limit_;
    metrics.waiting = line_.size();
    return metrics;
}

/// Hands free permits to those who wait, as many as there are.
void PermitQueue::grant_waiting(TimePoint now) noexcept
{
    expire(now);
    while (has_free() && !line_.empty()) {
        auto& waiter = line_.front();
        take(time_between(waiter.entered_, now));
        leave(waiter, PermitState::granted);
    }
    check_promise();
}

/// As long as anybody waits, no permit is free. After each operation that could make it otherwise.
void PermitQueue::check_promise() const noexcept
{
    SOJOURN_ASSERT(!has_free() || line_.empty());
}

/// Ends a wait. A permit that is granted has been taken.
void PermitQueue::leave(Waiter& waiter, PermitState outcome) noexcept
{
    line_.erase(line_.iterator_to(waiter));
    if (waiter.deadline_ != TimePoint::max()) {
        deadlines_.erase(deadlines_.iterator_to(waiter));
    }
    count(outcome);
    decide(waiter, outcome);
}

/// Says what becomes of a waiter that is in no queue.
void PermitQueue::decide(Waiter& waiter, PermitState outcome) noexcept
{
    waiter.state_ = outcome;
    decided_.push_back(waiter);
}

void PermitQueue::count(PermitState outcome) noexcept
{
    switch (outcome) {
    case PermitState::granted:
        ++counts_.granted;
        break;
    case PermitState::overloaded:
        ++counts_.refused_overloaded;
        break;
    case PermitState::timed_out:
        ++counts_.timed_out;
        break;
    case PermitState::cancelled:
        ++counts_.cancelled;
        break;
    case PermitState::closed:
        ++counts_.refused_stopping;
        break;
    case PermitState::outside:
    case PermitState::queued:
        SOJOURN_ASSERT(false);
        break;
    }
}

void PermitQueue::take(Duration waited) noexcept
{
    ++held_;
    counts_.waits.add(waited);
}

} // namespace sojourn

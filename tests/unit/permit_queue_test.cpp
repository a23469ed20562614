#include "sojourn/core/permit_queue.hpp"
#include "support/seed.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace sojourn::tests {

namespace {

constexpr TimePoint start{1h};

struct Waiter : PermitQueue::Waiter {
    using PermitQueue::Waiter::Waiter;
};

using Waiters = std::vector<PermitQueue::Waiter*>;

/// Those that were decided about since the last time.
Waiters decided(PermitQueue& queue)
{
    Waiters all;
    while (auto* const waiter = queue.take_decided()) {
        all.push_back(waiter);
    }
    return all;
}

} // namespace

TEST_CASE("permit_queue: grants as many as there are, and then first come first", "[unit][core]")
{
    PermitQueue queue(2, 10);
    std::vector<Waiter> waiters(5);
    for (auto& waiter : waiters) {
        queue.enter(waiter, start);
    }
    CHECK(decided(queue) == Waiters{&waiters[0], &waiters[1]});
    CHECK(waiters[1].state() == PermitState::granted);
    CHECK(waiters[2].state() == PermitState::queued);
    queue.give_back(1, start);
    CHECK(decided(queue) == Waiters{&waiters[2]});
    queue.give_back(2, start);
    CHECK(decided(queue) == Waiters{&waiters[3], &waiters[4]});
    CHECK(queue.metrics().held == 2);
    CHECK(queue.metrics().ledger_holds());
}

TEST_CASE("permit_queue: it tells its limit, and whether it is closed", "[unit][core]")
{
    PermitQueue queue(3, 10);
    CHECK(queue.limit() == 3);
    CHECK_FALSE(queue.is_closed());
    queue.close();
    CHECK(queue.is_closed());
    CHECK(queue.limit() == 3);
}

TEST_CASE(
    "permit_queue: a wait across all of time is counted as one of that length", "[unit][core]"
)
{
    PermitQueue queue(1, 10);
    std::vector<Waiter> waiters(3);
    queue.enter(waiters[0], TimePoint::min());
    queue.enter(waiters[1], TimePoint::min());
    queue.enter(waiters[2], TimePoint::max());
    queue.give_back(1, TimePoint::max());
    queue.give_back(1, TimePoint::min());
    CHECK(decided(queue).size() == 3);
    CHECK(queue.metrics().waits.sum_ns() == std::uint64_t{INT64_MAX});
    queue.give_back(1, start);
}

TEST_CASE("permit_queue: a permit is handed over and not raced for", "[unit][core]")
{
    PermitQueue queue(1, 10);
    CHECK(queue.try_take());
    CHECK_FALSE(queue.try_take());
    Waiter waiter;
    queue.enter(waiter, start);
    queue.give_back(1, start);
    // The waiter has it, before it knows.
    CHECK_FALSE(queue.try_take());
    CHECK(decided(queue) == Waiters{&waiter});
    queue.give_back(1, start);
    CHECK(queue.try_take());
}

TEST_CASE("permit_queue: who asks and does not wait is counted once", "[unit][core]")
{
    PermitQueue queue(1, 1);
    CHECK(queue.try_take());
    CHECK(queue.refuse_at_once(start) == PermitState::queued);
    CHECK(queue.metrics().entered == 1);
    CHECK(queue.turn_away() == PermitState::overloaded);
    Waiter waiter;
    queue.enter(waiter, start);
    CHECK(queue.refuse_at_once(start) == PermitState::overloaded);
    CHECK(queue.metrics().entered == 4);
    CHECK(queue.metrics().refused_overloaded == 2);
    CHECK(queue.metrics().ledger_holds());
    queue.close();
    CHECK(queue.refuse_at_once(start) == PermitState::closed);
    CHECK(queue.turn_away() == PermitState::closed);
    CHECK(queue.metrics().ledger_holds());
    CHECK(decided(queue) == Waiters{&waiter});
}

TEST_CASE("permit_queue: more waiters than may be are refused at once", "[unit][core]")
{
    PermitQueue queue(0, 1);
    Waiter first(start + 1s);
    Waiter second;
    Waiter third;
    queue.enter(first, start);
    queue.enter(second, start);
    CHECK(second.state() == PermitState::overloaded);
    // One that is overdue takes no place.
    queue.enter(third, start + 1s);
    CHECK(third.state() == PermitState::queued);
    CHECK(decided(queue) == Waiters{&second, &first});
    queue.cancel(third);
    CHECK(decided(queue) == Waiters{&third});

    PermitQueue nobody_waits(1, 0);
    Waiter granted;
    Waiter refused;
    nobody_waits.enter(granted, start);
    nobody_waits.enter(refused, start);
    CHECK(granted.state() == PermitState::granted);
    CHECK(refused.state() == PermitState::overloaded);
    CHECK(decided(nobody_waits).size() == 2);
}

TEST_CASE("permit_queue: a wait ends at its deadline and not before", "[unit][core]")
{
    PermitQueue queue(0, 10);
    Waiter late(start + 2s);
    Waiter early(start + 1s);
    Waiter patient;
    queue.enter(late, start);
    queue.enter(early, start);
    queue.enter(patient, start);
    CHECK(queue.next_deadline() == start + 1s);
    queue.expire(start + 1s - 1ns);
    CHECK(decided(queue).empty());
    queue.expire(start + 1s);
    CHECK(decided(queue) == Waiters{&early});
    CHECK(early.state() == PermitState::timed_out);
    CHECK(queue.next_deadline() == start + 2s);
    queue.expire(TimePoint::max() - 1ns);
    CHECK(decided(queue) == Waiters{&late});
    CHECK(queue.next_deadline() == TimePoint::max());
    queue.close();
    CHECK(decided(queue) == Waiters{&patient});
}

TEST_CASE("permit_queue: nobody is granted a permit at or after the deadline", "[unit][core]")
{
    PermitQueue queue(1, 10);
    CHECK(queue.try_take());
    Waiter first(start + 1s);
    Waiter second(start + 1s + 1ns);
    queue.enter(first, start);
    queue.enter(second, start);
    queue.give_back(1, start + 1s);
    CHECK(decided(queue) == Waiters{&first, &second});
    CHECK(first.state() == PermitState::timed_out);
    CHECK(second.state() == PermitState::granted);

    // Nobody waits longer than it may in order to begin to.
    queue.give_back(1, start + 2s);
    Waiter past(start + 2s - 1ns);
    Waiter now(start + 2s);
    queue.enter(past, start + 2s);
    queue.enter(now, start + 2s);
    CHECK(past.state() == PermitState::timed_out);
    CHECK(now.state() == PermitState::granted);
    Waiter cannot_wait(start + 2s);
    queue.enter(cannot_wait, start + 2s);
    CHECK(cannot_wait.state() == PermitState::timed_out);
    CHECK(decided(queue).size() == 3);
    CHECK(queue.metrics().ledger_holds());
}

TEST_CASE("permit_queue: one who does not wait takes what is free", "[unit][core]")
{
    PermitQueue queue(1, 10);
    Waiter granted(PermitQueue::no_wait);
    Waiter refused(PermitQueue::no_wait);
    queue.enter(granted, start);
    queue.enter(refused, start);
    CHECK(granted.state() == PermitState::granted);
    CHECK(refused.state() == PermitState::timed_out);
    CHECK(decided(queue) == Waiters{&granted, &refused});
    CHECK(queue.next_deadline() == TimePoint::max());
    CHECK(queue.metrics().ledger_holds());
}

TEST_CASE("permit_queue: a wait can be cancelled anywhere in the line", "[unit][core]")
{
    for (std::size_t place = 0; place < 3; ++place) {
        PermitQueue queue(0, 10);
        std::vector<std::unique_ptr<Waiter>> waiters;
        for (int i = 0; i < 3; ++i) {
            waiters.push_back(std::make_unique<Waiter>(start + 1s));
            queue.enter(*waiters.back(), start);
        }
        queue.cancel(*waiters[place]);
        CHECK(decided(queue) == Waiters{waiters[place].get()});
        CHECK(waiters[place]->state() == PermitState::cancelled);
        queue.cancel(*waiters[place]);
        CHECK(decided(queue).empty());
        waiters.erase(waiters.begin() + static_cast<std::ptrdiff_t>(place));
        queue.resize(3, start);
        CHECK(decided(queue) == Waiters{waiters[0].get(), waiters[1].get()});
        CHECK(queue.metrics().ledger_holds());
    }
}

TEST_CASE("permit_queue: a cancellation after the grant is ignored", "[unit][core]")
{
    PermitQueue queue(1, 10);
    Waiter waiter;
    queue.enter(waiter, start);
    queue.cancel(waiter);
    CHECK(waiter.state() == PermitState::granted);
    CHECK(decided(queue) == Waiters{&waiter});
    queue.cancel(waiter);
    CHECK(waiter.state() == PermitState::granted);
    CHECK(queue.metrics().cancelled == 0);
    CHECK(queue.metrics().held == 1);
}

TEST_CASE("permit_queue: closing is one step, and final", "[unit][core]")
{
    PermitQueue queue(1, 10);
    Waiter granted;
    Waiter first;
    Waiter second(start + 1s);
    queue.enter(granted, start);
    queue.enter(first, start);
    queue.enter(second, start);
    queue.close();
    CHECK(decided(queue) == Waiters{&granted, &first, &second});
    CHECK(granted.state() == PermitState::granted);
    CHECK(first.state() == PermitState::closed);
    CHECK(second.state() == PermitState::closed);
    CHECK(queue.next_deadline() == TimePoint::max());

    queue.give_back(1, start);
    queue.resize(5, start);
    queue.close();
    CHECK_FALSE(queue.try_take());
    Waiter late;
    Waiter past(start - 1s);
    queue.enter(late, start);
    queue.enter(past, start);
    CHECK(late.state() == PermitState::closed);
    CHECK(past.state() == PermitState::closed);
    CHECK(decided(queue).size() == 2);
    CHECK(queue.metrics().held == 0);
    CHECK(queue.metrics().refused_stopping == 4);
    CHECK(queue.metrics().ledger_holds());
}

TEST_CASE("permit_queue: more permits wake as many as there are now", "[unit][core]")
{
    PermitQueue queue(0, 10);
    std::vector<Waiter> waiters(4);
    for (auto& waiter : waiters) {
        queue.enter(waiter, start);
    }
    queue.resize(3, start);
    CHECK(decided(queue) == Waiters{&waiters[0], &waiters[1], &waiters[2]});
    queue.close();
    CHECK(decided(queue) == Waiters{&waiters[3]});
}

TEST_CASE("permit_queue: fewer permits come about as they are given back", "[unit][core]")
{
    PermitQueue queue(3, 10);
    std::vector<Waiter> waiters(4);
    for (auto& waiter : waiters) {
        queue.enter(waiter, start);
    }
    CHECK(decided(queue).size() == 3);
    queue.resize(1, start);
    CHECK(queue.metrics().held == 3);
    CHECK(queue.metrics().limit == 1);
    queue.give_back(1, start);
    queue.give_back(1, start);
    CHECK(decided(queue).empty());
    CHECK_FALSE(queue.try_take());
    queue.give_back(1, start);
    CHECK(decided(queue) == Waiters{&waiters[3]});
    queue.give_back(1, start);
    CHECK(queue.try_take());
    CHECK_FALSE(queue.try_take());
}

TEST_CASE("permit_queue: tells how long others waited", "[unit][core]")
{
    PermitQueue queue(1, 10);
    CHECK(queue.retry_after() == 1ms);
    CHECK(queue.try_take());
    Waiter first;
    Waiter second;
    queue.enter(first, start);
    queue.enter(second, start);
    queue.give_back(1, start + 10ms);
    queue.give_back(1, start + 30ms);
    CHECK(decided(queue).size() == 2);
    CHECK(queue.retry_after() == 20ms);
    const auto waits = queue.metrics().waits;
    CHECK(waits.count() == 3);
    CHECK(waits.buckets().front() == 1);
    CHECK(waits.sum_ns() == 40'000'000);
}

namespace {

/// The same rules, without a thought about cost.
class NaiveQueue {
public:
    struct Entry {
        PermitQueue::Waiter* waiter;
        TimePoint deadline;
    };

    NaiveQueue(std::size_t limit, std::size_t max_waiters) : limit_(limit), room_(max_waiters) {}

    bool try_take()
    {
        if (closed || held >= limit_) {
            return false;
        }
        ++entered;
        ++held;
        return true;
    }

    void enter(PermitQueue::Waiter& waiter, TimePoint now)
    {
        ++entered;
        if (!closed && waiter.deadline() < now) {
            decide(&waiter, PermitState::timed_out);
        } else if (!closed && held < limit_) {
            ++held;
            decide(&waiter, PermitState::granted);
        } else {
            if (!closed && line.size() >= room_) {
                expire(now);
            }
            if (closed || line.size() >= room_) {
                decide(&waiter, closed ? PermitState::closed : PermitState::overloaded);
                return;
            }
            line.push_back({&waiter, waiter.deadline()});
            if (waiter.deadline() != TimePoint::max()) {
                expire(now);
            }
        }
    }

    void cancel(PermitQueue::Waiter& waiter)
    {
        const auto removed =
            std::erase_if(line, [&](const Entry& entry) { return entry.waiter == &waiter; });
        if (removed != 0) {
            decide(&waiter, PermitState::cancelled);
        }
    }

    void give_back(std::size_t count, TimePoint now)
    {
        held -= count;
        grant(now);
    }

    void resize(std::size_t limit, TimePoint now)
    {
        limit_ = limit;
        grant(now);
    }

    void expire(TimePoint now)
    {
        while (!line.empty()) {
            const auto first = std::ranges::min_element(line, {}, &Entry::deadline);
            if (first->deadline > now) {
                return;
            }
            auto* const waiter = first->waiter;
            line.erase(first);
            decide(waiter, PermitState::timed_out);
        }
    }

    void close()
    {
        closed = true;
        for (const auto& entry : std::exchange(line, {})) {
            decide(entry.waiter, PermitState::closed);
        }
    }

    std::vector<Entry> line;
    std::vector<std::pair<PermitQueue::Waiter*, PermitState>> outcomes;
    std::size_t held = 0;
    std::uint64_t entered = 0;
    bool closed = false;

private:
    void grant(TimePoint now)
    {
        expire(now);
        while (!closed && held < limit_ && !line.empty()) {
            ++held;
            decide(line.front().waiter, PermitState::granted);
            line.erase(line.begin());
        }
    }

    void decide(PermitQueue::Waiter* waiter, PermitState outcome)
    {
        outcomes.emplace_back(waiter, outcome);
    }

    std::size_t limit_;
    std::size_t room_;
};

/// One run of random operations on both.
class Comparison {
public:
    explicit Comparison(std::uint64_t seed)
        : random_(seed),
          limit_(pick(4)),
          room_(pick(6)),
          queue_(limit_, room_),
          naive_(limit_, room_)
    {
    }

    Comparison(const Comparison&) = delete;
    Comparison& operator=(const Comparison&) = delete;
    Comparison(Comparison&&) = delete;
    Comparison& operator=(Comparison&&) = delete;

    ~Comparison()
    {
        queue_.close();
        (void)decided(queue_);
    }

    /// Whether both still agree.
    [[nodiscard]] bool step()
    {
        now_ += Duration(pick(3));
        operate();
        return is_same();
    }

private:
    std::size_t pick(std::size_t most)
    {
        return std::uniform_int_distribution<std::size_t>(0, most)(random_);
    }

    void operate()
    {
        switch (pick(9)) {
        case 0:
            agree_ = agree_ && queue_.try_take() == naive_.try_take();
            break;
        case 1:
            if (!waiters_.empty()) {
                auto& waiter = *waiters_[pick(waiters_.size() - 1)];
                queue_.cancel(waiter);
                naive_.cancel(waiter);
            }
            break;
        case 2:
        case 3:
        case 4: {
            const auto count = pick(naive_.held);
            queue_.give_back(count, now_);
            naive_.give_back(count, now_);
            break;
        }
        case 5: {
            const auto limit = pick(5);
            queue_.resize(limit, now_);
            naive_.resize(limit, now_);
            break;
        }
        case 6:
            queue_.expire(now_);
            naive_.expire(now_);
            break;
        case 7:
            if (pick(100) == 0) {
                queue_.close();
                naive_.close();
            }
            break;
        default: {
            const auto deadline = pick(2) == 0 ? TimePoint::max() : now_ + Duration(pick(12)) - 1ns;
            auto& waiter = *waiters_.emplace_back(std::make_unique<Waiter>(deadline));
            queue_.enter(waiter, now_);
            naive_.enter(waiter, now_);
        }
        }
    }

    bool is_same()
    {
        for (const auto& [waiter, outcome] : std::exchange(naive_.outcomes, {})) {
            ++outcomes_[static_cast<std::size_t>(outcome)];
            agree_ = agree_ && queue_.take_decided() == waiter && waiter->state() == outcome;
        }
        const auto metrics = queue_.metrics();
        const auto next = std::ranges::min_element(naive_.line, {}, &NaiveQueue::Entry::deadline);
        return agree_ && queue_.take_decided() == nullptr && metrics.ledger_holds() &&
               metrics.held == naive_.held && metrics.waiting == naive_.line.size() &&
               metrics.entered == naive_.entered &&
               metrics.timed_out == outcome(PermitState::timed_out) &&
               metrics.cancelled == outcome(PermitState::cancelled) &&
               metrics.refused_overloaded == outcome(PermitState::overloaded) &&
               metrics.refused_stopping == outcome(PermitState::closed) &&
               queue_.next_deadline() ==
                   (next == naive_.line.end() ? TimePoint::max() : next->deadline);
    }

    [[nodiscard]] std::uint64_t outcome(PermitState state) const
    {
        return outcomes_[static_cast<std::size_t>(state)];
    }

    std::mt19937_64 random_;
    std::size_t limit_;
    std::size_t room_;
    std::vector<std::unique_ptr<Waiter>> waiters_;
    PermitQueue queue_;
    NaiveQueue naive_;
    TimePoint now_ = start;
    bool agree_ = true;
    std::array<std::uint64_t, 7> outcomes_{};
};

} // namespace

TEST_CASE("permit_queue: agrees with a naive queue at every step", "[unit][core]")
{
    const auto seed = announced_seed();
    for (std::uint64_t run = 0; run < 200; ++run) {
        Comparison comparison(seed + run);
        for (int step = 0; step < 300; ++step) {
            if (!comparison.step()) {
                FAIL("seed " << seed << ", run " << run << ", step " << step);
            }
        }
    }
}

} // namespace sojourn::tests

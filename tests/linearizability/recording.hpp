/// @file
/// How histories are recorded while threads run: the moments, and what was recorded in all.

#ifndef SOJOURN_TESTS_LINEARIZABILITY_RECORDING_HPP
#define SOJOURN_TESTS_LINEARIZABILITY_RECORDING_HPP

#include "linearizability/linearizability.hpp"
#include "support/sanitizers.hpp"
#include "support/time_limit.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <future>
#include <string>
#include <utility>
#include <vector>

namespace sojourn::tests {

/// A clock that every look advances. All clients of a history share one.
class StampClock {
public:
    [[nodiscard]] Stamp now() noexcept
    {
        // Relaxed for TSan, which would take it for what orders the threads, and find no races that
        // the service leaves. The moments are in order all the same: an operation's own atomics
        // lie between them.
        constexpr auto order = is_sanitized ? std::memory_order_relaxed : std::memory_order_seq_cst;
        return moment_.fetch_add(1, order);
    }

private:
    std::atomic<Stamp> moment_{0};
};

/// How much was recorded.
struct Tally {
    std::size_t histories = 0;
    std::size_t operations = 0;
    /// Of those the ones that began while another one of the same history was going on.
    std::size_t overlapping = 0;

    template <class Call, class Answer>
    void count(std::vector<Recorded<Call, Answer>> history)
    {
        ++histories;
        operations += history.size();
        std::ranges::sort(history, {}, &Recorded<Call, Answer>::begun);
        Stamp latest_end = 0;
        for (const auto& each : history) {
            overlapping += each.begun < latest_end ? 1U : 0U;
            latest_end = std::max(latest_end, each.ended);
        }
    }

    Tally& operator+=(const Tally& other) noexcept
    {
        histories += other.histories;
        operations += other.operations;
        overlapping += other.overlapping;
        return *this;
    }

    /// One line, for people and for tools.
    void print() const
    {
        std::printf(
            "linearizability: histories=%s operations=%s overlapping=%s\n",
            std::to_string(histories).c_str(),
            std::to_string(operations).c_str(),
            std::to_string(overlapping).c_str()
        );
    }
};

/// Runs coroutines at the same time, and waits for all of them.
template <class Executor>
class AtOnce {
public:
    explicit AtOnce(Executor executor) : executor_(std::move(executor)) {}

    void start(boost::asio::awaitable<void> coroutine)
    {
        running_.push_back(
            boost::asio::co_spawn(executor_, std::move(coroutine), boost::asio::use_future)
        );
    }

    /// *Exceptions*: what a coroutine threw; `TimedOut`.
    void finish(Location where = Location::current())
    {
        const TimeLimit until(default_limit);
        for (auto& each : running_) {
            if (each.wait_until(until.end()) != std::future_status::ready) {
                throw TimedOut("a client did not finish", where);
            }
        }
        for (auto& each : running_) {
            each.get();
        }
        running_.clear();
    }

private:
    Executor executor_;
    std::vector<std::future<void>> running_;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_LINEARIZABILITY_RECORDING_HPP

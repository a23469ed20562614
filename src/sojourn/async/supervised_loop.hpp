/// @file
/// A background coroutine that does its work in rounds and cannot be lost: a round that throws is
/// counted, reported and tried again after a growing pause, and if the coroutine itself is lost,
/// for want of memory, the next caller starts it anew. What it did last can be asked at any time.

#ifndef SOJOURN_ASYNC_SUPERVISED_LOOP_HPP
#define SOJOURN_ASYNC_SUPERVISED_LOOP_HPP

#include "sojourn/async/alarm.hpp"
#include "sojourn/async/clock.hpp"
#include "sojourn/async/exception_barrier.hpp"
#include "sojourn/async/shutdown_hook.hpp"
#include "sojourn/core/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace sojourn {

/// How a loop is doing.
struct LoopHealth {
    bool running = false;
    std::uint64_t rounds = 0;
    std::uint64_t failures = 0;
    std::uint64_t consecutive_failures = 0;
    /// When a round last went well.
    std::optional<TimePoint> last_success;
};

/// A loop of rounds. Made by `make_shared`.
///
/// *Thread safety*: all members, any thread. *Lifetime*: the running coroutine keeps it alive,
/// until `stop` or the end of its execution context, which it may outlive. *Executor*: rounds run
/// on a strand of their own.
class SupervisedLoop final : public std::enable_shared_from_this<SupervisedLoop>,
                             private ShutdownHook {
public:
    /// One round of work; returns when the next is due. May throw anything.
    using Round = std::function<boost::asio::awaitable<TimePoint>()>;

    /// The pause after the first of several failures; it doubles with each until `max_backoff`.
    static constexpr Duration min_backoff = std::chrono::milliseconds(100);
    static constexpr Duration max_backoff = std::chrono::seconds(30);

    /// `name` says in reports which loop failed.
    SupervisedLoop(
        const boost::asio::any_io_executor& executor,
        std::shared_ptr<Clock> clock,
        std::string name,
        Round round,
        FailureReporter report
    );

    /// Starts the loop unless it runs or has been stopped. Call it again whenever the loop may have
    /// been lost: it costs two loads then. If there is no memory to start it, it is not started.
    void ensure_running() noexcept
    {
        if (!is_running_.load(std::memory_order_relaxed) &&
            !is_stopping_.load(std::memory_order_relaxed)) {
            start();
        }
    }

    /// Makes the next round due now, unless it is a pause after a failure.
    void wake() noexcept { alarm_->ring(); }

    /// Ends the loop after the round it is in. Final.
    void stop() noexcept;

    [[nodiscard]] LoopHealth health() const noexcept;

private:
    class Running;

    static boost::asio::awaitable<void> run(Running running);
    void start() noexcept;
    void on_context_shutdown() noexcept override;

    boost::asio::any_io_executor strand_;
    std::shared_ptr<Clock> clock_;
    Round round_;
    ExceptionBarrier barrier_;
    std::shared_ptr<Alarm> alarm_;

    std::atomic<bool> is_running_{false};
    std::atomic<bool> is_stopping_{false};
    std::atomic<std::uint64_t> rounds_{0};
    std::atomic<std::uint64_t> consecutive_failures_{0};
    std::atomic<TimePoint::rep> last_success_{TimePoint::min().time_since_epoch().count()};
};

} // namespace sojourn

#endif // SOJOURN_ASYNC_SUPERVISED_LOOP_HPP

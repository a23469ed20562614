#include "sojourn/async/supervised_loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace asio = boost::asio;

namespace sojourn {

namespace {

Duration backoff_after(std::uint64_t failures) noexcept
{
    constexpr std::uint64_t most_doublings = 10;
    const auto doublings = std::min(failures - 1, most_doublings);
    return std::min(SupervisedLoop::min_backoff * (1U << doublings), SupervisedLoop::max_backoff);
}

} // namespace

/// Says in its destructor that the loop's frame is gone, however it went: a frame may be lost
/// before its first step, so this is an argument of the coroutine.
class SupervisedLoop::Running {
public:
    explicit Running(std::shared_ptr<SupervisedLoop> loop) noexcept : loop_(std::move(loop)) {}

    Running(Running&&) noexcept = default;
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    Running& operator=(Running&&) = delete;

    ~Running()
    {
        if (loop_) {
            loop_->is_running_.store(false, std::memory_order_release);
        }
    }

    [[nodiscard]] SupervisedLoop* loop() const noexcept { return loop_.get(); }

private:
    std::shared_ptr<SupervisedLoop> loop_;
};

SupervisedLoop::SupervisedLoop(
    const asio::any_io_executor& executor,
    std::shared_ptr<Clock> clock,
    std::string name,
    Round round,
    FailureReporter report
)
    : ShutdownHook(asio::query(executor, asio::execution::context)),
      strand_(asio::make_strand(executor)),
      clock_(std::move(clock)),
      round_(std::move(round)),
      barrier_(std::move(name), std::move(report)),
      alarm_(std::make_shared<Alarm>(strand_, *clock_))
{
}

void SupervisedLoop::start() noexcept
{
    if (is_running_.exchange(true, std::memory_order_acq_rel)) {
        return;
    }
    Running running(shared_from_this());
    try {
        // The frame says itself when it ends; what it could not survive is one more failure.
        asio::co_spawn(
            strand_,
            run(std::move(running)),
            [self = shared_from_this()](const std::exception_ptr& failure) {
                if (failure) {
                    self->barrier_.caught(failure);
                }
            }
        );
    } catch (...) {
        // No memory to start it with: the next caller tries again.
    }
}

asio::awaitable<void> SupervisedLoop::run(Running running)
{
    auto* const self = running.loop();
    const auto is_stopping = [&] { return self->is_stopping_.load(std::memory_order_acquire); };

    while (!is_stopping()) {
        std::optional<TimePoint> next;
        try {
            next = co_await self->round_();
        } catch (...) {
            self->barrier_.caught(std::current_exception());
        }
        self->rounds_.fetch_add(1, std::memory_order_relaxed);

        const auto now = self->clock_->steady();
        if (next) {
            self->consecutive_failures_.store(0, std::memory_order_relaxed);
            self->last_success_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
            if (!is_stopping()) {
                co_await self->alarm_->wait_until(*next);
            }
            continue;
        }
        const auto failures =
            self->consecutive_failures_.fetch_add(1, std::memory_order_relaxed) + 1;
        const auto retry = saturating_add(now, backoff_after(failures));
        // Wakes do not shorten this pause: what wakes the loop may be what makes it fail.
        while (!is_stopping() && self->clock_->steady() < retry) {
            co_await self->alarm_->wait_until(retry);
        }
    }
}

void SupervisedLoop::stop() noexcept
{
    is_stopping_.store(true, std::memory_order_release);
    alarm_->ring();
}

void SupervisedLoop::on_context_shutdown() noexcept
{
    is_stopping_.store(true, std::memory_order_release);
    strand_ = asio::any_io_executor();
}

LoopHealth SupervisedLoop::health() const noexcept
{
    const TimePoint last(Duration(last_success_.load(std::memory_order_relaxed)));
    return {
        .running = is_running_.load(std::memory_order_acquire),
        .rounds = rounds_.load(std::memory_order_relaxed),
        .failures = barrier_.failures(),
        .consecutive_failures = consecutive_failures_.load(std::memory_order_relaxed),
        .last_success = last == TimePoint::min() ? std::nullopt : std::optional(last),
    };
}

} // namespace sojourn

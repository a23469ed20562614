#include "sojourn/testing/manual_clock.hpp"

#include "sojourn/async/shutdown_hook.hpp"
#include "sojourn/detail/assert.hpp"

#include <boost/asio/append.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <utility>

namespace asio = boost::asio;

namespace sojourn::testing {

namespace {

using Handler = asio::any_completion_handler<void(boost::system::error_code)>;

constexpr TimePoint first_moment(std::chrono::hours(1));
constexpr WallTime first_wall_time(std::chrono::seconds(1'000'000'000));

} // namespace

/// What the clock and its timers share. A mutex is all right here: this is no hot path.
class ManualClock::State {
public:
    struct Wait {
        const void* timer;
        TimePoint deadline;
        asio::any_io_executor executor;
        Handler handler;
    };

    [[nodiscard]] TimePoint steady() const noexcept { return now_.load(); }

    [[nodiscard]] WallTime wall() const noexcept { return wall_.load(); }

    void advance(Duration length)
    {
        SOJOURN_ASSERT(length >= Duration::zero());
        move(wall_, length);
        move(now_, length);
        fire();
    }

    void set(TimePoint moment)
    {
        now_.store(moment);
        fire();
    }

    void add(Wait wait)
    {
        // What needs memory comes first: a wait that could not be begun must not complete.
        std::list<Wait> fresh;
        fresh.push_back(std::move(wait));
        {
            const std::lock_guard guard(mutex_);
            const auto later =
                std::ranges::upper_bound(waits_, fresh.front().deadline, {}, &Wait::deadline);
            waits_.splice(later, fresh);
        }
        // It may be due already, or have become so just now.
        fire();
    }

    void cancel(const void* timer) noexcept
    {
        take_if(
            [timer](const Wait& wait) { return wait.timer == timer; },
            asio::error::operation_aborted
        );
    }

    template <class Use>
    auto with_waits(Use use) const
    {
        const std::lock_guard guard(mutex_);
        return use(waits_);
    }

private:
    /// Ahead by `length`, but not past the end of time.
    template <class Time>
    static void move(std::atomic<Time>& time, Duration length)
    {
        const auto step = std::chrono::duration_cast<typename Time::duration>(length);
        auto before = time.load();
        while (!time.compare_exchange_weak(
            before, before > Time::max() - step ? Time::max() : before + step
        )) {
        }
    }

    void fire() noexcept
    {
        take_if([this](const Wait& wait) { return wait.deadline <= now_.load(); }, {});
    }

    template <class Predicate>
    void take_if(Predicate matches, boost::system::error_code error) noexcept
    {
        std::list<Wait> taken;
        {
            const std::lock_guard guard(mutex_);
            for (auto place = waits_.begin(); place != waits_.end();) {
                const auto wait = place++;
                if (matches(*wait)) {
                    taken.splice(taken.end(), waits_, wait);
                }
            }
        }
        for (auto& wait : taken) {
            complete(std::move(wait), error);
        }
    }

    static void complete(Wait wait, boost::system::error_code error) noexcept
    {
        try {
            asio::post(wait.executor, asio::append(std::move(wait.handler), error));
        } catch (...) {
            // No memory to complete with: the handler is destroyed, which its owner notices.
        }
    }

    std::atomic<TimePoint> now_{first_moment};
    std::atomic<WallTime> wall_{first_wall_time};
    mutable std::mutex mutex_;
    /// By deadline, and those of one deadline in the order in which they came.
    std::list<Wait> waits_;
};

class ManualClock::ManualTimer final : public Timer, private ShutdownHook {
public:
    ManualTimer(std::shared_ptr<State> state, asio::any_io_executor executor)
        : ShutdownHook(asio::query(executor, asio::execution::context)),
          state_(std::move(state)),
          executor_(std::move(executor))
    {
    }

    ManualTimer(const ManualTimer&) = delete;
    ManualTimer& operator=(const ManualTimer&) = delete;
    ManualTimer(ManualTimer&&) = delete;
    ManualTimer& operator=(ManualTimer&&) = delete;

    ~ManualTimer() override { state_->cancel(this); }

    void start_wait(TimePoint deadline, Handler handler) override
    {
        state_->add({this, deadline, executor_, std::move(handler)});
    }

    void cancel() override { state_->cancel(this); }

private:
    /// The context knows nothing of its handlers that wait here.
    void on_context_shutdown() noexcept override
    {
        executor_ = asio::any_io_executor();
        // The handler may own this timer.
        const auto state = state_;
        state->cancel(this);
    }

    std::shared_ptr<State> state_;
    asio::any_io_executor executor_;
};

ManualClock::ManualClock() : state_(std::make_shared<State>()) {}

TimePoint ManualClock::steady() const noexcept
{
    return state_->steady();
}

WallTime ManualClock::wall() const noexcept
{
    return state_->wall();
}

std::unique_ptr<Timer> ManualClock::make_timer(const asio::any_io_executor& executor)
{
    return std::make_unique<ManualTimer>(state_, executor);
}

void ManualClock::advance(Duration length)
{
    state_->advance(length);
}

void ManualClock::set(TimePoint moment)
{
    state_->set(moment);
}

std::size_t ManualClock::waiting() const
{
    return state_->with_waits([](const auto& waits) { return waits.size(); });
}

TimePoint ManualClock::next_deadline() const
{
    return state_->with_waits([](const auto& waits) {
        return waits.empty() ? TimePoint::max() : waits.front().deadline;
    });
}

} // namespace sojourn::testing

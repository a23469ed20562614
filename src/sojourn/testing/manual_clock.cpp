#include "sojourn/testing/manual_clock.hpp"

#include <boost/asio/append.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

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

    std::atomic<TimePoint> now{first_moment};
    std::atomic<WallTime> wall{first_wall_time};

    void add(Wait wait)
    {
        {
            const std::lock_guard guard(mutex_);
            waits_.push_back(std::move(wait));
        }
        // It may be due already, or have become so just now.
        fire();
    }

    void fire()
    {
        take_if([this](const Wait& wait) { return wait.deadline <= now.load(); }, {});
    }

    void cancel(const void* timer)
    {
        take_if([timer](const Wait& wait) { return wait.timer == timer; }, asio::error::operation_aborted);
    }

    template <class Use>
    auto with_waits(Use use) const
    {
        const std::lock_guard guard(mutex_);
        return use(waits_);
    }

private:
    template <class Predicate>
    void take_if(Predicate matches, boost::system::error_code error)
    {
        std::vector<Wait> taken;
        {
            const std::lock_guard guard(mutex_);
            std::vector<Wait> rest;
            for (auto& wait : waits_) {
                (matches(wait) ? taken : rest).push_back(std::move(wait));
            }
            waits_ = std::move(rest);
        }
        std::ranges::stable_sort(taken, {}, &Wait::deadline);
        for (auto& wait : taken) {
            complete(std::move(wait), error);
        }
    }

    static void complete(Wait wait, boost::system::error_code error)
    {
        asio::post(wait.executor, asio::append(std::move(wait.handler), error));
    }

    mutable std::mutex mutex_;
    std::vector<Wait> waits_;
};

class ManualClock::ManualTimer final : public Timer {
public:
    ManualTimer(std::shared_ptr<State> state, asio::any_io_executor executor)
        : state_(std::move(state)), executor_(std::move(executor))
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
    std::shared_ptr<State> state_;
    asio::any_io_executor executor_;
};

ManualClock::ManualClock() : state_(std::make_shared<State>()) {}

TimePoint ManualClock::steady() const noexcept
{
    return state_->now.load();
}

WallTime ManualClock::wall() const noexcept
{
    return state_->wall.load();
}

std::unique_ptr<Timer> ManualClock::make_timer(const asio::any_io_executor& executor)
{
    return std::make_unique<ManualTimer>(state_, executor);
}

void ManualClock::advance(Duration length)
{
    state_->wall.store(state_->wall.load() + std::chrono::duration_cast<WallTime::duration>(length));
    set(saturating_add(state_->now.load(), length));
}

void ManualClock::set(TimePoint moment)
{
    state_->now.store(moment);
    state_->fire();
}

std::size_t ManualClock::waiting() const
{
    return state_->with_waits([](const auto& waits) { return waits.size(); });
}

TimePoint ManualClock::next_deadline() const
{
    return state_->with_waits([](const auto& waits) {
        const auto first = std::ranges::min_element(waits, {}, &State::Wait::deadline);
        return first == waits.end() ? TimePoint::max() : first->deadline;
    });
}

} // namespace sojourn::testing

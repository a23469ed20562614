#include "sojourn/async/clock.hpp"

#include "sojourn/detail/coarse_time.hpp"

#include <boost/asio/steady_timer.hpp>

#include <utility>

namespace sojourn {

namespace {

class SystemTimer final : public Timer {
public:
    explicit SystemTimer(const boost::asio::any_io_executor& executor) : timer_(executor) {}

    void start_wait(
        TimePoint deadline,
        boost::asio::any_completion_handler<void(boost::system::error_code)> handler
    ) override
    {
        timer_.expires_at(deadline);
        timer_.async_wait(std::move(handler));
    }

    void cancel() override { timer_.cancel(); }

private:
    boost::asio::steady_timer timer_;
};

} // namespace

TimePoint SystemClock::steady() const noexcept
{
    return std::chrono::steady_clock::now();
}

TimePoint SystemClock::steady_coarse() const noexcept
{
    return detail::coarse_steady_time();
}

WallTime SystemClock::wall() const noexcept
{
    return std::chrono::system_clock::now();
}

std::unique_ptr<Timer> SystemClock::make_timer(const boost::asio::any_io_executor& executor)
{
    return std::make_unique<SystemTimer>(executor);
}

} // namespace sojourn

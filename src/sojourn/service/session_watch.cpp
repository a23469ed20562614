#include "sojourn/service/session_watch.hpp"

using boost::asio::awaitable;

namespace sojourn {

SessionWatch::SessionWatch(
    const boost::asio::any_io_executor& executor, const std::shared_ptr<Clock>& clock
)
    : end_(executor, clock),
      turns_(executor, SemaphoreOptions().permits(1).max_waiters(SemaphoreOptions::most), clock)
{
}

awaitable<Result<void>> SessionWatch::until_end()
{
    return end_.wait(Duration::max());
}

awaitable<Result<Permit>> SessionWatch::take_turn(Duration limit)
{
    return turns_.acquire(limit);
}

void SessionWatch::end() noexcept
{
    end_.open();
    turns_.close();
}

} // namespace sojourn

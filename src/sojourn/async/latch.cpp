#include "sojourn/async/latch.hpp"

namespace sojourn {

Latch::Latch(const boost::asio::any_io_executor& executor, const std::shared_ptr<Clock>& clock)
    : line_(executor, SemaphoreOptions().permits(0).max_waiters(SemaphoreOptions::most), clock)
{
}

boost::asio::awaitable<Result<void>> Latch::wait(Duration limit)
{
    const auto ended = co_await line_.acquire(limit);
    if (ended.error() == errc::stopping) {
        co_return Result<void>();
    }
    // A limit of nothing is a limit too.
    co_return ended.error() == errc::overloaded ? Error(errc::timed_out) : ended.error();
}

} // namespace sojourn

#include "sojourn/async/latch.hpp"

namespace sojourn {

Latch::Latch(
    const boost::asio::any_io_executor& executor,
    const std::shared_ptr<Clock>& clock,
    std::size_t max_waiters
)
    : line_(executor, SemaphoreOptions().permits(0).max_waiters(max_waiters), clock)
{
}

boost::asio::awaitable<Result<void>> Latch::wait(Duration limit)
{
    const auto ended = co_await line_.acquire(limit);
    if (ended.error() == errc::stopping) {
        co_return Result<void>();
    }
    // A limit of nothing is a limit too.
    const bool is_over_at_once = ended.error() == errc::overloaded && limit <= Duration::zero();
    co_return is_over_at_once ? Error(errc::timed_out) : ended.error();
}

} // namespace sojourn

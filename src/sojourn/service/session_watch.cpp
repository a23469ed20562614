#include "sojourn/service/session_watch.hpp"

using boost::asio::awaitable;

namespace sojourn {

namespace {

SemaphoreOptions line_of_any_length()
{
    return SemaphoreOptions().permits(1).max_waiters(SemaphoreOptions::most);
}

} // namespace

SessionWatch::SessionWatch(
    const boost::asio::any_io_executor& executor, const std::shared_ptr<Clock>& clock
)
    : end_(executor, line_of_any_length(), clock),
      never_(end_.try_acquire().value()),
      turns_(executor, line_of_any_length(), clock)
{
}

awaitable<Result<void>> SessionWatch::until_end()
{
    const auto ended = co_await end_.acquire(Duration::max());
    if (ended.error() == errc::stopping) {
        co_return Result<void>();
    }
    co_return ended.error();
}

awaitable<Result<Permit>> SessionWatch::take_turn(Duration limit)
{
    return turns_.acquire(limit);
}

void SessionWatch::end() noexcept
{
    end_.close();
    turns_.close();
}

} // namespace sojourn

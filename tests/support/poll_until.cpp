#include "support/poll_until.hpp"

namespace sojourn::tests {

std::size_t run_ready(boost::asio::io_context& context)
{
    context.restart();
    return context.poll();
}

void Signal::set() noexcept
{
    // Told under the lock: a waiter may destroy this as soon as it sees the flag.
    const std::lock_guard guard(mutex_);
    is_set_ = true;
    changed_.notify_all();
}

bool Signal::is_set() const noexcept
{
    const std::lock_guard guard(mutex_);
    return is_set_;
}

void Signal::wait(TimeLimit::clock::duration limit, Location where) const
{
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, limit, [this] { return is_set_; })) {
        throw TimedOut("a signal was not set", where);
    }
}

} // namespace sojourn::tests

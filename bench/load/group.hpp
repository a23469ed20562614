/// @file
/// Coroutines that somebody waits for together.

#ifndef SOJOURN_BENCH_LOAD_GROUP_HPP
#define SOJOURN_BENCH_LOAD_GROUP_HPP

#include "support/drive.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <exception>
#include <utility>

namespace sojourn::bench {

/// Any number of coroutines on one executor, which must be run by one thread alone.
class Group {
public:
    explicit Group(const boost::asio::any_io_executor& executor)
        : all_ended_(executor, boost::asio::steady_timer::time_point::max())
    {
    }

    void start(boost::asio::awaitable<void> coroutine)
    {
        ++running_;
        boost::asio::co_spawn(
            all_ended_.get_executor(),
            std::move(coroutine),
            [this](const std::exception_ptr& failure) {
                end_on(failure);
                if (--running_ == 0) {
                    all_ended_.cancel();
                }
            }
        );
    }

    /// Waits until none is left.
    boost::asio::awaitable<void> join()
    {
        while (running_ > 0) {
            co_await all_ended_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        }
    }

private:
    std::size_t running_ = 0;
    boost::asio::steady_timer all_ended_;
};

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_LOAD_GROUP_HPP

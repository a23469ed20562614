/// @file
/// Private header. Runs a coroutine to its end in this thread.

#ifndef SOJOURN_BENCH_INSTRUCTIONS_RUN_HPP
#define SOJOURN_BENCH_INSTRUCTIONS_RUN_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <future>
#include <stdexcept>
#include <utility>

namespace sojourn::instructions {

/// Returns what the coroutine returns; throws what it throws, or `logic_error` if it waits for
/// something that nobody will do.
template <class T>
T run(boost::asio::io_context& context, boost::asio::awaitable<T> coroutine)
{
    auto done = boost::asio::co_spawn(context, std::move(coroutine), boost::asio::use_future);
    context.restart();
    while (done.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        if (context.run_one() == 0) {
            throw std::logic_error("the coroutine waits, and there is nothing left to run");
        }
    }
    return done.get();
}

} // namespace sojourn::instructions

#endif // SOJOURN_BENCH_INSTRUCTIONS_RUN_HPP

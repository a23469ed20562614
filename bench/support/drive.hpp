/// @file
/// Runs coroutines and tells how long they took.

#ifndef SOJOURN_BENCH_SUPPORT_DRIVE_HPP
#define SOJOURN_BENCH_SUPPORT_DRIVE_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <future>
#include <thread>
#include <utility>
#include <vector>

namespace sojourn::bench {

using Stopwatch = std::chrono::steady_clock;

[[nodiscard]] inline double seconds_since(Stopwatch::time_point start)
{
    return std::chrono::duration<double>(Stopwatch::now() - start).count();
}

/// How long this takes, for a benchmark's `SetIterationTime`.
template <class F>
double seconds_of(F f)
{
    const auto start = Stopwatch::now();
    f();
    return seconds_since(start);
}

/// Runs one coroutine to its end, in this thread, and gives what it returned.
template <class T>
T run(boost::asio::io_context& context, boost::asio::awaitable<T> coroutine)
{
    auto result = boost::asio::co_spawn(context, std::move(coroutine), boost::asio::use_future);
    context.restart();
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        context.run_one();
    }
    return result.get();
}

/// Threads that begin to run a context at the same moment. The one that says so is one of them.
class StartLine {
public:
    StartLine(boost::asio::io_context& context, std::size_t threads)
    {
        for (std::size_t i = 1; i < threads; ++i) {
            others_.emplace_back([this, &context] {
                ++ready_;
                while (!has_started_.load(std::memory_order_acquire)) {
                    std::this_thread::yield();
                }
                context.run();
            });
        }
        while (ready_ < others_.size()) {
            std::this_thread::yield();
        }
    }

    void start() noexcept { has_started_.store(true, std::memory_order_release); }

private:
    std::atomic<std::size_t> ready_{0};
    std::atomic<bool> has_started_{false};
    std::vector<std::jthread> others_;
};

/// What one throws ends the program: no figure comes of it.
inline void end_on(const std::exception_ptr& failure) noexcept
{
    if (failure) {
        std::rethrow_exception(failure);
    }
}

/// Runs `coroutines` of them, made by `make(index)`, on one context in `threads` threads, this one
/// included. Returns the seconds from the start line until the last one has ended.
template <class Make>
double
drive(boost::asio::io_context& context, std::size_t threads, std::size_t coroutines, Make make)
{
    std::atomic<std::size_t> unfinished{coroutines};
    double seconds = 0;
    Stopwatch::time_point start;
    const auto on_end = [&](const std::exception_ptr& failure) noexcept {
        end_on(failure);
        if (--unfinished == 0) {
            seconds = seconds_since(start);
            // A service's background would keep the threads here.
            context.stop();
        }
    };
    context.restart();
    for (std::size_t i = 0; i < coroutines; ++i) {
        boost::asio::co_spawn(context, make(i), on_end);
    }
    {
        StartLine line(context, threads);
        start = Stopwatch::now();
        line.start();
        context.run();
    }
    return seconds;
}

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_SUPPORT_DRIVE_HPP

/// @file
/// The threads that serve the load.

#ifndef SOJOURN_BENCH_LOAD_WORKERS_HPP
#define SOJOURN_BENCH_LOAD_WORKERS_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <cstddef>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace sojourn::bench {

/// Threads with a context each, as servers have one for each core: what runs on one of them is
/// never run by another, so that its counts need no lock.
class Workers {
public:
    explicit Workers(std::size_t count)
    {
        for (std::size_t i = 0; i < count; ++i) {
            workers_.push_back(std::make_unique<Worker>());
        }
    }

    [[nodiscard]] std::size_t count() const noexcept { return workers_.size(); }

    [[nodiscard]] boost::asio::io_context& context(std::size_t index)
    {
        return workers_[index]->context;
    }

    /// Begins a coroutine on one of them.
    template <class T>
    std::future<T> start(std::size_t index, boost::asio::awaitable<T> coroutine)
    {
        return boost::asio::co_spawn(context(index), std::move(coroutine), boost::asio::use_future);
    }

    /// Runs it to its end, and gives what it returned.
    template <class T>
    T run(std::size_t index, boost::asio::awaitable<T> coroutine)
    {
        return start(index, std::move(coroutine)).get();
    }

private:
    struct Worker {
        Worker() = default;
        Worker(const Worker&) = delete;
        Worker& operator=(const Worker&) = delete;
        Worker(Worker&&) = delete;
        Worker& operator=(Worker&&) = delete;

        /// A service's background would keep the thread here.
        ~Worker() { context.stop(); }

        boost::asio::io_context context{1};
        boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
            context.get_executor()
        };
        std::jthread thread{[this] { context.run(); }};
    };

    std::vector<std::unique_ptr<Worker>> workers_;
};

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_LOAD_WORKERS_HPP

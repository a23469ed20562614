/// @file
/// Runs an `io_context` in some threads for as long as a test needs it.

#ifndef SOJOURN_TESTS_SUPPORT_CONTEXT_THREADS_HPP
#define SOJOURN_TESTS_SUPPORT_CONTEXT_THREADS_HPP

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <thread>
#include <vector>

namespace sojourn::tests {

/// Keeps `context` running in `count` threads until destroyed, or `finish` is called.
class ContextThreads {
public:
    ContextThreads(boost::asio::io_context& context, std::size_t count);
    ContextThreads(const ContextThreads&) = delete;
    ContextThreads& operator=(const ContextThreads&) = delete;
    ContextThreads(ContextThreads&&) = delete;
    ContextThreads& operator=(ContextThreads&&) = delete;

    /// Stops the context, whatever it still has to do.
    ~ContextThreads();

    /// Lets the context run out of work and joins the threads. Ends only if the work ends.
    void finish();

private:
    void join();

    boost::asio::io_context& context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::vector<std::thread> threads_;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_SUPPORT_CONTEXT_THREADS_HPP

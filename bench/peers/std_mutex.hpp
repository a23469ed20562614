/// @file
/// A value behind a `std::mutex`, reached from coroutines as a `Confined` is. It is locked and
/// unlocked within one resumption, so that nobody holds it while suspended; a busy mutex blocks the
/// thread, and with it every coroutine that the thread could run.

#ifndef SOJOURN_BENCH_PEERS_STD_MUTEX_HPP
#define SOJOURN_BENCH_PEERS_STD_MUTEX_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <mutex>
#include <type_traits>
#include <utility>

namespace sojourn::bench::peers {

/// What it does not do: let others run while a caller waits, or yield ever.
template <class T>
class StdMutex {
public:
    StdMutex(const boost::asio::io_context::executor_type& /*executor*/, T value)
        : value_(std::move(value))
    {
    }

    template <class F>
    boost::asio::awaitable<std::invoke_result_t<F&, T&>> call(F f)
    {
        const std::scoped_lock lock(mutex_);
        co_return f(value_);
    }

private:
    std::mutex mutex_;
    T value_;
};

} // namespace sojourn::bench::peers

#endif // SOJOURN_BENCH_PEERS_STD_MUTEX_HPP

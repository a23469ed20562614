/// @file
/// The same strand used with care: a caller posts itself there, does its work, and posts itself
/// back to its own executor, so that it does not go on inside.

#ifndef SOJOURN_BENCH_PEERS_POST_STRAND_HPP
#define SOJOURN_BENCH_PEERS_POST_STRAND_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <type_traits>
#include <utility>

namespace sojourn::bench::peers {

/// What it does not do: run at once where nobody is inside. Each call goes through two queues.
template <class T>
class PostStrand {
public:
    PostStrand(const boost::asio::io_context::executor_type& executor, T value)
        : strand_(executor), value_(std::move(value))
    {
    }

    template <class F>
    boost::asio::awaitable<std::invoke_result_t<F&, T&>> call(F f)
    {
        co_await boost::asio::post(boost::asio::bind_executor(strand_, boost::asio::use_awaitable));
        auto result = f(value_);
        co_await boost::asio::post(boost::asio::use_awaitable);
        co_return result;
    }

    [[nodiscard]] bool running_in_this_thread() const noexcept
    {
        return strand_.running_in_this_thread();
    }

private:
    boost::asio::strand<boost::asio::io_context::executor_type> strand_;
    T value_;
};

} // namespace sojourn::bench::peers

#endif // SOJOURN_BENCH_PEERS_POST_STRAND_HPP

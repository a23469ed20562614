/// @file
/// The idiom of most examples: a value belongs to a strand, and a caller awaits a coroutine that it
/// spawns there.

#ifndef SOJOURN_BENCH_PEERS_CO_SPAWN_STRAND_HPP
#define SOJOURN_BENCH_PEERS_CO_SPAWN_STRAND_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <type_traits>
#include <utility>

namespace sojourn::bench::peers {

/// What it does not do: bring its caller back. As the spawned coroutine ends on the strand, the
/// caller goes on there until it suspends next, and whoever else needs the strand waits for it.
template <class T>
class CoSpawnStrand {
public:
    CoSpawnStrand(const boost::asio::io_context::executor_type& executor, T value)
        : strand_(executor), value_(std::move(value))
    {
    }

    template <class F>
    boost::asio::awaitable<std::invoke_result_t<F&, T&>> call(F f)
    {
        return boost::asio::co_spawn(
            strand_, run_inside(value_, std::move(f)), boost::asio::use_awaitable
        );
    }

private:
    template <class F>
    static boost::asio::awaitable<std::invoke_result_t<F&, T&>> run_inside(T& value, F f)
    {
        co_return f(value);
    }

    boost::asio::strand<boost::asio::io_context::executor_type> strand_;
    T value_;
};

} // namespace sojourn::bench::peers

#endif // SOJOURN_BENCH_PEERS_CO_SPAWN_STRAND_HPP

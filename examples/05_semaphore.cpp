// Lets three of many coroutines use a database at once. Some of the others wait, in order and not
// for ever, and the rest is refused at once. It needs nothing else of sojourn.

#include <sojourn/async/async_semaphore.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> query_database()
{
    asio::steady_timer work(co_await asio::this_coro::executor, 2ms);
    co_await work.async_wait(asio::use_awaitable);
}

// [semaphore]
// Returns whether it was served. At most as many are inside as there are permits.
asio::awaitable<bool> serve(sojourn::AsyncSemaphore& connections)
{
    const auto permit = co_await connections.acquire(5s);
    if (!permit) {
        // overloaded: the line is full. Its retry_after says when to come again.
        // timed_out: the line was too slow. stopping: it is closed.
        co_return false;
    }
    co_await query_database();
    co_return true; // The permit goes to whoever has waited longest.
}

// [/semaphore]

} // namespace

int main()
{
    constexpr int requests = 50;
    constexpr int connections_count = 3;
    constexpr int line = 20;

    asio::thread_pool threads(4);
    // [options]
    sojourn::AsyncSemaphore connections(
        threads.get_executor(),
        sojourn::SemaphoreOptions().permits(connections_count).max_waiters(line)
    );
    // [/options]

    std::vector<std::future<bool>> served;
    served.reserve(requests);
    for (int i = 0; i < requests; ++i) {
        served.push_back(asio::co_spawn(threads, serve(connections), asio::use_future));
    }
    int count = 0;
    for (auto& one : served) {
        count += one.get() ? 1 : 0;
    }

    // [close]
    // Outside a coroutine, any completion token will do.
    const auto metrics = connections.async_metrics(asio::use_future).get();
    connections.close();
    // [/close]

    std::cout
        << "served " << count << " of " << requests << ", refused " << metrics.refused_overloaded
        << "; those served waited "
        << std::chrono::duration_cast<std::chrono::microseconds>(metrics.waits.mean_wait()).count()
        << " us on average\n";
    return metrics.ledger_holds() && metrics.held == 0 && count >= connections_count + line
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}

// Ends a service without cutting anybody off: requests in flight finish, new ones are refused, who
// takes too long is told to go, and a report says what became of everybody. The program sends
// itself the signal that a supervisor would send.

#include <sojourn/service/session_service.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// [listener]
// Told of every session that ended. The drain waits until it has returned.
asio::awaitable<void> save(std::shared_ptr<int> saved, sojourn::RemovedSession removed)
{
    asio::steady_timer disk(co_await asio::this_coro::executor, 1ms);
    co_await disk.async_wait(asio::use_awaitable);
    ++*saved;
    std::cout << "session " << to_string(removed.reference) << ": " << to_string(removed.cause)
              << '\n';
}

// [/listener]

// A request that is in flight when the signal comes. As long as it holds its lease, it may do what
// it is there for.
asio::awaitable<void> serve(sojourn::SessionService& sessions, std::chrono::milliseconds time)
{
    auto created = co_await sessions.create();
    if (!created) {
        co_return;
    }
    asio::steady_timer work(co_await asio::this_coro::executor, time);
    co_await work.async_wait(asio::use_awaitable);
    const auto finish = [](sojourn::Attributes& data) { data.set("answer", "42"); };
    const auto saved = co_await sessions.modify(created->id, finish);
    if (!saved) {
        std::cout << "a request was too slow: " << saved.error().message() << '\n';
    }
}

// [drain]
// Returns the report once the service is closed.
asio::awaitable<sojourn::DrainReport> serve_until_signal(sojourn::SessionService& sessions)
{
    asio::signal_set signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
    co_await signals.async_wait(asio::use_awaitable);

    // From here on health().is_ready() is false, and whoever comes is refused with `stopping`.
    const auto patience = sojourn::DrainOptions().limit(100ms).cancel_grace(10s);
    const auto report = co_await sessions.drain(patience);
    // The one error there can be is that there is no memory, or no service any more.
    co_return report.value();
}

// [/drain]

asio::awaitable<void> signal_soon()
{
    asio::steady_timer moment(co_await asio::this_coro::executor, 10ms);
    co_await moment.async_wait(asio::use_awaitable);
    static_cast<void>(std::raise(SIGTERM));
}

} // namespace

int main()
{
    asio::io_context context;
    const auto saved = std::make_shared<int>(0);
    auto environment =
        sojourn::ServiceEnvironment().on_removed([saved](sojourn::RemovedSession removed) {
            return save(saved, std::move(removed));
        });
    sojourn::SessionService sessions(
        context.get_executor(), sojourn::ServiceOptions(), environment
    );

    std::exception_ptr failure;
    const auto note = [&](const std::exception_ptr& thrown) {
        failure = thrown ? thrown : failure;
    };
    for (const auto time : {0ms, 30ms, 500ms}) {
        asio::co_spawn(context, serve(sessions, time), note);
    }
    sojourn::DrainReport report;
    asio::co_spawn(
        context,
        serve_until_signal(sessions),
        [&](const std::exception_ptr& thrown, const sojourn::DrainReport& result) {
            note(thrown);
            report = result;
        }
    );
    asio::co_spawn(context, signal_soon(), note);

    // [run]
    // Once the service is drained, nothing of it keeps the context running.
    context.run();
    std::cout << report.finished << " finished, " << report.cancelled << " were cancelled, "
              << report.events_delivered << " were saved\n";
    // [/run]
    const bool is_right = !failure && report.finished + report.cancelled == 3 &&
                          report.still_leased == 0 && report.events_delivered == 3 && *saved == 3;
    return is_right ? EXIT_SUCCESS : EXIT_FAILURE;
}

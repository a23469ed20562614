// How long things may take, and how they end: requests of one client that take turns and do not
// wait for ever, one that is cancelled from outside, and a stream that ends with its session.

#include <sojourn/sojourn.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> pause(std::chrono::milliseconds length)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, length);
    co_await timer.async_wait(asio::use_awaitable);
}

// [exclusive]
// Requests that change the session in steps must not overlap: they take turns, and wait for theirs
// no longer than a client does. Returns what to tell it.
asio::awaitable<std::string> check_out(sojourn::SessionService& sessions, sojourn::SessionId id)
{
    auto lease = co_await sessions.acquire_exclusive(std::move(id), 50ms);
    if (!lease) {
        co_return lease.error() == sojourn::errc::timed_out ? "busy" : "refused";
    }
    co_await pause(100ms); // the payment, say
    co_return "done";
}

// [/exclusive]

// [stream]
// A stream of events, open for as long as the client and the session are. The weak lease keeps the
// session from expiring for idleness, and `closed` tells when it was removed all the same.
asio::awaitable<std::string> stream(sojourn::SessionService& sessions, sojourn::SessionId id)
{
    using asio::experimental::awaitable_operators::operator||;

    auto lease = co_await sessions.acquire_weak(std::move(id));
    if (!lease) {
        co_return "refused";
    }
    for (;;) {
        // Whichever comes first cancels the other.
        const auto first = co_await (pause(5ms) || lease->closed());
        if (first.index() == 1) {
            co_return "ended with its session";
        }
        // An event went out: the session is in use.
        if (const auto touched = co_await lease->touch(); !touched) {
            co_return "ended with its session";
        }
    }
}

// [/stream]

struct Log {
    std::string first;
    std::string second;
    std::string cancelled;
    std::string streamed;
};

asio::awaitable<void> note(std::string& place, asio::awaitable<std::string> work)
{
    place = co_await std::move(work);
}

asio::awaitable<void> run(sojourn::SessionService& sessions, Log& log)
{
    const auto executor = co_await asio::this_coro::executor;
    const auto ignore = [](const std::exception_ptr&) {};
    auto created = co_await sessions.create();
    const auto id = created.value().id;
    created->lease.release();

    asio::co_spawn(executor, note(log.streamed, stream(sessions, id)), ignore);
    asio::co_spawn(executor, note(log.first, check_out(sessions, id)), ignore);
    asio::co_spawn(executor, note(log.second, check_out(sessions, id)), ignore);

    // [cancel]
    // A request whose client has gone away. It is thrown out of the line it waits in, has had no
    // effect, and what it held is free again before the completion handler is called.
    asio::cancellation_signal client_gone;
    const auto ended = [&log](const std::exception_ptr& failure) {
        log.cancelled = failure || log.cancelled == "refused" ? "cancelled" : log.cancelled;
    };
    asio::co_spawn(
        executor,
        note(log.cancelled, check_out(sessions, id)),
        asio::bind_cancellation_slot(client_gone.slot(), ended)
    );
    co_await pause(10ms);
    client_gone.emit(asio::cancellation_type::terminal);
    // [/cancel]

    co_await pause(150ms);
    const bool is_removed = (co_await sessions.remove(id)).has_value();
    co_await pause(20ms);
    const auto metrics = co_await sessions.metrics();
    std::cout << "the first is " << log.first << ", the second " << log.second << ", the third "
              << log.cancelled << "; the stream " << log.streamed << (is_removed ? ". " : "? ")
              << metrics->leased << " leases are left\n";
}

} // namespace

int main()
{
    asio::io_context context;
    sojourn::SessionService sessions(context.get_executor());
    Log log;
    bool went_well = false;
    asio::co_spawn(context, run(sessions, log), [&](const std::exception_ptr& failure) {
        went_well = !failure && log.first == "done" && log.second == "busy" &&
                    log.cancelled == "cancelled" && log.streamed == "ended with its session";
        context.stop();
    });
    context.run();
    return went_well ? EXIT_SUCCESS : EXIT_FAILURE;
}

// A server under more load than it can bear: what is refused, what waits, and what the client is
// told. Nobody who is at work has to go.

#include <sojourn/sojourn.hpp>

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
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// [options]
// Small numbers, to be seen at work. What a server can do at once only its author knows, so
// max_in_flight has no default; the others have one that is safe on the open internet.
sojourn::ServiceOptions limits()
{
    return sojourn::ServiceOptions()
        .max_sessions(100)
        .max_half_open(20)             // of clients that have not come back
        .max_sessions_per_principal(3) // the oldest of one's own makes room
        .creation_rate({10, 30})       // of one address
        .request_rate({50, 20})        // of one session
        .max_in_flight_per_session(4)  // requests of one session at once
        .max_in_flight(8)              // requests at once
        .max_waiting_requests(16)      // and in line for that
        .max_request_wait(1s);         // no longer than
}

// [/options]

/// The status line an HTTP server would answer with.
// [answer]
std::string answer(const sojourn::Error& error)
{
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(error.retry_after()).count();
    const auto later = "Retry-After: " + std::to_string(seconds);
    if (error == sojourn::errc::rate_limited) {
        return "429 Too Many Requests, " + later;
    }
    if (error == sojourn::errc::overloaded) {
        return "503 Service Unavailable, " + later;
    }
    return error == sojourn::errc::not_found ? "401 Unauthorized" : "503 Service Unavailable";
}

// [/answer]

asio::awaitable<bool> serve(sojourn::SessionService& sessions, sojourn::SessionId id)
{
    const auto lease = co_await sessions.acquire(std::move(id));
    if (!lease) {
        co_return false;
    }
    asio::steady_timer work(co_await asio::this_coro::executor, 2ms);
    co_await work.async_wait(asio::use_awaitable);
    co_return true;
}

/// Somebody at one address who asks for session after session, and never comes back.
asio::awaitable<int> mint(sojourn::SessionService& sessions, std::string address, int count)
{
    int created = 0;
    for (int i = 0; i < count; ++i) {
        auto options = sojourn::CreateOptions().peer(address);
        const auto session = co_await sessions.create(std::move(options));
        created += session ? 1 : 0;
        if (!session && i + 1 == count) {
            std::cout << "the last of " << count << " is answered " << answer(session.error())
                      << '\n';
        }
    }
    co_return created;
}

asio::awaitable<sojourn::SessionId> log_in(sojourn::SessionService& sessions, std::string user)
{
    auto options = sojourn::CreateOptions().principal(std::move(user));
    auto created = co_await sessions.create(std::move(options));
    co_return std::move(created).value().id;
}

} // namespace

int main()
{
    constexpr int users = 5;
    constexpr int requests_each = 10;

    asio::thread_pool threads(2);
    sojourn::SessionService sessions(threads.get_executor(), limits());

    std::vector<sojourn::SessionId> ids;
    for (int i = 0; i < users; ++i) {
        auto login = log_in(sessions, "user " + std::to_string(i));
        ids.push_back(asio::co_spawn(threads, std::move(login), asio::use_future).get());
    }

    auto attack = mint(sessions, "192.0.2.1", 1'000);
    const int minted = asio::co_spawn(threads, std::move(attack), asio::use_future).get();

    std::vector<std::future<bool>> requests;
    for (int i = 0; i < requests_each; ++i) {
        for (const auto& id : ids) {
            requests.push_back(asio::co_spawn(threads, serve(sessions, id), asio::use_future));
        }
    }
    int served = 0;
    for (auto& request : requests) {
        served += request.get() ? 1 : 0;
    }

    // [metrics]
    const auto metrics = sessions.async_metrics(asio::use_future).get().value();
    std::cout << "sessions: " << metrics.created << " created, " << metrics.live << " live, "
              << metrics.half_open << " of them half-open, " << metrics.creations_rate_limited
              << " refused\nrequests: " << served << " served, " << metrics.refused_busy
              << " refused as their session had too many, " << metrics.requests_shed << " shed\n";
    // [/metrics]

    const bool everyone_is_known = metrics.not_found == 0;
    const bool is_bounded = metrics.live <= 100 && metrics.half_open <= 20 && minted < 100;
    return metrics.ledger_holds() && everyone_is_known && is_bounded && served > 0 ? EXIT_SUCCESS
                                                                                   : EXIT_FAILURE;
}

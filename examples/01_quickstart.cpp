// Creates a session, uses it from two requests, and stops. Builds with headers or, with
// SOJOURN_USE_MODULE defined, from `import sojourn;`.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

#ifdef SOJOURN_USE_MODULE
import sojourn;
#else
#include <sojourn/sojourn.hpp>
#endif

namespace asio = boost::asio;

// [request]
// What a server does for each request that brings a session id.
asio::awaitable<bool> serve(sojourn::SessionService& sessions, sojourn::SessionId id)
{
    const auto lease = co_await sessions.acquire(id);
    if (!lease) {
        std::printf("refused: %s\n", lease.error().message().c_str());
        co_return false;
    }
    // Until the lease is gone, nothing evicts or expires the session.
    const auto& info = lease->info();
    std::printf("request %d of %s\n", static_cast<int>(info.requests), to_string(info.reference).c_str());
    co_return true;
}
// [/request]

// [session]
asio::awaitable<bool> visit(sojourn::SessionService& sessions)
{
    auto options = sojourn::CreateOptions().principal("alice");
    auto created = co_await sessions.create(std::move(options));
    if (!created) {
        co_return false;
    }
    created->lease.release();

    // The id is the secret for the client's cookie; the reference is what a log may show.
    bool went_well = co_await serve(sessions, created->id) && co_await serve(sessions, created->id);

    if (const auto removed = co_await sessions.remove(created->id); !removed) {
        went_well = false;
    }
    const bool was_refused = !co_await serve(sessions, created->id);

    const auto stopped = co_await sessions.stop();
    co_return went_well && was_refused && stopped.has_value();
}
// [/session]

// [main]
int main()
{
    asio::io_context context;
    auto options = sojourn::ServiceOptions().max_sessions(10'000).idle_timeout(std::chrono::minutes(15));
    sojourn::SessionService sessions(context.get_executor(), options);

    bool went_well = false;
    asio::co_spawn(context, visit(sessions), [&](std::exception_ptr failure, bool result) {
        went_well = !failure && result;
    });
    context.run();
    return went_well ? EXIT_SUCCESS : EXIT_FAILURE;
}
// [/main]

// Creates a session, uses it from another request, ends it, and drains the service. Builds with
// headers or, with SOJOURN_USE_MODULE defined, from `import sojourn;`.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <utility>

#ifdef SOJOURN_USE_MODULE
import sojourn;
#else
#include <sojourn/sojourn.hpp>
#endif

namespace asio = boost::asio;

namespace {

// [visit]
asio::awaitable<bool> visit(sojourn::SessionService& sessions)
{
    // A login. The id is the secret for the client's cookie; the lease is this request's.
    auto options = sojourn::CreateOptions().principal("alice");
    auto created = co_await sessions.create(std::move(options));
    if (!created) {
        co_return false; // no room, or stopping
    }
    created->lease.release();

    // A later request, which brings the id. While it holds the lease, nothing evicts the session.
    auto lease = co_await sessions.acquire(created->id);
    if (!lease) {
        co_return false; // no such session, over its rate, or stopping
    }
    const auto& session = lease->info();
    std::cout << "request " << session.requests << " of " << to_string(session.reference) << '\n';
    lease->release();

    // A logout. From now on the id is unknown.
    const auto removed = co_await sessions.remove(created->id);
    co_return removed.has_value();
}

// [/visit]

asio::awaitable<bool> run(sojourn::SessionService& sessions)
{
    const bool went_well = co_await visit(sessions);
    // Until it is drained, the service keeps the context running: it waits for what will expire.
    const auto drained = co_await sessions.drain();
    co_return (went_well && drained.has_value() && drained->is_clean());
}

} // namespace

int main()
{
    // [service]
    asio::io_context context;
    auto options =
        sojourn::ServiceOptions().max_sessions(10'000).idle_timeout(std::chrono::minutes(15));
    sojourn::SessionService sessions(context.get_executor(), options);
    // [/service]

    bool went_well = false;
    asio::co_spawn(context, run(sessions), [&](const std::exception_ptr& failure, bool result) {
        went_well = !failure && result;
        context.stop();
    });
    context.run();
    return went_well ? EXIT_SUCCESS : EXIT_FAILURE;
}

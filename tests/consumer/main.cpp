// The smallest user of sojourn: proves that it is found, compiles, links and runs.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <exception>

#ifdef SOJOURN_USE_MODULE
import sojourn;
#else
#include <sojourn/http/session_cookie.hpp>
#include <sojourn/sojourn.hpp>
#endif
#ifdef SOJOURN_USE_PROMETHEUS
#include <sojourn/prometheus/exposition.hpp>
#endif
#ifdef SOJOURN_USE_STORE
#include <sojourn/store/memory_store.hpp>
#endif

namespace asio = boost::asio;

namespace {

asio::awaitable<bool> finds_what_it_created(sojourn::SessionService& sessions)
{
    const auto created = co_await sessions.create();
    bool found = false;
    if (created) {
        const auto lease = co_await sessions.acquire(created->id);
        found = lease.has_value() && lease->info().idle_timeout > std::chrono::seconds(0);
#ifndef SOJOURN_USE_MODULE
        const sojourn::http::SessionCookie cookie;
        const auto field = cookie.give(created->id);
        found = found && cookie.read(field.substr(0, field.find(';'))).has_value();
#endif
#ifdef SOJOURN_USE_PROMETHEUS
        const auto sample = co_await sojourn::prometheus::sample(sessions);
        found = found && !sojourn::prometheus::exposition(sample.value()).empty();
#endif
#ifdef SOJOURN_USE_STORE
        sojourn::MemoryStore store(co_await asio::this_coro::executor);
        const auto absent =
            co_await store.load(sojourn::StoreKey::of(created->id), std::chrono::seconds(1));
        found = found && absent.error() == sojourn::errc::not_found;
#endif
    }
    co_return found;
}

} // namespace

int main()
{
    asio::io_context context;
    sojourn::SessionService sessions(context.get_executor());
    bool ok = false;
    asio::co_spawn(
        context,
        finds_what_it_created(sessions),
        [&](std::exception_ptr failure, bool found) {
            ok = !failure && found;
            context.stop();
        }
    );
    context.run();
    return ok ? 0 : 1;
}

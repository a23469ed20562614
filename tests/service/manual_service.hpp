/// @file
/// A service whose time stands still, driven by the thread of the test.

#ifndef SOJOURN_TESTS_SERVICE_MANUAL_SERVICE_HPP
#define SOJOURN_TESTS_SERVICE_MANUAL_SERVICE_HPP

#include "support/poll_until.hpp"
#include "support/run_coro.hpp"

#include <sojourn/service/session_service.hpp>
#include <sojourn/testing/manual_clock.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <utility>

namespace sojourn::tests {

/// Options that admit whoever fits into the table; a test sets the bounds that it is about.
inline ServiceOptions plain_options()
{
    return ServiceOptions()
        .max_half_open(1'000'000)
        .max_sessions_per_principal(std::nullopt)
        .eviction_grace(Duration::zero())
        .creation_rate(RateLimit::unlimited());
}

/// The same, with as many requests of a session as one likes.
inline ServiceOptions unlimited(std::size_t shards = 1)
{
    return plain_options().request_rate(RateLimit::unlimited()).shards(shards);
}

/// A service on a context of its own. Nothing runs but in `run` and `settle`, and no time passes
/// but in `pass`.
class ManualService {
public:
    explicit ManualService(
        const ServiceOptions& options = plain_options(),
        ServiceEnvironment environment = ServiceEnvironment()
    )
        : service(context.get_executor(), options, environment.clock(clock))
    {
        settle();
    }

    /// Runs an operation to its end.
    template <class T>
    T run(boost::asio::awaitable<T> operation, Location where = Location::current())
    {
        return run_coro(context, std::move(operation), default_limit, where);
    }

    /// Runs the background until it sleeps.
    void settle() { run_ready(context); }

    /// Lets time pass, and the background do what is due then.
    void pass(Duration length)
    {
        clock->advance(length);
        settle();
    }

    /// A new session with its first lease.
    [[nodiscard]] CreatedSession create(CreateOptions options = CreateOptions())
    {
        return run(service.create(std::move(options))).value();
    }

    /// A new session that nobody leases, half-open unless it has a principal.
    [[nodiscard]] SessionId add(CreateOptions options = CreateOptions())
    {
        return create(std::move(options)).id;
    }

    /// A new session that has served one request and that nobody leases.
    [[nodiscard]] SessionId establish(CreateOptions options = CreateOptions())
    {
        auto id = add(std::move(options));
        acquire(id).release();
        return id;
    }

    [[nodiscard]] SessionLease acquire(const SessionId& id)
    {
        return run(service.acquire(id)).value();
    }

    [[nodiscard]] bool knows(const SessionId& id) { return run(service.peek(id)).has_value(); }

    /// The counters, whose ledger must hold whenever one looks.
    [[nodiscard]] Metrics metrics()
    {
        const auto now = run(service.metrics()).value();
        if (!now.ledger_holds()) {
            throw std::logic_error("the ledger does not hold");
        }
        return now;
    }

    [[nodiscard]] Health health() { return run(service.health()).value(); }

    boost::asio::io_context context;
    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    SessionService service;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_SERVICE_MANUAL_SERVICE_HPP

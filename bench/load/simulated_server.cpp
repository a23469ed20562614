#include "load/simulated_server.hpp"

#include "support/payload.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <string>
#include <utility>

namespace asio = boost::asio;

namespace sojourn::bench {

namespace {

/// No rate: that is another question.
ServiceOptions options(const ServerLimits& limits)
{
    return ServiceOptions()
        .request_rate(RateLimit::unlimited())
        .max_in_flight(limits.max_in_flight)
        .max_waiting_requests(limits.max_waiting_requests)
        .max_request_wait(limits.max_request_wait);
}

} // namespace

SimulatedServer::SimulatedServer(Workers& workers, std::size_t users, const ServerLimits& limits)
    : sessions_(workers.context(0).get_executor(), options(limits))
{
    workers.run(0, create_sessions(users));
}

asio::awaitable<void> SimulatedServer::create_sessions(std::size_t users)
{
    ids_.reserve(users);
    for (std::size_t user = 0; user < users; ++user) {
        CreateOptions fresh;
        fresh.principal("user " + std::to_string(user)).attributes(attributes_of(payload));
        auto created = co_await sessions_.create(std::move(fresh));
        ids_.push_back(std::move(created).value().id);
    }
}

asio::awaitable<Answer> SimulatedServer::serve(std::size_t user, Duration work)
{
    const auto lease = co_await sessions_.acquire(ids_[user]);
    if (!lease) {
        co_return lease.error() == errc::overloaded ? Answer::shed : Answer::failed;
    }
    begin_work();
    asio::steady_timer timer(co_await asio::this_coro::executor, work);
    co_await timer.async_wait(asio::use_awaitable);
    end_work();
    co_return Answer::served;
}

void SimulatedServer::begin_work() noexcept
{
    const auto at_work = ++at_work_;
    auto most = most_at_work_.load();
    while (at_work > most && !most_at_work_.compare_exchange_weak(most, at_work)) {
    }
}

void SimulatedServer::end_work() noexcept
{
    --at_work_;
}

asio::awaitable<std::size_t> SimulatedServer::leases_at_once(std::size_t wanted)
{
    std::vector<SessionLease> leases;
    while (leases.size() < wanted) {
        auto lease = co_await sessions_.acquire(ids_[leases.size() % ids_.size()]);
        if (!lease) {
            break;
        }
        leases.push_back(std::move(*lease));
    }
    co_return leases.size();
}

asio::awaitable<Metrics> SimulatedServer::metrics()
{
    auto metrics = co_await sessions_.metrics();
    co_return std::move(metrics).value();
}

} // namespace sojourn::bench

#include "prometheus/busy_service.hpp"

#include "service/manual_service.hpp"
#include "service/removal_log.hpp"

#include <boost/asio/use_future.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace sojourn::tests {

namespace {

using namespace std::chrono_literals;

/// Some waits of each length, and one of each outcome.
SemaphoreMetrics waits_of_all_lengths()
{
    SemaphoreMetrics in_flight;
    in_flight.limit = 2;
    in_flight.held = 2;
    in_flight.waiting = 1;
    in_flight.refused_overloaded = 1;
    in_flight.timed_out = 1;
    in_flight.cancelled = 1;
    in_flight.refused_stopping = 1;
    in_flight.waits.add(0ns);
    ++in_flight.granted;
    for (auto wait = Duration(1); wait < 100s; wait *= 3) {
        in_flight.waits.add(wait);
        ++in_flight.granted;
    }
    in_flight.entered = in_flight.granted + 5;
    return in_flight;
}

} // namespace

BusyService busy_service()
{
    const std::string principal = "alice@example.com";
    const std::string peer = "192.0.2.17";
    const auto newcomer = [&] { return CreateOptions().principal(principal).peer(peer); };
    ManualService sessions(
        plain_options()
            .max_sessions(3)
            .idle_timeout(10min)
            .absolute_lifetime(15min)
            .creation_rate(RateLimit(1, 10))
            .request_rate(RateLimit(1, 3))
            .max_in_flight(1)
            .max_waiting_requests(0)
            .max_in_flight_per_session(2),
        listening_to_all(std::make_shared<RemovalLog>())
    );

    // One expires for idleness; one is kept from that, until its lifetime is over.
    (void)sessions.add();
    auto kept = sessions.create();
    sessions.pass(10min);
    sessions.pass(5min);
    kept.lease.release();

    // Somebody creates more than there is room for, and more than he may; then he guesses.
    auto latest = sessions.create(newcomer());
    for (auto next = sessions.run(sessions.service.create(newcomer())); next;
         next = sessions.run(sessions.service.create(newcomer()))) {
        latest = std::move(next).value();
    }
    const auto id = latest.id;
    const auto guess = SessionId::parse("guess").value();
    (void)sessions.run(sessions.service.acquire(guess, AcquireOptions().peer(peer)));

    // Requests: one is served, one refused as its session has two, one shed as the service has one,
    // and then the session is over its rate.
    auto served = sessions.acquire(id);
    (void)sessions.run(sessions.service.acquire(id));
    latest.lease.release();
    (void)sessions.run(sessions.service.acquire(id));
    served.release();
    while (sessions.run(sessions.service.acquire(id)).has_value()) {
    }

    // One is removed, one has a new id, one is anonymous and leased, one is closing.
    const auto removed = sessions.add();
    (void)sessions.run(sessions.service.remove(removed));
    const auto rotated = sessions.run(sessions.service.rotate(id)).value();
    const auto anonymous = sessions.create();
    const auto closing = sessions.create();
    (void)sessions.run(sessions.service.remove(closing.id));

    BusyService busy;
    busy.sample = sessions.run(prometheus::sample(sessions.service)).value();
    busy.sample.in_flight = waits_of_all_lengths();
    busy.confidential = {principal, peer};
    for (const auto& secret : {id, rotated, removed, anonymous.id, closing.id}) {
        busy.confidential.emplace_back(secret.text());
    }
    busy.confidential.push_back(to_string(anonymous.lease.info().reference));
    return busy;
}

} // namespace sojourn::tests

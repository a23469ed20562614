/// @file
/// A server whose requests wait for something slow, as for a database: how much it can do is set by
/// how many it works on at once and by how long each takes, and not by the processor.

#ifndef SOJOURN_BENCH_LOAD_SIMULATED_SERVER_HPP
#define SOJOURN_BENCH_LOAD_SIMULATED_SERVER_HPP

#include "load/workers.hpp"
#include "sojourn/core/metrics.hpp"
#include "sojourn/service/session_service.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sojourn::bench {

struct ServerLimits {
    std::size_t max_in_flight;
    std::size_t max_waiting_requests;
    Duration max_request_wait;
};

enum class Answer : std::uint8_t {
    served,
    /// Refused, as too many are at work and too many wait.
    shed,
    /// Refused for a reason that there is not.
    failed,
};

class SimulatedServer {
public:
    /// With so many users, each with a session.
    SimulatedServer(Workers& workers, std::size_t users, const ServerLimits& limits);

    [[nodiscard]] std::size_t user_count() const noexcept { return ids_.size(); }

    /// One request: acquires the user's session, works for so long, and releases.
    [[nodiscard]] boost::asio::awaitable<Answer> serve(std::size_t user, Duration work);

    /// Requests that were at work at once, at most, since the beginning.
    [[nodiscard]] std::size_t most_at_work() const noexcept { return most_at_work_; }

    /// How many of so many requests can hold leases at once.
    [[nodiscard]] boost::asio::awaitable<std::size_t> leases_at_once(std::size_t wanted);

    [[nodiscard]] boost::asio::awaitable<Metrics> metrics();

private:
    boost::asio::awaitable<void> create_sessions(std::size_t users);
    void begin_work() noexcept;
    void end_work() noexcept;

    SessionService sessions_;
    std::vector<SessionId> ids_;
    std::atomic<std::size_t> at_work_{0};
    std::atomic<std::size_t> most_at_work_{0};
};

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_LOAD_SIMULATED_SERVER_HPP

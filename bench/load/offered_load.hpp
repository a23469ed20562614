/// @file
/// Requests for a simulated server, from one worker: as they come, or as fast as they are answered.

#ifndef SOJOURN_BENCH_LOAD_OFFERED_LOAD_HPP
#define SOJOURN_BENCH_LOAD_OFFERED_LOAD_HPP

#include "load/group.hpp"
#include "load/latency_histogram.hpp"
#include "load/simulated_server.hpp"
#include "support/drive.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <random>

namespace sojourn::bench {

/// When requests come.
struct Period {
    Stopwatch::time_point begin;
    Stopwatch::time_point end;
};

/// What became of requests.
struct Answers {
    std::uint64_t offered = 0;
    std::uint64_t served = 0;
    /// Of the served: before the period was over.
    std::uint64_t served_in_time = 0;
    std::uint64_t shed = 0;
    std::uint64_t failed = 0;
    /// Of the served, from when a request should have come until its answer: what makes it come
    /// late counts.
    LatencyHistogram latency;

    Answers& operator+=(const Answers& other);
};

/// The requests of one worker in one period. What each asks for follows from the seed: anybody's
/// session, and work for half to one and a half times the mean.
class OfferedLoad {
public:
    OfferedLoad(
        const boost::asio::any_io_executor& executor,
        SimulatedServer& server,
        Duration mean_work,
        Period period,
        std::uint64_t seed
    );

    [[nodiscard]] static constexpr Duration longest_work(Duration mean) { return mean * 3 / 2; }

    /// They come at this rate on average, by chance, and whether those before are answered or not.
    boost::asio::awaitable<Answers> open(double requests_per_second);

    /// From so many clients, each of which asks again as soon as it has its answer.
    boost::asio::awaitable<Answers> closed(std::size_t clients);

private:
    boost::asio::awaitable<void> request(Stopwatch::time_point arrival);
    boost::asio::awaitable<void> client();
    Duration draw_work();

    SimulatedServer& server_;
    Period period_;
    Group requests_;
    Answers answers_;
    std::mt19937_64 random_;
    std::uniform_int_distribution<std::size_t> user_;
    std::uniform_real_distribution<double> work_ns_;
};

} // namespace sojourn::bench

#endif // SOJOURN_BENCH_LOAD_OFFERED_LOAD_HPP

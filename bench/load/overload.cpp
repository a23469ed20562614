// A server is offered as much as it can do, twice as much, and ten times as much. Requests come
// when they come, whether those before are answered or not, and latencies count from when a request
// should have come; what it can do at all is measured before, by clients that wait for their
// answers. The last phase is served by another server, where so many may wait that it is the time
// they wait that is bounded.

#include "load/offered_load.hpp"
#include "load/questions.hpp"
#include "load/simulated_server.hpp"
#include "load/workers.hpp"
#include "support/memory.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstdint>
#include <ctime>
#include <future>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;

namespace sojourn::bench {

namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t worker_count = 2;
/// Long enough that ten times as many requests as can be served cost a laptop no whole processor:
/// what bounds the server shall be its permits.
constexpr Duration mean_work = 20ms;
constexpr std::uint64_t seed = 1;

/// A line so long is served in a fifth of the wait, so that nobody is refused for having waited too
/// long.
constexpr ServerLimits bounded_line{
    .max_in_flight = 64,
    .max_waiting_requests = 256,
    .max_request_wait = 400ms,
};

/// So many that the last of them would wait for five times as long.
constexpr ServerLimits bounded_wait{
    .max_in_flight = 64,
    .max_waiting_requests = 1'600,
    .max_request_wait = 100ms,
};

/// What all requests of a phase are offered by.
struct Offer {
    /// Nothing where clients wait for their answers.
    double requests_per_second = 0;
    std::size_t clients = 0;
};

asio::awaitable<Answers>
offer(SimulatedServer& server, Offer part, Period period, std::uint64_t worker_seed)
{
    const auto executor = co_await asio::this_coro::executor;
    OfferedLoad load(executor, server, mean_work, period, worker_seed);
    if (part.clients > 0) {
        co_return co_await load.closed(part.clients);
    }
    co_return co_await load.open(part.requests_per_second);
}

double processor_seconds()
{
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

class Overload {
public:
    Overload(const Scale& scale, const ServerLimits& limits, Claims& claims)
        : phase_(scale.phase),
          limits_(limits),
          claims_(claims),
          server_(workers_, scale.users, limits)
    {
    }

    /// Returns the goodput: requests that were served, a second.
    double run(const std::string& name, Offer all, std::vector<Phase>& phases)
    {
        claims_.about("overload, " + name);
        const auto memory_begin = resident_bytes();
        const auto before = metrics();
        const auto processor_begin = processor_seconds();
        const auto answers = offer_from_all(all);
        const auto processor_end = processor_seconds();
        const auto memory_end = resident_bytes();
        check(answers, before, metrics());

        const auto seconds = phase_.count();
        const auto goodput = static_cast<double>(answers.served_in_time) / seconds;
        phases.push_back(
            {name,
             {{"offered_per_second", static_cast<double>(answers.offered) / seconds},
              {"goodput_per_second", goodput},
              {"shed", answers.shed},
              {"p50_ms", answers.latency.percentile(0.5)},
              {"p99_ms", answers.latency.percentile(0.99)},
              {"max_ms", answers.latency.longest()},
              {"most_at_work", server_.most_at_work()},
              {"processors_busy", (processor_end - processor_begin) / seconds},
              {"resident_bytes_begin", memory_begin},
              {"resident_bytes_end", memory_end}}}
        );
        return goodput;
    }

private:
    Answers offer_from_all(Offer all)
    {
        const auto begin = Stopwatch::now();
        const Period period{begin, begin + std::chrono::duration_cast<Duration>(phase_)};
        const Offer part{
            all.requests_per_second / static_cast<double>(workers_.count()),
            all.clients / workers_.count()
        };
        std::vector<std::future<Answers>> parts;
        parts.reserve(workers_.count());
        for (std::size_t i = 0; i < workers_.count(); ++i) {
            parts.push_back(workers_.start(i, offer(server_, part, period, seed + i)));
        }
        Answers answers;
        for (auto& each : parts) {
            answers += each.get();
        }
        return answers;
    }

    /// After a phase nobody is served any more.
    void check(const Answers& answers, const Metrics& before, const Metrics& after)
    {
        claims_.equal(
            "requests that were served or shed, of all",
            answers.served + answers.shed,
            answers.offered
        );
        claims_.none("requests that failed otherwise", answers.failed);
        claims_.at_most("requests at work at once", server_.most_at_work(), limits_.max_in_flight);
        claims_.equal(
            "requests that are counted", after.acquires - before.acquires, answers.offered
        );
        claims_.equal(
            "shed requests that are counted",
            after.requests_shed - before.requests_shed,
            answers.shed
        );
        claims_.none("leases that are not given back", after.leased);
        claims_.none("ledgers that do not hold", after.ledger_holds() ? 0 : 1);
        claims_.equal(
            "permits there are",
            workers_.run(0, server_.leases_at_once(limits_.max_in_flight + 1)),
            limits_.max_in_flight
        );
    }

    Metrics metrics() { return workers_.run(0, server_.metrics()); }

    Seconds phase_;
    ServerLimits limits_;
    Claims& claims_;
    Workers workers_{worker_count};
    SimulatedServer server_;
};

/// Returns how many requests a second the server can serve.
double run_bounded_line(const Scale& scale, Claims& claims, std::vector<Phase>& phases)
{
    Overload by_line(scale, bounded_line, claims);
    const Offer saturation{.clients = 2 * bounded_line.max_in_flight};
    const auto capacity = by_line.run("capacity", saturation, phases);
    for (const int times : {1, 2, 10}) {
        const Offer all{.requests_per_second = capacity * times};
        by_line.run(std::to_string(times) + "x", all, phases);
    }
    return capacity;
}

} // namespace

Report overload(const Scale& scale, Claims& claims)
{
    Report report{
        .question = "overload",
        .settings =
            {{"seconds", scale.phase.count()},
             {"threads", worker_count},
             {"users", scale.users},
             {"mean_work_ms", mean_work},
             {"longest_work_ms", OfferedLoad::longest_work(mean_work)},
             {"max_in_flight", bounded_line.max_in_flight},
             {"max_waiting_requests", bounded_line.max_waiting_requests},
             {"max_request_wait_ms", bounded_line.max_request_wait},
             {"bounded_wait_max_waiting_requests", bounded_wait.max_waiting_requests},
             {"bounded_wait_max_request_wait_ms", bounded_wait.max_request_wait}},
        .phases = {},
    };
    const auto capacity = run_bounded_line(scale, claims, report.phases);
    Overload by_wait(scale, bounded_wait, claims);
    by_wait.run("10x, bounded wait", {.requests_per_second = capacity * 10}, report.phases);
    return report;
}

} // namespace sojourn::bench

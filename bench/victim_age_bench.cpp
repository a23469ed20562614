// Is the victim the session that was used least recently, of all shards? Visitors come to a full
// service, so each makes one session go; the listener notes which. Were the order of use exact,
// they would go in the order in which their requests ended. `age_error` is by how many places they
// do not, on average, in percent of the sessions; `worst` is the most of it. Shards know
// of each other by the coarse clock only: what was used within one of its ticks, a few
// milliseconds, has no order over shards. In a small service that turns over as fast as here, that
// is a good part of all.

#include "sojourn/service/session_service.hpp"
#include "support/arguments.hpp"
#include "support/contestants.hpp"
#include "support/drive.hpp"

#include <benchmark/benchmark.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace sojourn::bench;
using sojourn::SessionReference;

/// Each place in the service is taken this many times.
constexpr std::size_t generations = 4;

/// In which order sessions were used last, and in which they went.
class Orders {
public:
    explicit Orders(std::size_t threads) : used_(threads) {}

    void used(std::size_t thread, SessionReference session)
    {
        used_[thread].push_back({session, next_++});
    }

    void gone(SessionReference session) { gone_.push_back(session); }

    struct Error {
        double average = 0;
        double worst = 0;
        std::size_t victims = 0;
    };

    /// In places.
    [[nodiscard]] Error error() const
    {
        std::unordered_map<SessionReference, std::size_t> place_of;
        for (const auto& part : used_) {
            for (const auto& [session, place] : part) {
                place_of[session] = place;
            }
        }
        Error error;
        error.victims = gone_.size();
        for (std::size_t place = 0; place < gone_.size(); ++place) {
            const auto expected = static_cast<double>(place_of.at(gone_[place]));
            const auto distance = std::abs(static_cast<double>(place) - expected);
            error.worst = std::max(error.worst, distance);
            error.average += distance / static_cast<double>(gone_.size());
        }
        return error;
    }

private:
    struct Use {
        SessionReference session;
        std::size_t place = 0;
    };

    std::atomic<std::size_t> next_{0};
    std::vector<std::vector<Use>> used_;
    std::vector<SessionReference> gone_;
};

asio::awaitable<void>
visit(sojourn::SessionService& sessions, std::size_t count, std::size_t thread, Orders& orders)
{
    for (std::size_t i = 0; i < count; ++i) {
        auto created = co_await sessions.create();
        auto lease = std::move(created.value().lease);
        const auto session = lease.info().reference;
        lease.release();
        orders.used(thread, session);
    }
}

template <std::size_t shards>
void victim_age(benchmark::State& state)
{
    const auto capacity = sessions_of(state);
    const auto threads = threads_of(state);
    const auto visitors = generations * capacity / threads;
    Orders::Error error;
    for (auto _ : state) {
        Orders orders(threads);
        asio::io_context context;
        const auto options = sojourn::ServiceOptions()
                                 .max_sessions(capacity)
                                 .max_half_open(capacity)
                                 .eviction_grace(sojourn::Duration::zero())
                                 .max_pending_events(generations * capacity)
                                 .shards(shards)
                                 .idle_timeout(long_enough)
                                 .half_open_timeout(long_enough)
                                 .absolute_lifetime(long_enough);
        const auto note = [&orders](const sojourn::RemovedSession& removed
                          ) -> asio::awaitable<void> {
            orders.gone(removed.reference);
            co_return;
        };
        sojourn::SessionService sessions(
            context.get_executor(), options, sojourn::ServiceEnvironment().on_removed(note)
        );
        state.SetIterationTime(drive(context, threads, threads, [&](std::size_t thread) {
            return visit(sessions, visitors, thread, orders);
        }));
        // The listener is still being told.
        context.restart();
        context.poll();
        error = orders.error();
    }
    if (error.victims == 0) {
        state.SkipWithError("nobody was evicted");
    }
    const auto percent = 100.0 / static_cast<double>(capacity);
    state.counters["age_error"] = error.average * percent;
    state.counters["worst"] = error.worst * percent;
    state.SetItemsProcessed(
        static_cast<std::int64_t>(static_cast<std::size_t>(state.iterations()) * visitors * threads)
    );
}

} // namespace

BENCHMARK(victim_age<1>)->Name("victim_age/sojourn")->Apply(on_many_threads<1'000, 100'000>);
BENCHMARK(victim_age<16>)
    ->Name("victim_age/sojourn_16_shards")
    ->Apply(on_many_threads<1'000, 100'000>);

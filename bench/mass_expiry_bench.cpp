// How long does a request wait for its session while very many others expire at once? They are all
// due in the same instant. One thread runs the background that ends them; the other serves requests
// for sessions that live on, until all is done. A request comes every 50 microseconds, in a
// coroutine of its own and whether those before are served or not, and its latency counts from
// then: else a long stall would be one bad request, where a server would have thousands. The peer's
// cleanup takes its lock for as many sessions as ours for a turn, and yields between; in
// `whole_scan` it takes it once. `threads` counts those that serve requests.

#include "peers/mutex_lru.hpp"
#include "sojourn/service/session_service.hpp"
#include "sojourn/testing/manual_clock.hpp"
#include "sojourn/testing/seeded_id_source.hpp"
#include "support/arguments.hpp"
#include "support/contestants.hpp"
#include "support/drive.hpp"
#include "support/latencies.hpp"
#include "support/session_ids.hpp"

#include <benchmark/benchmark.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace sojourn::bench;
using sojourn::testing::ManualClock;

constexpr std::size_t live_count = 1'000;
constexpr sojourn::Duration idle_timeout = std::chrono::minutes(30);
constexpr std::chrono::seconds limit(60);

/// Our service, its background in a thread of its own.
class ExpiringService {
public:
    using Id = sojourn::SessionId;

    explicit ExpiringService(std::size_t capacity)
        : clock_(std::make_shared<ManualClock>()),
          sessions_(background_.get_executor(), options(capacity), environment())
    {
    }

    ExpiringService(const ExpiringService&) = delete;
    ExpiringService& operator=(const ExpiringService&) = delete;
    ExpiringService(ExpiringService&&) = delete;
    ExpiringService& operator=(ExpiringService&&) = delete;

    ~ExpiringService() { background_.stop(); }

    [[nodiscard]] ManualClock& clock() noexcept { return *clock_; }

    asio::awaitable<sojourn::Result<sojourn::CreatedSession>> adopt(Id id)
    {
        return sessions_.create(
            sojourn::CreateOptions().attributes(attributes_of(payload)).adopt(std::move(id))
        );
    }

    asio::awaitable<sojourn::Result<sojourn::SessionLease>> acquire(const Id& id)
    {
        return sessions_.acquire(id);
    }

    void start_background()
    {
        thread_ = std::jthread([this] { background_.run(); });
    }

    asio::awaitable<bool> is_done()
    {
        const auto metrics = co_await sessions_.metrics();
        co_return metrics.value().live <= live_count;
    }

private:
    static sojourn::ServiceOptions options(std::size_t capacity)
    {
        return sojourn::ServiceOptions()
            .max_sessions(capacity)
            .max_half_open(capacity)
            .idle_timeout(idle_timeout)
            .half_open_timeout(idle_timeout)
            .absolute_lifetime(long_enough)
            .request_rate(sojourn::RateLimit::unlimited());
    }

    [[nodiscard]] sojourn::ServiceEnvironment environment() const
    {
        return sojourn::ServiceEnvironment().clock(clock_).id_source(
            std::make_shared<sojourn::testing::SeededIdSource>()
        );
    }

    std::shared_ptr<ManualClock> clock_;
    asio::io_context background_;
    sojourn::SessionService sessions_;
    std::jthread thread_;
};

/// The mutex LRU with a cleanup thread, which takes the lock for `batch` sessions.
template <std::size_t batch>
class ExpiringLru {
public:
    using Id = std::string;

    explicit ExpiringLru(std::size_t capacity) : lru_(capacity, idle_timeout) {}

    [[nodiscard]] ManualClock& clock() noexcept { return clock_; }

    asio::awaitable<bool> adopt(std::string id)
    {
        co_return lru_.create(std::move(id), payload, clock_.steady());
    }

    asio::awaitable<bool> acquire(const std::string& id)
    {
        co_return lru_.touch(id, clock_.steady());
    }

    /// Looks for what is due again and again, as there is no timer that would tell.
    void start_background()
    {
        thread_ = std::jthread([this](const std::stop_token& stopped) {
            while (!stopped.stop_requested()) {
                lru_.expire(batch, clock_.steady());
                std::this_thread::yield();
            }
        });
    }

    asio::awaitable<bool> is_done() { co_return lru_.size() <= live_count; }

private:
    ManualClock clock_;
    peers::MutexLru lru_;
    std::jthread thread_;
};

/// Sessions that will all be due at the same time, and later some that will not be.
template <class Contestant>
asio::awaitable<bool>
fill(Contestant& contestant, std::size_t count, const std::vector<typename Contestant::Id>& live)
{
    for (std::size_t number = live.size(); number < live.size() + count; ++number) {
        auto id = numbered_id<typename Contestant::Id>(number);
        if (const auto made = co_await contestant.adopt(std::move(id)); !made) {
            co_return false;
        }
    }
    contestant.clock().advance(idle_timeout / 2);
    for (const auto& id : live) {
        if (const auto made = co_await contestant.adopt(id); !made) {
            co_return false;
        }
    }
    co_return true;
}

/// Requests that come when they come.
template <class Contestant>
class Requests {
public:
    using Ids = std::vector<typename Contestant::Id>;

    Requests(Contestant& contestant, const Ids& live, Latencies& latencies)
        : contestant_(contestant), live_(live), latencies_(latencies)
    {
    }

    /// Lets the time come, and serves requests until all that were due are gone. False if a session
    /// that lives on was not found, or the end is not reached.
    bool serve()
    {
        constexpr std::chrono::microseconds interval(50);
        // To ask whether that is the end costs a turn too, so not too often.
        constexpr std::size_t requests_before_asking = 100;

        const auto start = Stopwatch::now();
        contestant_.clock().advance(idle_timeout / 2);
        for (auto arrival = start; !is_done_ && arrival - start < limit; arrival += interval) {
            while (Stopwatch::now() < arrival) {
                context_.poll();
                context_.restart();
            }
            asio::co_spawn(context_, request(live_[count_ % live_.size()], arrival), end_on);
            if (++count_ % requests_before_asking == 0) {
                asio::co_spawn(context_, ask(), end_on);
            }
            context_.poll();
            context_.restart();
        }
        context_.run();
        return is_done_ && found_ == count_;
    }

private:
    asio::awaitable<void> request(const typename Contestant::Id& id, Stopwatch::time_point arrival)
    {
        {
            const auto lease = co_await contestant_.acquire(id);
            found_ += lease ? 1U : 0U;
        }
        latencies_.add(Stopwatch::now() - arrival);
    }

    asio::awaitable<void> ask() { is_done_ = co_await contestant_.is_done(); }

    Contestant& contestant_;
    const Ids& live_;
    Latencies& latencies_;
    asio::io_context context_;
    std::size_t count_ = 0;
    std::size_t found_ = 0;
    bool is_done_ = false;
};

template <class Contestant>
void mass_expiry(benchmark::State& state)
{
    constexpr std::size_t samples_expected = 1U << 21U;
    const auto live = consecutive_ids<typename Contestant::Id>(0, live_count);
    Latencies latencies(samples_expected);
    double seconds = 0;
    for (auto _ : state) {
        Contestant contestant(sessions_of(state) + live_count);
        asio::io_context context;
        bool is_right = run(context, fill(contestant, sessions_of(state), live));
        Requests<Contestant> requests(contestant, live, latencies);
        contestant.start_background();
        seconds = seconds_of([&] { is_right = requests.serve() && is_right; });
        state.SetIterationTime(seconds);
        if (!is_right) {
            state.SkipWithError("a live session was not found, or the others do not end");
        }
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(latencies.count()));
    state.counters["total_us"] = seconds * 1e6;
    latencies.report(state);
}

/// As many as our default `cleanup_batch`.
constexpr std::size_t turn = 128;
constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

} // namespace

BENCHMARK(mass_expiry<ExpiringService>)
    ->Name("mass_expiry/sojourn")
    ->Apply(once_a_repetition<10'000, 100'000, 1'000'000>);
BENCHMARK(mass_expiry<ExpiringLru<turn>>)
    ->Name("mass_expiry/mutex_lru")
    ->Apply(once_a_repetition<10'000, 100'000, 1'000'000>);
BENCHMARK(mass_expiry<ExpiringLru<all>>)
    ->Name("mass_expiry/mutex_lru/whole_scan")
    ->Apply(once_a_repetition<10'000, 100'000, 1'000'000>);

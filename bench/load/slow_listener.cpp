// Sessions are created as fast as a thread can, in a table that is full, so that each of them ends
// another; and the listener that is told of those takes its time. What it has not been told of must
// be kept, and there is room for so many; so creations must slow down to its pace.

#include "load/questions.hpp"
#include "load/workers.hpp"
#include "sojourn/service/session_service.hpp"
#include "support/drive.hpp"
#include "support/memory.hpp"
#include "support/payload.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace asio = boost::asio;

namespace sojourn::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t listeners_worker = 0;
constexpr std::size_t clients_worker = 1;

constexpr std::size_t max_sessions = 256;
constexpr std::size_t max_pending_events = 64;
/// Attempts between two looks at the counters.
constexpr std::size_t between_looks = 256;

/// All but the listener is as fast as it can be: every new session finds one to evict.
ServiceOptions options()
{
    return ServiceOptions()
        .max_sessions(max_sessions)
        .max_half_open(max_sessions)
        .eviction_grace(Duration::zero())
        .max_pending_events(max_pending_events);
}

class Listener {
public:
    explicit Listener(Duration time) : time_(time.count()) {}

    asio::awaitable<void> told_of(RemovedSession session)
    {
        most_at_once_ = std::max(most_at_once_, ++at_once_);
        asio::steady_timer timer(
            co_await asio::this_coro::executor, Duration(time_.load(std::memory_order_relaxed))
        );
        co_await timer.async_wait(asio::use_awaitable);
        ++times_told_of_[session.reference];
        ++calls_;
        --at_once_;
    }

    /// From now on. From any thread.
    void take(Duration time) noexcept { time_ = time.count(); }

    /// Those that have returned. From any thread.
    [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }

    [[nodiscard]] std::uint64_t most_at_once() const noexcept { return most_at_once_; }

    [[nodiscard]] std::uint64_t times_told_of(SessionReference session) const
    {
        const auto found = times_told_of_.find(session);
        return found == times_told_of_.end() ? 0 : found->second;
    }

private:
    std::atomic<Duration::rep> time_;
    std::atomic<std::uint64_t> calls_{0};
    std::uint64_t at_once_ = 0;
    std::uint64_t most_at_once_ = 0;
    std::unordered_map<SessionReference, std::uint64_t> times_told_of_;
};

/// Create sessions and do not come back.
class Clients {
public:
    explicit Clients(SessionService& sessions) : sessions_(sessions) {}

    /// Until the first of them is refused, as there is room for no more.
    asio::awaitable<void> fill()
    {
        while (refused_ == 0 && failed_ == 0) {
            co_await create_one();
        }
    }

    asio::awaitable<void> create_until(Stopwatch::time_point end)
    {
        last_success_ = Stopwatch::now();
        for (std::size_t attempts = 0; Stopwatch::now() < end; ++attempts) {
            co_await create_one();
            if (attempts % between_looks == 0) {
                co_await look();
            }
        }
        end_pause();
        co_await look();
    }

    [[nodiscard]] const std::vector<SessionReference>& created() const noexcept { return created_; }

    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

    [[nodiscard]] std::uint64_t failed() const noexcept { return failed_; }

    /// The longest time in which none was created.
    [[nodiscard]] Stopwatch::duration longest_pause() const noexcept { return longest_pause_; }

    [[nodiscard]] std::uint64_t most_pending() const noexcept { return most_pending_; }

    [[nodiscard]] std::uint64_t most_live() const noexcept { return most_live_; }

    [[nodiscard]] std::uint64_t torn_ledgers() const noexcept { return torn_ledgers_; }

private:
    asio::awaitable<void> create_one()
    {
        CreateOptions fresh;
        fresh.attributes(attributes_of(payload));
        const auto made = co_await sessions_.create(std::move(fresh));
        if (made) {
            created_.push_back(made->lease.info().reference);
            end_pause();
            co_await look();
        } else {
            ++(made.error() == errc::overloaded ? refused_ : failed_);
        }
    }

    void end_pause()
    {
        const auto now = Stopwatch::now();
        longest_pause_ = std::max(longest_pause_, now - last_success_);
        last_success_ = now;
    }

    asio::awaitable<void> look()
    {
        const auto metrics = co_await sessions_.metrics();
        most_pending_ = std::max(most_pending_, metrics.value().pending_removals);
        most_live_ = std::max(most_live_, metrics.value().live);
        torn_ledgers_ += metrics.value().ledger_holds() ? 0U : 1U;
    }

    SessionService& sessions_;
    std::vector<SessionReference> created_;
    std::uint64_t refused_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t most_pending_ = 0;
    std::uint64_t most_live_ = 0;
    std::uint64_t torn_ledgers_ = 0;
    Stopwatch::time_point last_success_ = Stopwatch::now();
    Stopwatch::duration longest_pause_{};
};

/// When all has ended.
void check(const Listener& listener, const Clients& clients, const Metrics& last, Claims& claims)
{
    const auto& created = clients.created();
    const auto told_of_once = std::ranges::count_if(created, [&](SessionReference session) {
        return listener.times_told_of(session) == 1;
    });
    claims.at_most("removals that wait at once", clients.most_pending(), max_pending_events);
    claims.at_most("sessions at once", clients.most_live(), max_sessions);
    claims.none("creations that failed otherwise", clients.failed());
    claims.none("ledgers that do not hold", clients.torn_ledgers());
    claims.equal("sessions that are counted", last.created, created.size());
    claims.equal(
        "sessions of which the listener was told once",
        static_cast<std::uint64_t>(told_of_once),
        created.size()
    );
    claims.equal("calls of the listener", listener.calls(), created.size());
    claims.at_most("calls of the listener at once", listener.most_at_once(), 1);
}

} // namespace

Report slow_listener(const Scale& scale, Claims& claims)
{
    claims.about("slow_listener");
    Workers workers(2);
    const auto listener = std::make_shared<Listener>(scale.listener_time);
    SessionService sessions(
        workers.context(listeners_worker).get_executor(),
        options(),
        ServiceEnvironment().on_removed([listener](RemovedSession session) {
            return listener->told_of(std::move(session));
        })
    );
    Clients clients(sessions);
    workers.run(clients_worker, clients.fill());

    const auto memory_begin = resident_bytes();
    const auto created_before = clients.created().size();
    const auto refused_before = clients.refused();
    const auto told_before = listener->calls();
    const auto begin = Stopwatch::now();
    const auto end = begin + std::chrono::duration_cast<Duration>(scale.phase);
    workers.run(clients_worker, clients.create_until(end));
    const auto seconds = seconds_since(begin);
    const auto told = listener->calls() - told_before;
    const auto created = clients.created().size() - created_before;
    const auto refused = clients.refused() - refused_before;
    const auto memory_end = resident_bytes();

    listener->take(Duration::zero());
    const auto stopped = workers.run(listeners_worker, sessions.drain());
    claims.none("services that did not stop", stopped ? 0 : 1);
    const auto last = workers.run(listeners_worker, sessions.metrics());
    check(*listener, clients, last.value(), claims);

    return {
        .question = "slow_listener",
        .settings =
            {{"seconds", scale.phase.count()},
             {"listener_ms", scale.listener_time},
             {"max_sessions", max_sessions},
             {"max_pending_events", max_pending_events}},
        .phases =
            {{"full",
              {{"created_per_second", static_cast<double>(created) / seconds},
               {"told_per_second", static_cast<double>(told) / seconds},
               {"refused_per_second", static_cast<double>(refused) / seconds},
               {"longest_pause_ms", clients.longest_pause()},
               {"most_pending", clients.most_pending()},
               {"most_live", clients.most_live()},
               {"sessions", clients.created().size()},
               {"told", listener->calls()},
               {"resident_bytes_begin", memory_begin},
               {"resident_bytes_end", memory_end}}}}
    };
}

} // namespace sojourn::bench

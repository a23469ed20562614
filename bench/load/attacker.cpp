// Users work, each with a request every few milliseconds to some tens of them, and some keep their
// leases for long. Meanwhile an attacker creates sessions as fast as he can: from one address; from
// a new one each time, which no rate limits; and so that he comes back once to every session, so
// that none stays half-open. All options that protect users have their defaults. Between his
// creations, somebody logs in now and then.

#include "load/group.hpp"
#include "load/latency_histogram.hpp"
#include "load/questions.hpp"
#include "load/workers.hpp"
#include "sojourn/service/session_service.hpp"
#include "support/drive.hpp"
#include "support/memory.hpp"
#include "support/payload.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio = boost::asio;

namespace sojourn::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t attackers_worker = 0;
constexpr std::size_t users_worker = 1;

constexpr Duration shortest_pause = 5ms;
constexpr Duration longest_pause = 45ms;
constexpr Duration longest_work = 2ms;
constexpr Duration long_work = 300ms;
/// One in so many users keeps his leases for long.
constexpr std::size_t users_to_a_slow_one = 16;
/// How often somebody logs in, and the table is looked at, during an attack.
constexpr std::size_t looks = 1'000;

enum class Strategy : std::uint8_t {
    one_address,
    new_addresses,
    comes_back,
};

struct Attack {
    std::string_view name;
    Strategy strategy;
    std::size_t shards;
};

constexpr std::array attacks{
    Attack{"one address", Strategy::one_address, 1},
    Attack{"one address, 4 shards", Strategy::one_address, 4},
    Attack{"new addresses", Strategy::new_addresses, 1},
    Attack{"new addresses, 4 shards", Strategy::new_addresses, 4},
    Attack{"comes back", Strategy::comes_back, 1},
    Attack{"comes back, 4 shards", Strategy::comes_back, 4},
};

/// Those who were there before the attack and whose sessions must outlive it.
class Users {
public:
    explicit Users(SessionService& sessions) : sessions_(sessions) {}

    /// Half of them log in; the others stay anonymous. All come back once.
    asio::awaitable<void> arrive(std::size_t count)
    {
        for (std::size_t user = 0; user < count; ++user) {
            CreateOptions fresh;
            fresh.attributes(attributes_of(payload));
            if (user % 2 == 0) {
                fresh.principal("user " + std::to_string(user));
            }
            auto created = co_await sessions_.create(std::move(fresh));
            ids_.push_back(created.value().id);
            created->lease.release();
            const auto first_request = co_await sessions_.acquire(ids_.back());
            first_request.value();
        }
    }

    /// They work until `leave`.
    asio::awaitable<void> work()
    {
        const auto executor = co_await asio::this_coro::executor;
        Group group(executor);
        for (std::size_t user = 0; user < ids_.size(); ++user) {
            group.start(work_as(user));
        }
        co_await group.join();
    }

    /// From any thread.
    void leave() noexcept { are_leaving_ = true; }

    [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }

    [[nodiscard]] std::uint64_t not_found() const noexcept { return not_found_; }

    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

    /// Of acquiring a session, from when the request should have come.
    [[nodiscard]] const LatencyHistogram& latency() const noexcept { return latency_; }

private:
    asio::awaitable<void> work_as(std::size_t user)
    {
        std::mt19937_64 random(user);
        asio::steady_timer timer(co_await asio::this_coro::executor);
        const bool is_slow = user % users_to_a_slow_one == 0;
        while (!are_leaving_) {
            const auto arrival = Stopwatch::now() + draw(random, shortest_pause, longest_pause);
            timer.expires_at(arrival);
            co_await timer.async_wait(asio::use_awaitable);
            const auto lease = co_await sessions_.acquire(ids_[user]);
            latency_.add(Stopwatch::now() - arrival);
            count(lease);
            timer.expires_after(is_slow ? long_work : draw(random, Duration(0), longest_work));
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    static Duration draw(std::mt19937_64& random, Duration shortest, Duration longest)
    {
        std::uniform_int_distribution<Duration::rep> length(shortest.count(), longest.count());
        return Duration(length(random));
    }

    void count(const Result<SessionLease>& lease)
    {
        ++requests_;
        if (!lease) {
            ++(lease.error() == errc::not_found ? not_found_ : refused_);
        }
    }

    SessionService& sessions_;
    std::vector<SessionId> ids_;
    std::atomic<bool> are_leaving_{false};
    std::uint64_t requests_ = 0;
    std::uint64_t not_found_ = 0;
    std::uint64_t refused_ = 0;
    LatencyHistogram latency_;
};

/// One who creates sessions, and what he got. All others who create any do it in his coroutine, so
/// that nobody does while he looks at the counters: they are exact over all shards.
class Attacker {
public:
    Attacker(SessionService& sessions, Strategy strategy) : sessions_(sessions), strategy_(strategy)
    {
    }

    asio::awaitable<void> mint(std::size_t count)
    {
        const auto between_looks = std::max<std::size_t>(count / looks, 1);
        for (std::size_t number = 0; number < count; ++number) {
            co_await mint_one(number);
            if (number % between_looks == 0) {
                co_await log_in(number);
                co_await look();
            }
            if (number == count / 4) {
                resident_bytes_filled_ = resident_bytes();
            }
        }
        co_await look();
    }

    [[nodiscard]] std::uint64_t created() const noexcept { return created_; }

    [[nodiscard]] std::uint64_t rate_limited() const noexcept { return rate_limited_; }

    [[nodiscard]] std::uint64_t overloaded() const noexcept { return overloaded_; }

    [[nodiscard]] std::uint64_t failed() const noexcept { return failed_; }

    [[nodiscard]] std::uint64_t logins() const noexcept { return logins_; }

    [[nodiscard]] std::uint64_t logins_refused() const noexcept { return logins_refused_; }

    [[nodiscard]] std::uint64_t most_live() const noexcept { return most_live_; }

    [[nodiscard]] std::uint64_t most_half_open() const noexcept { return most_half_open_; }

    [[nodiscard]] std::uint64_t torn_ledgers() const noexcept { return torn_ledgers_; }

    [[nodiscard]] const Metrics& last_seen() const noexcept { return last_seen_; }

    /// After a quarter of his attempts: as many as it takes to fill what can be filled, and more.
    [[nodiscard]] std::int64_t resident_bytes_filled() const noexcept
    {
        return resident_bytes_filled_;
    }

private:
    asio::awaitable<void> mint_one(std::size_t number)
    {
        CreateOptions fresh;
        fresh.peer(
            strategy_ == Strategy::one_address ? "address" : "address " + std::to_string(number)
        );
        auto made = co_await sessions_.create(std::move(fresh));
        count(made);
        if (made && strategy_ == Strategy::comes_back) {
            made->lease.release();
            const auto again = co_await sessions_.acquire(made->id);
            failed_ += again ? 0U : 1U;
        }
    }

    void count(const Result<CreatedSession>& made)
    {
        if (made) {
            ++created_;
        } else if (made.error() == errc::rate_limited) {
            ++rate_limited_;
        } else if (made.error() == errc::overloaded) {
            ++overloaded_;
        } else {
            ++failed_;
        }
    }

    asio::awaitable<void> log_in(std::size_t number)
    {
        CreateOptions fresh;
        fresh.principal("newcomer " + std::to_string(number));
        const auto made = co_await sessions_.create(std::move(fresh));
        ++logins_;
        logins_refused_ += made ? 0U : 1U;
    }

    asio::awaitable<void> look()
    {
        const auto metrics = co_await sessions_.metrics();
        last_seen_ = metrics.value();
        most_live_ = std::max(most_live_, last_seen_.live);
        most_half_open_ = std::max(most_half_open_, last_seen_.half_open);
        torn_ledgers_ += last_seen_.ledger_holds() ? 0U : 1U;
    }

    SessionService& sessions_;
    Strategy strategy_;
    std::uint64_t created_ = 0;
    std::uint64_t rate_limited_ = 0;
    std::uint64_t overloaded_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t logins_ = 0;
    std::uint64_t logins_refused_ = 0;
    std::uint64_t most_live_ = 0;
    std::uint64_t most_half_open_ = 0;
    std::uint64_t torn_ledgers_ = 0;
    Metrics last_seen_;
    std::int64_t resident_bytes_filled_ = 0;
};

void check(
    const Attack& attack,
    const ServiceOptions& options,
    const Users& users,
    const Attacker& attacker,
    double seconds,
    Claims& claims
)
{
    claims.none("users' requests whose session was gone", users.not_found());
    claims.none("users' requests that were refused", users.refused());
    claims.none("the attacker's calls that failed otherwise", attacker.failed());
    claims.at_most("sessions at once", attacker.most_live(), options.max_sessions());
    claims.at_most(
        "half-open sessions at once", attacker.most_half_open(), options.max_half_open()
    );
    claims.none("ledgers that do not hold", attacker.torn_ledgers());
    if (attack.strategy == Strategy::one_address) {
        const auto rate = options.creation_rate();
        const auto in_time = std::ceil(seconds * rate.requests_per_second());
        claims.at_most(
            "sessions from one address",
            attacker.created(),
            rate.burst() + static_cast<std::uint64_t>(in_time)
        );
    }
    // Where he fills the table with sessions that are as fresh as anybody's, there is no room.
    if (attack.strategy != Strategy::comes_back) {
        claims.none("logins that were refused", attacker.logins_refused());
    }
}

Phase run(const Attack& attack, const Scale& scale, Claims& claims)
{
    claims.about("attacker, " + std::string(attack.name));
    const auto memory_begin = resident_bytes();
    Workers workers(2);
    ServiceOptions options;
    options.max_sessions(scale.max_sessions).shards(attack.shards);
    SessionService sessions(workers.context(users_worker).get_executor(), options);
    Users users(sessions);
    workers.run(users_worker, users.arrive(scale.users));
    Attacker attacker(sessions, attack.strategy);

    auto work = workers.start(users_worker, users.work());
    const auto begin = Stopwatch::now();
    workers.run(attackers_worker, attacker.mint(scale.mints));
    const auto seconds = seconds_since(begin);
    users.leave();
    work.get();
    const auto memory_end = resident_bytes();
    check(attack, options, users, attacker, seconds, claims);
    const auto stopped = workers.run(users_worker, sessions.drain());
    claims.none("services that did not stop", stopped ? 0 : 1);

    return {
        std::string(attack.name),
        {{"shards", attack.shards},
         {"attempts_per_second", static_cast<double>(scale.mints) / seconds},
         {"created", attacker.created()},
         {"rate_limited", attacker.rate_limited()},
         {"overloaded", attacker.overloaded()},
         {"evicted", attacker.last_seen().removed_by(RemovalCause::evicted)},
         {"most_live", attacker.most_live()},
         {"most_half_open", attacker.most_half_open()},
         {"logins", attacker.logins()},
         {"logins_refused", attacker.logins_refused()},
         {"user_requests", users.requests()},
         {"user_not_found", users.not_found()},
         {"user_p50_ms", users.latency().percentile(0.5)},
         {"user_p99_ms", users.latency().percentile(0.99)},
         {"user_max_ms", users.latency().longest()},
         {"resident_bytes_begin", memory_begin},
         {"resident_bytes_filled", attacker.resident_bytes_filled()},
         {"resident_bytes_end", memory_end}}
    };
}

} // namespace

Report attacker(const Scale& scale, Claims& claims)
{
    ServiceOptions options;
    options.max_sessions(scale.max_sessions);
    Report report{
        .question = "attacker",
        .settings =
            {{"users", scale.users},
             {"shortest_pause_ms", shortest_pause},
             {"longest_pause_ms", longest_pause},
             {"long_work_ms", long_work},
             {"attempts", scale.mints},
             {"max_sessions", options.max_sessions()},
             {"max_half_open", options.max_half_open()},
             {"creations_per_second", options.creation_rate().requests_per_second()},
             {"creation_burst", options.creation_rate().burst()},
             {"eviction_grace_ms", options.eviction_grace()}},
        .phases = {},
    };
    for (const auto& attack : attacks) {
        report.phases.push_back(run(attack, scale, claims));
    }
    return report;
}

} // namespace sojourn::bench

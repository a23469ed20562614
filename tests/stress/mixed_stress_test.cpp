#include "service/removal_log.hpp"
#include "support/context_threads.hpp"
#include "support/poll_until.hpp"
#include "support/run_coro.hpp"
#include "support/sanitizers.hpp"
#include "support/seed.hpp"

#include <sojourn/service/session_service.hpp>
#include <sojourn/testing/manual_clock.hpp>

#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

// Everybody does everything at once. What is wrong shows at the end, in the books: every session
// that was created has ended, once, and everybody who asked to be told was told.

namespace {

constexpr int rounds = is_sanitized ? 400 : 2'000;

/// Ids that the coroutines share, so that they get into each other's way.
class IdPool {
public:
    void add(SessionId id, std::uint64_t place)
    {
        const std::lock_guard guard(mutex_);
        ids_[place % ids_.size()] = std::move(id);
    }

    [[nodiscard]] SessionId pick(std::uint64_t place) const
    {
        const std::lock_guard guard(mutex_);
        return ids_[place % ids_.size()];
    }

private:
    mutable std::mutex mutex_;
    std::vector<SessionId> ids_ = std::vector<SessionId>(40);
};

/// What the coroutines found, summed over all.
struct Findings {
    std::atomic<std::uint64_t> created{0};
    std::atomic<std::uint64_t> acquired{0};
    std::atomic<std::uint64_t> rotated{0};
    std::atomic<std::uint64_t> committed{0};
    std::atomic<std::uint64_t> broken_ledgers{0};
    std::atomic<std::uint64_t> strange_errors{0};
};

class Visitor {
public:
    Visitor(SessionService& service, IdPool& ids, Findings& found, std::uint64_t seed)
        : service_(service), ids_(ids), found_(found), random_(seed)
    {
    }

    static asio::awaitable<void> run(std::unique_ptr<Visitor> self, int count)
    {
        for (int i = 0; i < count; ++i) {
            co_await self->step();
        }
        self->leases_.clear();
    }

private:
    asio::awaitable<void> step()
    {
        const auto place = random_();
        auto id = ids_.pick(place);
        switch (random_() % 16) {
        case 0:
        case 1:
        case 2:
            co_await create(place);
            break;
        case 3:
        case 4:
        case 5:
        case 6:
            co_await acquire(id);
            break;
        case 7:
            release();
            break;
        case 8:
            note((co_await service_.remove(id)).error());
            break;
        case 9:
            co_await rotate(id, place);
            break;
        case 10:
            co_await commit(id);
            break;
        case 11:
            co_await list();
            break;
        case 12:
            co_await look();
            break;
        case 13:
            note((co_await service_.touch(id)).error());
            break;
        case 14:
            note((co_await service_.cleanup()).error());
            break;
        default:
            co_await rare(id);
            break;
        }
    }

    asio::awaitable<void> create(std::uint64_t place)
    {
        auto wish =
            CreateOptions().principal(place % 2 == 0 ? "" : "user" + std::to_string(place % 7));
        auto created = co_await service_.create(wish);
        note(created.error());
        if (created) {
            ++found_.created;
            ids_.add(created->id, place);
            keep(std::move(created->lease));
        }
    }

    asio::awaitable<void> acquire(SessionId id)
    {
        auto lease = co_await service_.acquire(std::move(id));
        note(lease.error());
        if (lease) {
            ++found_.acquired;
            keep(std::move(*lease));
        }
    }

    asio::awaitable<void> rotate(SessionId id, std::uint64_t place)
    {
        const auto fresh = co_await service_.rotate(std::move(id));
        note(fresh.error());
        if (fresh) {
            ++found_.rotated;
            ids_.add(*fresh, place);
        }
    }

    asio::awaitable<void> commit(SessionId id)
    {
        const auto before = co_await service_.snapshot(id);
        note(before.error());
        if (before) {
            auto data = before->data;
            data.set("n", std::to_string(random_()));
            const auto written = co_await service_.commit(id, before->version, std::move(data));
            note(written.error());
            found_.committed += written ? 1 : 0;
        }
    }

    asio::awaitable<void> list()
    {
        auto wish = ListOptions().limit(5);
        for (bool has_more = true; has_more;) {
            const auto page = co_await service_.list(wish);
            has_more = page->next.has_value();
            if (has_more) {
                wish.after(*page->next);
            }
        }
    }

    asio::awaitable<void> look()
    {
        const auto metrics = co_await service_.metrics();
        found_.broken_ledgers +=
            metrics->ledger_holds() && metrics->leased <= metrics->live ? 0 : 1;
        note((co_await service_.health()).error());
    }

    asio::awaitable<void> rare(SessionId id)
    {
        switch (random_() % 8) {
        case 0:
            note((co_await service_.remove_by_principal("user3")).error());
            break;
        case 1:
            note((co_await service_.cleanup(CleanupScope::all)).error());
            break;
        default:
            note((co_await service_.peek(std::move(id))).error());
            break;
        }
    }

    void keep(SessionLease lease)
    {
        if (random_() % 4 == 0) {
            leases_.push_back(std::move(lease));
        }
        if (leases_.size() > 3) {
            release();
        }
    }

    void release()
    {
        if (!leases_.empty()) {
            leases_.erase(
                leases_.begin() + static_cast<std::ptrdiff_t>(random_() % leases_.size())
            );
        }
    }

    void note(const Error& error)
    {
        const bool is_usual = !error.code() || error == errc::not_found ||
                              error == errc::overloaded || error == errc::rate_limited ||
                              error == errc::conflict;
        found_.strange_errors += is_usual ? 0 : 1;
    }

    SessionService& service_;
    IdPool& ids_;
    Findings& found_;
    std::mt19937_64 random_;
    std::vector<SessionLease> leases_;
};

/// Runs eight visitors on a service, stops it, and looks at the books.
void run_visitors(
    const std::shared_ptr<Clock>& clock,
    std::size_t threads,
    std::size_t shards,
    const std::function<void()>& meanwhile
)
{
    const auto seed = announced_seed();
    const auto log = std::make_shared<RemovalLog>();
    auto options = ServiceOptions()
                       .max_sessions(30)
                       .shards(shards)
                       .half_open_timeout(2ms)
                       .idle_timeout(5ms)
                       .absolute_lifetime(20ms)
                       .request_rate(RateLimit(1000, 50))
                       .cleanup_batch(4)
                       .max_pending_events(64);
    asio::io_context context;
    auto environment = listening(log).clock(clock);
    SessionService service(context.get_executor(), options, environment);
    IdPool ids;
    Findings found;
    {
        ContextThreads background(context, threads);
        std::vector<std::shared_ptr<CoroResult<void>>> visits;
        for (std::uint64_t i = 0; i < 8; ++i) {
            auto visitor = std::make_unique<Visitor>(service, ids, found, seed + i);
            visits.push_back(
                spawn_coro(context.get_executor(), Visitor::run(std::move(visitor), rounds))
            );
        }
        poll_until([&] {
            meanwhile();
            return std::ranges::all_of(visits, [](const auto& visit) { return visit->is_done(); });
        });
        for (const auto& visit : visits) {
            CHECK_NOTHROW(visit->take());
        }
        auto drained = service.async_drain(default_limit, asio::use_future);
        REQUIRE(drained.wait_for(default_limit) == std::future_status::ready);
        CHECK(drained.get().value().is_clean());
        background.finish();
    }
    asio::io_context other;
    const auto end = run_coro(other, service.metrics()).value();
    CHECK(found.strange_errors == 0);
    CHECK(found.broken_ledgers == 0);
    CHECK(end.ledger_holds());
    CHECK(end.created == found.created);
    CHECK(end.acquired == found.acquired);
    CHECK(end.rotated == found.rotated);
    CHECK(end.live == 0);
    CHECK(end.leased == 0);
    CHECK(end.half_open == 0);
    CHECK(end.closing == 0);
    CHECK(end.pending_removals == 0);
    CHECK(log->size() == end.removed_total());
    CHECK(log->is_unique());
    for (const auto cause : removal_causes) {
        CHECK(log->count(cause) == end.removed_by(cause));
    }
    // It was about something.
    CHECK(found.created > 0);
    CHECK(found.acquired > 0);
    CHECK(found.rotated > 0);
    CHECK(found.committed > 0);
}

} // namespace

TEST_CASE("session_service: the books are right after everything at once in real time", "[stress]")
{
    const auto threads = GENERATE(std::size_t{2}, std::size_t{4});
    const auto shards = GENERATE(std::size_t{1}, std::size_t{3});
    run_visitors(std::make_shared<SystemClock>(), threads, shards, [] {});
}

TEST_CASE("session_service: the books are right while another thread moves the clock", "[stress]")
{
    const auto threads = GENERATE(std::size_t{2}, std::size_t{4});
    const auto shards = GENERATE(std::size_t{1}, std::size_t{3});
    const auto clock = std::make_shared<testing::ManualClock>();
    run_visitors(clock, threads, shards, [&] { clock->advance(20us); });
}

namespace {

/// Creates a session and leases it for a moment in another thread than the one that got it.
asio::awaitable<void> lease_and_hand_over(
    SessionService& service, std::vector<SessionLease>& leases, std::mutex& mutex, int count
)
{
    for (int i = 0; i < count; ++i) {
        auto created = co_await service.create();
        if (!created) {
            continue;
        }
        const std::lock_guard guard(mutex);
        leases.push_back(std::move(created->lease));
    }
}

} // namespace

TEST_CASE(
    "session_service: leases given back by another thread while sessions end are all settled",
    "[stress]"
)
{
    const auto log = std::make_shared<RemovalLog>();
    auto options = ServiceOptions().max_sessions(1'000).shards(2).max_pending_events(100'000);
    asio::io_context context;
    SessionService service(context.get_executor(), options, listening(log));
    std::vector<SessionLease> leases;
    std::mutex mutex;
    {
        ContextThreads background(context, 2);
        std::vector<std::shared_ptr<CoroResult<void>>> running;
        for (int i = 0; i < 4; ++i) {
            running.push_back(spawn_coro(
                context.get_executor(), lease_and_hand_over(service, leases, mutex, rounds)
            ));
        }
        poll_until([&] {
            // Ends the sessions while their leases are on their way back.
            auto ended = service.async_cleanup(CleanupScope::all, asio::use_future);
            {
                const std::lock_guard guard(mutex);
                leases.clear();
            }
            ended.wait_for(default_limit);
            return std::ranges::all_of(running, [](const auto& one) { return one->is_done(); });
        });
        {
            const std::lock_guard guard(mutex);
            leases.clear();
        }
        auto drained = service.async_drain(default_limit, asio::use_future);
        REQUIRE(drained.wait_for(default_limit) == std::future_status::ready);
        CHECK(drained.get().value().is_clean());
        background.finish();
    }
    asio::io_context other;
    const auto end = run_coro(other, service.metrics()).value();
    CHECK(end.live == 0);
    CHECK(end.leased == 0);
    CHECK(end.pending_removals == 0);
    CHECK(end.created > 0);
    CHECK(log->size() == end.created);
    CHECK(log->is_unique());
}

#include "service/removal_log.hpp"
#include "support/context_threads.hpp"
#include "support/poll_until.hpp"
#include "support/run_coro.hpp"
#include "support/sanitizers.hpp"
#include "support/seed.hpp"

#include <sojourn/service/session_service.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

// Streams, turns and watches of a few sessions, which end all the time: by request, in order to
// make room, at the end of their lifetime. What is wrong shows in that two have a turn at once, in
// that somebody is never told, or in the books.

namespace {

constexpr int lease_rounds = is_sanitized ? 300 : 1'500;

/// A session, and how many are inside it that must be alone.
struct Known {
    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    Known() {} // NOLINT(modernize-use-equals-default)

    SessionId id;
    std::shared_ptr<std::atomic<int>> inside = std::make_shared<std::atomic<int>>(0);
};

/// What the coroutines share.
class Commons {
public:
    void add(SessionId id, std::uint64_t place)
    {
        const std::lock_guard guard(mutex_);
        auto& known = known_[place % known_.size()];
        known = Known();
        known.id = std::move(id);
    }

    [[nodiscard]] Known pick(std::uint64_t place) const
    {
        const std::lock_guard guard(mutex_);
        return known_[place % known_.size()];
    }

    /// Leaves a lease to be given back by another thread.
    void leave(WeakLease lease)
    {
        const std::lock_guard guard(mutex_);
        left_.push_back(std::move(lease));
    }

    void give_back()
    {
        std::vector<WeakLease> leases;
        {
            const std::lock_guard guard(mutex_);
            leases.swap(left_);
        }
    }

    std::atomic<int> turns{0};
    std::atomic<int> overlaps{0};
    std::atomic<int> touched{0};
    std::atomic<int> waiting{0};
    std::atomic<int> told{0};
    std::atomic<int> strange_errors{0};

private:
    mutable std::mutex mutex_;
    std::vector<Known> known_ = std::vector<Known>(6);
    std::vector<WeakLease> left_;
};

class Client {
public:
    Client(SessionService& service, Commons& commons, std::uint64_t seed)
        : service_(service), commons_(commons), random_(seed)
    {
    }

    static asio::awaitable<void> run(std::unique_ptr<Client> self)
    {
        for (int i = 0; i < lease_rounds; ++i) {
            co_await self->step();
        }
    }

private:
    asio::awaitable<void> step()
    {
        const auto place = random_();
        const auto known = commons_.pick(place);
        switch (random_() % 10) {
        case 0:
            co_await create(place);
            break;
        case 1:
        case 2:
        case 3:
            co_await take_turn(known);
            break;
        case 4:
        case 5:
            co_await stream(known.id);
            break;
        case 6:
            co_await look(known.id);
            break;
        case 7:
        case 8:
            co_await listen(known.id);
            break;
        default:
            if (random_() % 8 == 0) {
                const auto removed = co_await service_.remove(known.id);
                note(removed.error());
            }
            break;
        }
    }

    asio::awaitable<void> create(std::uint64_t place)
    {
        auto created = co_await service_.create();
        note(created.error());
        if (created) {
            commons_.add(created->id, place);
        }
    }

    asio::awaitable<void> take_turn(Known known)
    {
        // Some give up.
        const auto limit = random_() % 4 == 0 ? Duration(20us) : Duration(10s);
        const auto lease = co_await service_.acquire_exclusive(known.id, limit);
        note(lease.error());
        if (lease) {
            ++commons_.turns;
            commons_.overlaps += known.inside->fetch_add(1) == 0 ? 0 : 1;
            co_await asio::post(asio::use_awaitable);
            known.inside->fetch_sub(1);
        }
    }

    asio::awaitable<void> stream(SessionId id)
    {
        auto lease = co_await service_.acquire_weak(std::move(id));
        note(lease.error());
        if (lease) {
            const auto touched = co_await lease->touch();
            note(touched.error());
            commons_.touched += touched ? 1 : 0;
            if (random_() % 2 == 0) {
                commons_.leave(std::move(*lease));
            }
        }
    }

    asio::awaitable<void> look(SessionId id)
    {
        const auto lease = co_await service_.acquire(std::move(id));
        note(lease.error());
        const auto metrics = co_await service_.metrics();
        commons_.strange_errors += metrics->ledger_holds() ? 0 : 1;
    }

    /// Waits for the end of a session, beside everything else.
    asio::awaitable<void> listen(SessionId id)
    {
        auto lease = co_await service_.acquire_weak(id);
        note(lease.error());
        if (lease && commons_.waiting < 100) {
            ++commons_.waiting;
            const auto executor = co_await asio::this_coro::executor;
            (void)spawn_coro(executor, wait(commons_, std::move(*lease)));
        }
    }

    static asio::awaitable<void> wait(Commons& commons, WeakLease lease)
    {
        const auto closed = co_await lease.closed();
        commons.told += closed ? 1 : 0;
        --commons.waiting;
    }

    void note(const Error& error)
    {
        const bool is_usual = !error.code() || error == errc::not_found ||
                              error == errc::overloaded || error == errc::timed_out;
        commons_.strange_errors += is_usual ? 0 : 1;
    }

    SessionService& service_;
    Commons& commons_;
    std::mt19937_64 random_;
};

} // namespace

TEST_CASE("session_service: turns, streams and watches hold while sessions end", "[stress]")
{
    const auto shards = GENERATE(std::size_t{1}, std::size_t{3});
    const auto seed = announced_seed();
    const auto log = std::make_shared<RemovalLog>();
    const auto options = ServiceOptions()
                             .max_sessions(5)
                             .shards(shards)
                             .absolute_lifetime(30ms)
                             .eviction_grace(0s)
                             .creation_rate(RateLimit::unlimited())
                             .request_rate(RateLimit::unlimited())
                             .max_pending_events(100'000);
    asio::io_context context;
    SessionService service(context.get_executor(), options, listening(log));
    Commons commons;
    {
        ContextThreads background(context, 3);
        std::vector<std::shared_ptr<CoroResult<void>>> visits;
        for (std::uint64_t i = 0; i < 8; ++i) {
            auto client = std::make_unique<Client>(service, commons, seed + i);
            visits.push_back(spawn_coro(context.get_executor(), Client::run(std::move(client))));
        }
        poll_until(
            [&] {
                commons.give_back();
                return std::ranges::all_of(visits, [](const auto& one) { return one->is_done(); });
            },
            100s
        );
        for (const auto& visit : visits) {
            CHECK_NOTHROW(visit->take());
        }
        commons.give_back();
        auto stopped = service.async_drain(default_limit, asio::use_future);
        REQUIRE(stopped.wait_for(default_limit) == std::future_status::ready);
        CHECK(stopped.get().has_value());
        background.finish();
    }
    asio::io_context other;
    const auto end = run_coro(other, service.metrics()).value();
    CHECK(end.ledger_holds());
    CHECK(end.live == 0);
    CHECK(end.leased == 0);
    CHECK(end.pending_removals == 0);
    CHECK(log->size() == end.created);
    CHECK(log->is_unique());
    CHECK(commons.overlaps == 0);
    CHECK(commons.strange_errors == 0);
    CHECK(commons.waiting == 0);
    // It was about something.
    CHECK(commons.turns > 0);
    CHECK(commons.touched > 0);
    CHECK(commons.told > 0);
}

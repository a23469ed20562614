#include "service/manual_service.hpp"
#include "support/context_threads.hpp"
#include "support/sanitizers.hpp"
#include "support/seed.hpp"

#include <sojourn/service/session_service.hpp>
#include <sojourn/testing/manual_clock.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

// Many create at once, in several threads, whoever is in the way; and every bound holds at every
// moment at which one looks. At the end all that there was is there again.

namespace {

constexpr int visit_rounds = is_sanitized ? 200 : 1'000;
constexpr std::size_t capacity = 60;
constexpr std::size_t half_open = 20;
constexpr std::size_t of_a_principal = 3;
constexpr std::size_t principals = 12;

Attributes of_text(std::size_t length)
{
    return {{"a", std::string(length, 'x')}};
}

/// Sessions of a principal that can be found, in one moment or a little later.
asio::awaitable<std::size_t> count_of(SessionService& service, const std::string& principal)
{
    const auto page = co_await service.list(
        ListOptions().filter(SessionFilter().principal(principal)).limit(1'000)
    );
    co_return page ? page->sessions.size() : 0;
}

struct VisitFindings {
    std::atomic<std::uint64_t> created{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> strange{0};
    std::atomic<std::uint64_t> over_bound{0};
};

asio::awaitable<void> visitor(SessionService& service, VisitFindings& found, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    std::vector<SessionLease> leases;
    std::optional<SessionId> last;
    for (int i = 0; i < visit_rounds; ++i) {
        const auto principal = "user " + std::to_string(random() % principals);
        if (last && random() % 4 == 0) {
            const auto rotated =
                co_await service.rotate(*last, RotateOptions().principal(principal));
            const bool is_usual = rotated || rotated.error() == errc::not_found ||
                                  rotated.error() == errc::overloaded;
            found.strange += is_usual ? 0U : 1U;
            last.reset();
        } else {
            auto wish = CreateOptions().attributes(of_text(random() % 300));
            if (random() % 2 == 0) {
                wish.principal(principal);
            }
            auto created = co_await service.create(std::move(wish));
            if (created) {
                ++found.created;
                last = created->id;
                if (random() % 3 == 0) {
                    leases.push_back(std::move(created->lease));
                }
            } else {
                ++(created.error() == errc::overloaded ? found.refused : found.strange);
            }
        }
        if (leases.size() > 3) {
            leases.erase(leases.begin());
        }
        if (random() % 16 == 0) {
            const auto metrics = co_await service.metrics();
            found.over_bound += metrics && metrics->live > capacity ? 1U : 0U;
        }
    }
}

} // namespace

TEST_CASE("stress: no bound of admission is passed, and nothing of it is lost", "[stress][service]")
{
    const auto shards = GENERATE(1U, 16U);
    const auto seed = announced_seed();
    CAPTURE(shards, seed);
    asio::io_context context;
    SessionService service(
        context.get_executor(),
        ServiceOptions()
            .max_sessions(capacity)
            .shards(shards)
            .max_half_open(half_open)
            .max_sessions_per_principal(of_a_principal)
            .max_total_attribute_bytes(capacity * of_text(100).bytes())
            .eviction_grace(Duration::zero())
            .creation_rate(RateLimit::unlimited())
    );
    VisitFindings found;
    {
        ContextThreads threads(context, 4);
        std::vector<std::future<void>> visitors;
        for (std::uint64_t i = 0; i < 8; ++i) {
            visitors.push_back(
                asio::co_spawn(context, visitor(service, found, seed + i), asio::use_future)
            );
        }
        for (auto& each : visitors) {
            each.get();
        }
        for (std::size_t i = 0; i < principals; ++i) {
            const auto name = "user " + std::to_string(i);
            CHECK(
                asio::co_spawn(context, count_of(service, name), asio::use_future).get() <=
                of_a_principal
            );
        }
        const auto metrics = service.async_metrics(asio::use_future).get().value();
        CHECK(metrics.ledger_holds());
        CHECK(metrics.live <= capacity);
        CHECK(metrics.half_open <= half_open);
        CHECK(metrics.created == found.created);

        // All that there was.
        CHECK(service.async_cleanup(CleanupScope::all, asio::use_future).get().has_value());
        std::size_t made = 0;
        for (std::size_t i = 0; i < capacity; ++i) {
            auto wish = CreateOptions().attributes(of_text(100));
            if (i >= half_open) {
                wish.principal("last " + std::to_string(i));
            }
            made += service.async_create(wish, asio::use_future).get() ? 1U : 0U;
        }
        CHECK(made == capacity);
        const auto full = service.async_metrics(asio::use_future).get().value();
        CHECK(full.live == capacity);
        CHECK(full.removed_by(RemovalCause::evicted) == metrics.removed_by(RemovalCause::evicted));
    }
    CHECK(found.strange == 0);
    CHECK(found.over_bound == 0);
    CHECK(found.created > 1000);
}

TEST_CASE("stress: a principal's bound holds where many log in at once", "[stress][service]")
{
    // All are leased, so nobody makes room, and exactly as many get in as may; in the shards where
    // chance puts them.
    constexpr std::size_t at_once = 8;
    asio::io_context context;
    SessionService service(
        context.get_executor(),
        ServiceOptions()
            .shards(16)
            .max_sessions_per_principal(of_a_principal)
            .creation_rate(RateLimit::unlimited())
    );
    ContextThreads threads(context, 4);
    for (int round = 0; round < visit_rounds; ++round) {
        const auto wish = CreateOptions().principal("user " + std::to_string(round));
        std::vector<std::future<Result<CreatedSession>>> logins;
        for (std::size_t i = 0; i < at_once; ++i) {
            logins.push_back(asio::co_spawn(context, service.create(wish), asio::use_future));
        }
        std::vector<CreatedSession> made;
        for (auto& login : logins) {
            if (auto created = login.get()) {
                made.push_back(*std::move(created));
            }
        }
        if (made.size() != of_a_principal) {
            FAIL("round " << round << ": " << made.size() << " got in");
        }
    }
}

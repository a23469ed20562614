#include "service/manual_service.hpp"
#include "service/removal_log.hpp"
#include "support/context_threads.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

TEST_CASE(
    "session_service: a rotated session has another id and is the same otherwise",
    "[async][service]"
)
{
    const auto shards = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{256});
    const auto log = std::make_shared<RemovalLog>();
    auto options = plain_options().shards(shards);
    ManualService sessions(options, listening(log));
    const auto old =
        sessions.establish(CreateOptions().principal("alice").attributes({{"k", "v"}}));
    auto lease = sessions.acquire(old);
    sessions.clock->advance(10min);
    const auto fresh = sessions.run(sessions.service.rotate(old)).value();

    CHECK_FALSE(fresh == old);
    CHECK(fresh.text().size() == SessionId::issued_length);
    CHECK(sessions.run(sessions.service.acquire(old)).error() == errc::not_found);
    CHECK(sessions.run(sessions.service.rotate(old)).error() == errc::not_found);
    const auto info = sessions.run(sessions.service.peek(fresh)).value();
    CHECK(info.reference == lease.info().reference);
    CHECK(info.principal_text() == "alice");
    CHECK(info.attributes.data.get("k") == "v");
    CHECK(info.requests == 2);
    CHECK(info.leases == 1);

    lease.release();
    CHECK(sessions.run(sessions.service.peek(fresh)).value().leases == 0);
    const auto metrics = sessions.metrics();
    CHECK(metrics.created == 1);
    CHECK(metrics.rotated == 1);
    CHECK(metrics.removed_total() == 0);
    sessions.settle();
    CHECK(log->size() == 0);
    CHECK(sessions.run(sessions.service.remove(fresh)).has_value());
}

TEST_CASE(
    "session_service: rotation neither prolongs a session nor counts as use", "[async][service]"
)
{
    ManualService sessions;
    auto id = sessions.establish(CreateOptions().absolute_lifetime(1h));
    sessions.pass(20min);
    id = sessions.run(sessions.service.rotate(id)).value();
    CHECK(sessions.run(sessions.service.peek(id)).value().expires_in == 10min);
    sessions.pass(10min);
    CHECK_FALSE(sessions.knows(id));
}

TEST_CASE("session_service: rotation changes the principal as it is told", "[async][service]")
{
    auto options = plain_options().shards(7);
    ManualService sessions(options);
    auto id = sessions.add();
    const auto principal = [&] {
        return std::string(sessions.run(sessions.service.peek(id)).value().principal_text());
    };
    const auto rotate = [&](const RotateOptions& wish) {
        id = sessions.run(sessions.service.rotate(id, wish)).value();
    };
    rotate(RotateOptions());
    CHECK(principal().empty());
    CHECK(sessions.metrics().half_open == 1);
    rotate(RotateOptions().principal("alice"));
    CHECK(principal() == "alice");
    // A login is proof that somebody is there.
    CHECK(sessions.metrics().half_open == 0);
    rotate(RotateOptions());
    CHECK(principal() == "alice");
    rotate(RotateOptions().principal("bob"));
    CHECK(principal() == "bob");
    CHECK(sessions.run(sessions.service.remove_by_principal("alice")).value() == 0);
    rotate(RotateOptions().principal(""));
    CHECK(principal().empty());
    CHECK(sessions.run(sessions.service.remove_by_principal("bob")).value() == 0);
    CHECK(sessions.run(sessions.service.remove_by_principal("")).value() == 0);
    CHECK(sessions.knows(id));

    const auto refused =
        sessions.run(sessions.service.rotate(id, RotateOptions().principal(std::string(257, 'p'))));
    CHECK(refused.error() == errc::principal_too_long);
    CHECK(sessions.knows(id));
}

TEST_CASE("session_service: an adopted id can be rotated to an issued one", "[async][service]")
{
    ManualService sessions;
    const auto adopted = SessionId::parse(std::string(128, 'a')).value();
    (void)sessions.add(CreateOptions().adopt(adopted));
    const auto fresh = sessions.run(sessions.service.rotate(adopted)).value();
    CHECK(fresh.text().size() == SessionId::issued_length);
    CHECK_FALSE(sessions.knows(adopted));
    CHECK(sessions.knows(fresh));
}

namespace {

/// Tries the old id until it is told that the rotation has been answered, and counts how often the
/// old id was still accepted after that.
asio::awaitable<int> try_old(SessionService& service, SessionId old, std::atomic<bool>& is_rotated)
{
    int late = 0;
    for (int after = 0; after < 20;) {
        const bool must_be_dead = is_rotated.load();
        const auto lease = co_await service.acquire(old);
        late += must_be_dead && lease ? 1 : 0;
        after += must_be_dead ? 1 : 0;
    }
    co_return late;
}

asio::awaitable<int>
rotate_once(SessionService& service, SessionId old, std::atomic<bool>& is_rotated)
{
    const auto fresh = co_await service.rotate(old);
    is_rotated = true;
    co_return fresh ? 1 : 0;
}

} // namespace

TEST_CASE(
    "session_service: the old id is dead once rotate has answered, whoever tries it",
    "[async][service]"
)
{
    auto options = plain_options().shards(7).request_rate(RateLimit::unlimited());
    ManualService sessions(options);
    for (int round = 0; round < 20; ++round) {
        const auto old = sessions.add();
        std::atomic<bool> is_rotated{false};
        std::vector<std::shared_ptr<CoroResult<int>>> tries;
        std::vector<std::shared_ptr<CoroResult<int>>> rotations;
        {
            const ContextThreads background(sessions.context, 3);
            const auto executor = sessions.context.get_executor();
            for (int i = 0; i < 3; ++i) {
                tries.push_back(spawn_coro(executor, try_old(sessions.service, old, is_rotated)));
                // Several rotate at once; the id is one's to rotate only.
                rotations.push_back(
                    spawn_coro(executor, rotate_once(sessions.service, old, is_rotated))
                );
            }
            for (const auto& results : {tries, rotations}) {
                for (const auto& result : results) {
                    poll_until([&] { return result->is_done(); });
                }
            }
        }
        sessions.context.restart();
        int rotated = 0;
        for (int i = 0; i < 3; ++i) {
            CHECK(tries[static_cast<std::size_t>(i)]->take() == 0);
            rotated += rotations[static_cast<std::size_t>(i)]->take();
        }
        CHECK(rotated == 1);
    }
    CHECK(sessions.metrics().rotated == 20);
}

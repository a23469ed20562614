#include "service/begun.hpp"
#include "service/manual_service.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstddef>
#include <set>
#include <string>

using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

using References = std::set<SessionReference>;

/// Sessions of each kind, over as many shards as a test wants.
struct Mixed {
    explicit Mixed(std::size_t shards)
        : sessions(plain_options().shards(shards).cleanup_batch(2).idle_timeout(1h))
    {
        for (int i = 0; i < 10; ++i) {
            old.insert(reference_of(sessions.establish(CreateOptions().principal("alice"))));
        }
        sessions.pass(10min);
        for (int i = 0; i < 10; ++i) {
            half_open.insert(reference_of(sessions.add()));
            fresh.insert(reference_of(sessions.establish(CreateOptions().principal("bob"))));
        }
        leased = sessions.acquire(sessions.add(CreateOptions().principal("bob")));
    }

    SessionReference reference_of(const SessionId& id)
    {
        return sessions.run(sessions.service.peek(id)).value().reference;
    }

    /// Whom a listing tells of, which must be as many as there are said to be.
    References meant_by(const SessionFilter& filter)
    {
        References references;
        const auto page =
            sessions.run(sessions.service.list(ListOptions().filter(filter).limit(1000))).value();
        for (const auto& info : page.sessions) {
            references.insert(info.reference);
        }
        CHECK(sessions.run(sessions.service.count(filter)).value() == references.size());
        return references;
    }

    std::size_t remove(const SessionFilter& filter)
    {
        return sessions.run(sessions.service.remove_matching(filter)).value();
    }

    ManualService sessions;
    References old;
    References fresh;
    References half_open;
    SessionLease leased;
};

References operator+(References left, const References& right)
{
    left.insert(right.begin(), right.end());
    return left;
}

} // namespace

TEST_CASE("session_service: a filter means those that meet all it asks for", "[async][service]")
{
    const auto shards = GENERATE(std::size_t{1}, std::size_t{3});
    Mixed mixed(shards);
    const References leased{mixed.leased.info().reference};

    CHECK(mixed.meant_by(SessionFilter()) == mixed.old + mixed.fresh + mixed.half_open + leased);
    CHECK(mixed.meant_by(SessionFilter().principal("alice")) == mixed.old);
    CHECK(mixed.meant_by(SessionFilter().principal("bob")) == mixed.fresh + leased);
    CHECK(mixed.meant_by(SessionFilter().principal("")) == mixed.half_open);
    CHECK(mixed.meant_by(SessionFilter().use(SessionUse::in_use)) == leased);
    CHECK(mixed.meant_by(SessionFilter().use(SessionUse::half_open)) == mixed.half_open);
    CHECK(mixed.meant_by(SessionFilter().use(SessionUse::idle)) == mixed.old + mixed.fresh);
    CHECK(mixed.meant_by(SessionFilter().idle_for(10min)) == mixed.old);
    CHECK(mixed.meant_by(SessionFilter().idle_for(10min + 1ns)).empty());
    CHECK(mixed.meant_by(SessionFilter().idle_for(0s)).size() == 31);
    CHECK(mixed.meant_by(SessionFilter().principal("bob").use(SessionUse::idle)) == mixed.fresh);
    CHECK(mixed.meant_by(SessionFilter().principal("alice").use(SessionUse::in_use)).empty());
    for (const auto reference : mixed.fresh) {
        CHECK(mixed.meant_by(SessionFilter().reference(reference)) == References{reference});
    }
    CHECK(mixed.meant_by(SessionFilter().reference(SessionReference(7))).empty());
}

TEST_CASE("session_service: whom a filter means can be ended, and nobody else", "[async][service]")
{
    const auto shards = GENERATE(std::size_t{1}, std::size_t{3});
    Mixed mixed(shards);
    const References leased{mixed.leased.info().reference};

    CHECK(mixed.remove(SessionFilter().idle_for(5min)) == 10);
    CHECK(mixed.meant_by(SessionFilter()) == mixed.fresh + mixed.half_open + leased);
    CHECK(mixed.sessions.metrics().removed_by(RemovalCause::deleted) == 10);

    const auto one = *mixed.fresh.begin();
    CHECK(mixed.remove(SessionFilter().reference(one)) == 1);
    CHECK(mixed.remove(SessionFilter().reference(one)) == 0);
    CHECK(mixed.remove(SessionFilter()) == 20);
    CHECK(mixed.meant_by(SessionFilter()).empty());
}

TEST_CASE("session_service: one that is leased and ended ends with its lease", "[async][service]")
{
    Mixed mixed(1);
    CHECK(mixed.remove(SessionFilter().use(SessionUse::in_use)) == 1);
    CHECK(mixed.meant_by(SessionFilter().use(SessionUse::in_use)).empty());
    CHECK(mixed.sessions.metrics().closing == 1);
    mixed.leased.release();
    CHECK(mixed.sessions.metrics().closing == 0);
}

TEST_CASE("session_service: a stream keeps a session in use", "[async][service]")
{
    ManualService sessions;
    const auto id = sessions.establish();
    {
        const auto stream = sessions.run(sessions.service.acquire_weak(id)).value();
        sessions.pass(1min);
        const auto info = sessions.run(sessions.service.peek(id)).value();
        CHECK(info.use == SessionUse::in_use);
        CHECK(info.idle_for == 0s);
        CHECK(info.streams == 1);
    }
    sessions.pass(1min);
    const auto info = sessions.run(sessions.service.peek(id)).value();
    CHECK(info.use == SessionUse::idle);
    CHECK(info.idle_for == 1min);
    CHECK(info.streams == 0);
}

TEST_CASE(
    "session_service: what has expired is not meant, and not ended by hand", "[async][service]"
)
{
    ManualService sessions(plain_options().idle_timeout(1h));
    (void)sessions.establish();
    // Before the background has seen it.
    sessions.clock->advance(2h);
    CHECK(sessions.run(sessions.service.count(SessionFilter())).value() == 0);
    CHECK(sessions.run(sessions.service.remove_matching(SessionFilter())).value() == 0);
    sessions.settle();
    CHECK(sessions.metrics().removed_by(RemovalCause::expired_idle) == 1);
}

TEST_CASE(
    "session_service: requests in flight are told, where they have a limit", "[async][service]"
)
{
    SECTION("without one nobody counts them")
    {
        ManualService sessions;
        const auto lease = sessions.acquire(sessions.establish());
        CHECK(sessions.run(sessions.service.in_flight()).value() == SemaphoreMetrics{});
    }
    SECTION("with one")
    {
        ManualService sessions(plain_options().max_in_flight(2));
        const auto id = sessions.establish();
        const auto first = sessions.acquire(id);
        auto now = sessions.run(sessions.service.in_flight()).value();
        CHECK(now.held == 1);
        CHECK(now.limit == 2);
        CHECK(now.waiting == 0);
        const auto second = sessions.acquire(id);
        const Begun third(sessions, sessions.service.acquire(id));
        sessions.settle();
        now = sessions.run(sessions.service.in_flight()).value();
        CHECK(now.held == 2);
        CHECK(now.waiting == 1);
        CHECK(now.ledger_holds());
    }
}

// Who gets into a service, by both faces, and with one shard as with many: the bounds are those of
// the service.

#include "service/manual_service.hpp"
#include "support/face.hpp"

#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

/// Each way to ask a service.
struct Way {
    std::size_t shards = 1;
    Face face = Face::coroutine;
};

Way any_way()
{
    return GENERATE(
        Way{1, Face::coroutine},
        Way{1, Face::handler},
        Way{16, Face::coroutine},
        Way{16, Face::handler}
    );
}

/// A service for 100 sessions, asked in one way.
class Admission {
public:
    Admission(Way way, const ServiceOptions& options)
        : sessions(ServiceOptions(options).max_sessions(100).shards(way.shards)), face_(way.face)
    {
    }

    Result<CreatedSession> create(CreateOptions options = CreateOptions())
    {
        if (face_ == Face::coroutine) {
            return sessions.run(sessions.service.create(std::move(options)));
        }
        auto created = sessions.service.async_create(std::move(options), asio::use_future);
        sessions.settle();
        return created.get();
    }

    /// One that nobody leases; it is used a little later than the one before.
    SessionId add(CreateOptions options = CreateOptions())
    {
        sessions.clock->advance(1ms);
        return create(std::move(options)).value().id;
    }

    Result<SessionId> rotate(const SessionId& id, const std::string& principal)
    {
        auto options = RotateOptions().principal(principal);
        if (face_ == Face::coroutine) {
            return sessions.run(sessions.service.rotate(id, std::move(options)));
        }
        auto rotated = sessions.service.async_rotate(id, std::move(options), asio::use_future);
        sessions.settle();
        return rotated.get();
    }

    Result<std::uint64_t> write(const SessionId& id, std::size_t text)
    {
        return sessions.run(sessions.service.commit(id, version(id), of_text(text)));
    }

    std::uint64_t version(const SessionId& id)
    {
        return sessions.run(sessions.service.snapshot(id))->version;
    }

    static Attributes of_text(std::size_t length) { return {{"a", std::string(length, 'x')}}; }

    ManualService sessions;

private:
    Face face_;
};

CreateOptions of(const std::string& principal)
{
    return CreateOptions().principal(principal);
}

CreateOptions from(const std::string& peer)
{
    return CreateOptions().peer(peer);
}

} // namespace

TEST_CASE("session_service admission: half-open sessions have a bound", "[async][service]")
{
    const auto way = any_way();
    Admission a(way, plain_options().max_half_open(10));
    const auto real = a.add(of("ada"));
    std::vector<SessionId> ids;
    for (int i = 0; i < 40; ++i) {
        ids.push_back(a.add());
        REQUIRE(a.sessions.metrics().half_open <= 10);
    }
    CHECK(a.sessions.metrics().half_open == 10);
    CHECK(a.sessions.metrics().removed_by(RemovalCause::evicted) == 30);
    CHECK(a.sessions.knows(real));
    CHECK(a.sessions.knows(ids.back()));
    // Of several shards one is asked that has somebody, and which those are is chance.
    CHECK((way.shards > 1 || !a.sessions.knows(ids.front())));
}

TEST_CASE(
    "session_service admission: by default three quarters are for those who come back",
    "[async][service]"
)
{
    Admission a(any_way(), ServiceOptions());
    std::vector<SessionId> real;
    for (int i = 0; i < 75; ++i) {
        real.push_back(a.add());
        a.sessions.acquire(real.back()).release();
    }
    for (int i = 0; i < 1000; ++i) {
        (void)a.add();
    }
    CHECK(std::ranges::all_of(real, [&](const SessionId& id) { return a.sessions.knows(id); }));
    CHECK(a.sessions.metrics().live == 100);
    CHECK(a.sessions.metrics().half_open == 25);
}

TEST_CASE(
    "session_service admission: a principal's own stalest session makes room", "[async][service]"
)
{
    Admission a(any_way(), plain_options().max_sessions_per_principal(3));
    const auto other = a.add(of("bob"));
    auto first = a.add(of("ada"));
    auto second = a.add(of("ada"));
    auto third = a.add(of("ada"));
    a.sessions.clock->advance(1ms);
    a.sessions.acquire(first).release();
    const auto fourth = a.add(of("ada"));
    CHECK(a.sessions.knows(first));
    CHECK_FALSE(a.sessions.knows(second));
    CHECK(a.sessions.knows(third));
    CHECK(a.sessions.knows(other));
    CHECK(a.sessions.metrics().live == 4);

    // All leased: nobody can, and no other principal must.
    const auto one = a.sessions.acquire(first);
    const auto two = a.sessions.acquire(third);
    const auto three = a.sessions.acquire(fourth);
    const auto refused = a.create(of("ada"));
    CHECK(refused.error() == errc::overloaded);
    CHECK(refused.error().retry_after() > Duration::zero());
    CHECK(a.sessions.metrics().refused_overloaded == 1);
    CHECK(a.create(of("bob")).has_value());
}

TEST_CASE("session_service admission: a login counts among a principal's", "[async][service]")
{
    Admission a(any_way(), plain_options().max_sessions_per_principal(2));
    const auto first = a.add(of("ada"));
    const auto second = a.add(of("ada"));
    auto anonymous = a.add();
    const auto rotated = a.rotate(anonymous, "ada");
    REQUIRE(rotated.has_value());
    CHECK_FALSE(a.sessions.knows(first));
    CHECK(a.sessions.knows(second));
    // A session that is hers already takes nothing more.
    CHECK(a.rotate(*rotated, "ada").has_value());
    CHECK(a.sessions.knows(second));
    CHECK(a.sessions.metrics().live == 2);

    for (int i = 0; i < 50; ++i) {
        (void)a.add(of("ada"));
    }
    CHECK(a.sessions.metrics().live == 2);
    CHECK(a.rotate(anonymous, "ada").error() == errc::not_found);
}

TEST_CASE(
    "session_service admission: nobody is evicted before its grace is over", "[async][service]"
)
{
    Admission a(any_way(), plain_options().eviction_grace(1s));
    std::vector<SessionId> ids;
    for (int i = 0; i < 100; ++i) {
        ids.push_back(a.add(of("user " + std::to_string(i))));
    }
    CHECK(a.create(of("late")).error() == errc::overloaded);
    a.sessions.clock->advance(901ms - 1ns);
    CHECK(a.create(of("late")).error() == errc::overloaded);
    a.sessions.clock->advance(1ns);
    CHECK(a.create(of("late")).has_value());
    CHECK_FALSE(a.sessions.knows(ids[0]));
    CHECK(a.create(of("late")).error() == errc::overloaded);
    CHECK(a.sessions.metrics().live == 100);
}

TEST_CASE("session_service admission: bytes are one number for all", "[async][service]")
{
    const auto each = Admission::of_text(1000).bytes();
    Admission a(any_way(), plain_options().max_total_attribute_bytes(10 * each));
    std::vector<SessionId> ids;
    for (int i = 0; i < 30; ++i) {
        ids.push_back(a.add(CreateOptions().attributes(Admission::of_text(1000))));
        REQUIRE(a.sessions.metrics().live <= 10);
    }
    CHECK(a.sessions.metrics().live == 10);
    CHECK(a.sessions.knows(ids[20]));
    CHECK_FALSE(a.sessions.knows(ids[19]));
    // More than all together may have.
    const auto refused = a.create(CreateOptions().attributes(Admission::of_text(10 * each)));
    CHECK(refused.error() == errc::attributes_too_large);
    const auto lease = a.sessions.acquire(ids[29]);
    const auto nearly = a.create(CreateOptions().attributes(Admission::of_text(9 * each)));
    CHECK(nearly.error() == errc::overloaded);
    // Nobody had to go for that.
    CHECK(a.sessions.metrics().live == 10);
}

TEST_CASE("session_service admission: a change of attributes needs room too", "[async][service]")
{
    const auto each = Admission::of_text(1000).bytes();
    Admission a(Way{1, Face::coroutine}, plain_options().max_total_attribute_bytes(2 * each));
    const auto first = a.add(CreateOptions().attributes(Admission::of_text(1000)));
    const auto second = a.add();
    CHECK(a.write(second, 1000).has_value());
    const auto lease = a.sessions.acquire(first);
    CHECK(a.write(second, 1001).error() == errc::overloaded);
    const auto grow = [](Attributes& data) { data.set("b", "more"); };
    CHECK(a.sessions.run(a.sessions.service.modify(second, grow)).error() == errc::overloaded);
    CHECK(a.version(second) == 2);
    CHECK(a.write(second, 500).has_value());
    CHECK(a.write(first, 1500).has_value());
}

TEST_CASE("session_service admission: a peer creates at its own rate", "[async][service]")
{
    Admission a(any_way(), plain_options().creation_rate(RateLimit(10, 3)));
    for (int i = 0; i < 3; ++i) {
        CHECK(a.create(from("192.0.2.1")).has_value());
    }
    const auto refused = a.create(from("192.0.2.1"));
    CHECK(refused.error() == errc::rate_limited);
    CHECK(refused.error().retry_after() == 100ms);
    CHECK(a.sessions.metrics().creations_rate_limited == 1);
    CHECK(a.sessions.metrics().created == 3);
    // Others are not concerned, nor is who does not say where it comes from.
    CHECK(a.create(from("192.0.2.2")).has_value());
    CHECK(a.create().has_value());
    // The wait is exact.
    a.sessions.clock->advance(100ms - 1ns);
    CHECK(a.create(from("192.0.2.1")).error().retry_after() == 1ns);
    a.sessions.clock->advance(1ns);
    CHECK(a.create(from("192.0.2.1")).has_value());
    CHECK(a.create(from("192.0.2.1")).error() == errc::rate_limited);
}

TEST_CASE("session_service admission: a peer that guesses ids is limited", "[async][service]")
{
    const auto way = any_way();
    Admission a(way, plain_options().creation_rate(RateLimit(1, 3)));
    const auto guess = [&](const std::string& peer) {
        const auto id = SessionId::parse(std::string(43, 'x')).value();
        const auto options = AcquireOptions().peer(peer);
        if (way.face == Face::coroutine) {
            return a.sessions.run(a.sessions.service.acquire(id, options)).error();
        }
        auto lease = a.sessions.service.async_acquire(id, options, asio::use_future);
        a.sessions.settle();
        return lease.get().error();
    };
    const auto known = a.add();
    for (int i = 0; i < 3; ++i) {
        CHECK(guess("192.0.2.1") == Error(errc::not_found));
    }
    CHECK(guess("192.0.2.1") == Error(errc::rate_limited, 1s));
    CHECK(guess("192.0.2.1") == Error(errc::rate_limited, 1s));
    CHECK(a.create(from("192.0.2.1")).error() == errc::rate_limited);
    // Those who have a session are served there too, and others may still be wrong.
    const auto mine = AcquireOptions().peer("192.0.2.1");
    CHECK(a.sessions.run(a.sessions.service.acquire(known, mine)).has_value());
    CHECK(guess("192.0.2.2") == Error(errc::not_found));
    CHECK(guess("") == Error(errc::not_found));
    CHECK(guess(std::string(257, 'x')) == Error(errc::invalid_options));
    a.sessions.clock->advance(1s);
    CHECK(guess("192.0.2.1") == Error(errc::not_found));
    CHECK(a.sessions.metrics().guesses_rate_limited == 2);
    CHECK(a.sessions.metrics().not_found == 8);
}

TEST_CASE("session_service admission: without a peer it is the principal", "[async][service]")
{
    Admission a(any_way(), plain_options().creation_rate(RateLimit(1, 2)));
    CHECK(a.create(of("ada")).has_value());
    CHECK(a.create(of("ada")).has_value());
    CHECK(a.create(of("ada")).error() == errc::rate_limited);
    CHECK(a.create(of("bob")).has_value());
    // A peer that is named as she is, is another; and where there is one, it counts.
    CHECK(a.create(from("ada")).has_value());
    CHECK(a.create(of("ada").peer("192.0.2.1")).has_value());
}

TEST_CASE("session_service admission: who is over the rate makes nobody leave", "[async][service]")
{
    Admission a(any_way(), plain_options().creation_rate(RateLimit(1, 100)).max_half_open(5));
    for (int i = 0; i < 1000; ++i) {
        (void)a.create(from("192.0.2.1"));
    }
    CHECK(a.sessions.metrics().created == 100);
    CHECK(a.sessions.metrics().removed_by(RemovalCause::evicted) == 95);
    CHECK(a.sessions.metrics().creations_rate_limited == 900);
}

TEST_CASE("session_service admission: a key that is too long is refused", "[async][service]")
{
    Admission a(any_way(), plain_options());
    CHECK(a.create(from(std::string(max_peer_length, 'p'))).has_value());
    CHECK(a.create(from(std::string(max_peer_length + 1, 'p'))).error() == errc::invalid_options);
    const auto name = std::string(max_principal_length + 1, 'p');
    CHECK(a.create(of(name)).error() == errc::principal_too_long);
    CHECK(a.sessions.metrics().created == 1);
}

TEST_CASE("session_service admission: after a drain it says so, whoever asks", "[async][service]")
{
    Admission a(any_way(), plain_options().creation_rate(RateLimit(1, 1)));
    CHECK(a.create(from("192.0.2.1")).has_value());
    CHECK(a.sessions.run(a.sessions.service.drain()).has_value());
    CHECK(a.create(from("192.0.2.1")).error() == errc::stopping);
    CHECK(a.create(of("ada")).error() == errc::stopping);
    CHECK(a.create().error() == errc::stopping);
}

TEST_CASE("session_service admission: no refusal keeps what it took", "[async][service]")
{
    // Anything may be lacking; at the end, all that there was is there.
    const auto seed = GENERATE(1U, 2U, 3U);
    const auto way = any_way();
    CAPTURE(seed, way.shards);
    std::mt19937_64 random(seed);
    const auto each = Admission::of_text(100).bytes();
    Admission a(
        way,
        plain_options()
            .max_half_open(20)
            .max_sessions_per_principal(4)
            .max_total_attribute_bytes(60 * each)
            .eviction_grace(50ms)
    );
    std::vector<CreatedSession> leased;
    for (int i = 0; i < 2000; ++i) {
        a.sessions.clock->advance(std::chrono::microseconds(random() % 2000));
        auto wish = random() % 2 == 0 ? CreateOptions() : of(std::to_string(random() % 30));
        if (random() % 2 == 0) {
            wish.attributes(Admission::of_text(random() % 400));
        }
        if (auto created = a.create(std::move(wish)); created && random() % 4 == 0) {
            leased.push_back(*std::move(created));
        }
        if (leased.size() > 30) {
            std::swap(leased[random() % leased.size()], leased.back());
            leased.pop_back();
        }
    }
    const auto metrics = a.sessions.metrics();
    CHECK(metrics.refused_overloaded > 0);
    CHECK(metrics.removed_by(RemovalCause::evicted) > 100);
    leased.clear();
    CHECK(a.sessions.run(a.sessions.service.cleanup(CleanupScope::all)).has_value());
    REQUIRE(a.sessions.metrics().live == 0);
    a.sessions.clock->advance(1s);
    for (int i = 0; i < 100; ++i) {
        const auto bytes = i < 60 ? Admission::of_text(100) : Attributes();
        auto wish = CreateOptions().attributes(bytes);
        if (i >= 20) {
            wish.principal("user " + std::to_string(i));
        }
        REQUIRE(a.create(std::move(wish)).has_value());
    }
    CHECK(a.sessions.metrics().live == 100);
}

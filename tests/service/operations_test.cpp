#include "service/manual_service.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

SessionId unknown_id()
{
    return SessionId::parse("nobody-has-this-id").value();
}

} // namespace

TEST_CASE("session_service: a new session is what its options say", "[async][service]")
{
    ManualService sessions;
    auto options = CreateOptions()
                       .principal("alice")
                       .attributes({{"theme", "dark"}})
                       .idle_timeout(10min)
                       .absolute_lifetime(1h);
    const auto created = sessions.create(options);

    CHECK(created.id.text().size() == SessionId::issued_length);
    REQUIRE(created.lease);
    const auto& info = created.lease.info();
    CHECK(info.principal_text() == "alice");
    CHECK(info.attributes.data.get("theme") == "dark");
    CHECK(info.attributes.version == 1);
    CHECK(info.idle_timeout == 10min);
    CHECK(info.expires_in == 10min);
    CHECK(info.created == sessions.clock->wall());
    CHECK(info.requests == 0);
    CHECK(info.leases == 1);
    CHECK(info.reference != SessionReference());
}

TEST_CASE("session_service: defaults come from the service's options", "[async][service]")
{
    auto options = plain_options().idle_timeout(7min).half_open_timeout(20s);
    ManualService sessions(options);
    CHECK(sessions.service.options().idle_timeout() == 7min);
    CHECK(sessions.create().lease.info().expires_in == 20s);
    auto known = CreateOptions().principal("alice");
    CHECK(sessions.create(known).lease.info().expires_in == 7min);
}

TEST_CASE("session_service: acquire counts the requests of a session", "[async][service]")
{
    ManualService sessions;
    const auto id = sessions.add();
    for (std::uint64_t request = 1; request <= 3; ++request) {
        const auto lease = sessions.acquire(id);
        CHECK(lease.info().requests == request);
        CHECK(lease.info().leases == 1);
    }
    const auto first = sessions.acquire(id);
    const auto second = sessions.acquire(id);
    CHECK(second.info().leases == 2);
    CHECK(first.info().reference == second.info().reference);
    CHECK(sessions.metrics().leased == 1);
}

TEST_CASE("session_service: peek neither touches nor counts", "[async][service]")
{
    ManualService sessions;
    const auto id = sessions.establish();
    sessions.pass(10min);
    CHECK(sessions.run(sessions.service.peek(id)).value().expires_in == 20min);
    sessions.pass(1min);
    const auto info = sessions.run(sessions.service.peek(id)).value();
    CHECK(info.expires_in == 19min);
    CHECK(info.requests == 1);
    CHECK(info.leases == 0);
    CHECK(sessions.metrics().acquires == 1);
}

TEST_CASE("session_service: touch begins the idle time anew and counts nothing", "[async][service]")
{
    ManualService sessions;
    const auto id = sessions.establish();
    sessions.pass(29min);
    const auto touched = sessions.run(sessions.service.touch(id)).value();
    CHECK(touched.expires_in == 30min);
    CHECK(touched.requests == 1);
    sessions.pass(29min);
    CHECK(sessions.knows(id));
    sessions.pass(1min);
    CHECK_FALSE(sessions.knows(id));
}

TEST_CASE(
    "session_service: a removed session is gone at once, for every operation", "[async][service]"
)
{
    ManualService sessions;
    const auto id = sessions.establish();
    CHECK(sessions.run(sessions.service.remove(id)).has_value());

    const auto check_unknown = [&](const SessionId& gone) {
        auto& service = sessions.service;
        CHECK(sessions.run(service.acquire(gone)).error() == errc::not_found);
        CHECK(sessions.run(service.peek(gone)).error() == errc::not_found);
        CHECK(sessions.run(service.touch(gone)).error() == errc::not_found);
        CHECK(sessions.run(service.rotate(gone)).error() == errc::not_found);
        CHECK(sessions.run(service.remove(gone)).error() == errc::not_found);
        CHECK(sessions.run(service.snapshot(gone)).error() == errc::not_found);
        CHECK(sessions.run(service.commit(gone, 1, Attributes())).error() == errc::not_found);
        const auto change = [](Attributes&) {};
        CHECK(sessions.run(service.modify(gone, change)).error() == errc::not_found);
    };
    check_unknown(id);
    check_unknown(unknown_id());
    check_unknown(SessionId());

    // Nothing was made of those.
    const auto metrics = sessions.metrics();
    CHECK(metrics.created == 1);
    CHECK(metrics.live == 0);
    CHECK(metrics.removed_by(RemovalCause::deleted) == 1);
    CHECK(metrics.not_found == 3);
    CHECK(metrics.rotated == 0);
}

TEST_CASE(
    "session_service: create refuses what is out of bounds, and creates nothing", "[async][service]"
)
{
    auto options = plain_options().max_attribute_bytes(10 + Attributes::entry_overhead);
    ManualService sessions(options);
    const auto refused = [&](CreateOptions wish) {
        return sessions.run(sessions.service.create(std::move(wish))).error();
    };
    CHECK(refused(CreateOptions().principal(std::string(257, 'p'))) == errc::principal_too_long);
    CHECK(refused(CreateOptions().attributes({{"12345", "123456"}})) == errc::attributes_too_large);
    CHECK(refused(CreateOptions().idle_timeout(1ms - 1ns)) == errc::invalid_options);
    CHECK(refused(CreateOptions().idle_timeout(max_duration + 1ns)) == errc::invalid_options);
    CHECK(refused(CreateOptions().idle_timeout(Duration::min())) == errc::invalid_options);
    CHECK(refused(CreateOptions().absolute_lifetime(0s)) == errc::invalid_options);
    CHECK(refused(CreateOptions().absolute_lifetime(Duration::max())) == errc::invalid_options);
    CHECK(refused(CreateOptions().adopt(SessionId())) == errc::invalid_id);
    CHECK(sessions.metrics().created == 0);

    // At the bounds all is well.
    auto most = CreateOptions()
                    .principal(std::string(256, 'p'))
                    .attributes({{"12345", "12345"}})
                    .idle_timeout(max_duration)
                    .absolute_lifetime(max_duration);
    CHECK(sessions.create(most).lease.info().expires_in == max_duration);
    auto least = CreateOptions().idle_timeout(1ms).absolute_lifetime(1ms);
    CHECK(sessions.create(least).lease.info().expires_in == 1ms);
}

TEST_CASE("session_service: a peer's id of up to 128 characters is adopted", "[async][service]")
{
    ManualService sessions;
    for (const std::size_t length : {1U, 46U, 47U, 48U, 128U}) {
        const auto id = SessionId::parse(std::string(length, 'x')).value();
        const auto created = sessions.create(CreateOptions().adopt(id));
        CHECK(created.id == id);
        CHECK(sessions.acquire(id).info().reference == created.lease.info().reference);
        const auto again = sessions.run(sessions.service.create(CreateOptions().adopt(id)));
        CHECK(again.error() == errc::id_in_use);
    }
    CHECK(sessions.metrics().created == 5);
}

TEST_CASE(
    "session_service: an adopted id may be used again once its session ended", "[async][service]"
)
{
    ManualService sessions;
    const auto id = SessionId::parse(std::string(128, 'x')).value();
    const auto wish = CreateOptions().adopt(id);
    const auto first = sessions.create(wish).lease.info().reference;
    sessions.run(sessions.service.remove(id)).value();
    const auto second = sessions.create(wish).lease.info().reference;
    CHECK(first != second);

    // Expired counts as ended, although cleanup has not come by yet.
    sessions.clock->advance(1h);
    CHECK(sessions.create(wish).lease.info().reference != second);
    CHECK(sessions.metrics().removed_by(RemovalCause::expired_idle) == 1);
}

TEST_CASE("session_service: ids and references are all different", "[async][service]")
{
    auto options = plain_options().shards(4);
    ManualService sessions(options);
    std::vector<std::string> ids;
    std::vector<SessionReference> references;
    for (int i = 0; i < 500; ++i) {
        const auto created = sessions.create();
        ids.emplace_back(created.id.text());
        references.push_back(created.lease.info().reference);
    }
    std::ranges::sort(ids);
    std::ranges::sort(references);
    CHECK(std::ranges::adjacent_find(ids) == ids.end());
    CHECK(std::ranges::adjacent_find(references) == references.end());
}

TEST_CASE(
    "session_service: works after it moved many sessions through few slots", "[async][service]"
)
{
    auto options = plain_options().max_sessions(3);
    ManualService sessions(options);
    for (int round = 0; round < 2000; ++round) {
        const auto id = sessions.add();
        CHECK(sessions.knows(id));
        if (round % 3 == 0) {
            CHECK(sessions.run(sessions.service.remove(id)).has_value());
        }
    }
    const auto metrics = sessions.metrics();
    CHECK(metrics.created == 2000);
    CHECK(metrics.live <= 3);
}

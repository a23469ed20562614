#include "service/manual_service.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <vector>

using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

/// Goes through all pages and counts how often each session is listed. `between` runs after each
/// page.
template <class Between>
std::map<SessionReference, int> list_all(ManualService& sessions, ListOptions wish, Between between)
{
    std::map<SessionReference, int> times;
    for (int pages = 0; pages < 10'000; ++pages) {
        const auto page = sessions.run(sessions.service.list(wish)).value();
        if (page.sessions.size() > wish.limit()) {
            throw std::logic_error("the page is too long");
        }
        for (const auto& info : page.sessions) {
            ++times[info.reference];
        }
        if (!page.next) {
            return times;
        }
        wish.after(*page.next);
        between();
    }
    throw std::logic_error("the listing has no end");
}

std::map<SessionReference, int> list_all(ManualService& sessions, const ListOptions& wish)
{
    return list_all(sessions, wish, [] {});
}

} // namespace

TEST_CASE(
    "session_service: a listing has each session once, whatever its pages and shards",
    "[async][service]"
)
{
    const auto shards = GENERATE(std::size_t{1}, std::size_t{5});
    const auto limit = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{1000});
    auto options = plain_options().shards(shards);
    ManualService sessions(options);
    std::map<SessionReference, int> expected;
    for (int i = 0; i < 100; ++i) {
        expected[sessions.create().lease.info().reference] = 1;
    }
    CHECK(list_all(sessions, ListOptions().limit(limit)) == expected);
}

TEST_CASE(
    "session_service: a session that lives throughout a listing is on exactly one page",
    "[async][service]"
)
{
    const auto shards = GENERATE(std::size_t{1}, std::size_t{5});
    auto options = plain_options().shards(shards);
    ManualService sessions(options);
    std::set<SessionReference> lasting;
    std::vector<SessionId> passing;
    for (int i = 0; i < 300; ++i) {
        if (i % 3 == 0) {
            lasting.insert(sessions.create().lease.info().reference);
        } else {
            passing.push_back(sessions.add());
        }
    }
    const auto times = list_all(sessions, ListOptions().limit(10), [&] {
        for (int i = 0; i < 5 && !passing.empty(); ++i) {
            (void)sessions.run(sessions.service.remove(passing.back()));
            passing.pop_back();
            (void)sessions.add();
        }
    });
    for (const auto reference : lasting) {
        REQUIRE(times.contains(reference));
        CHECK(times.at(reference) == 1);
    }
}

TEST_CASE("session_service: a listing can be of one principal", "[async][service]")
{
    auto options = plain_options().shards(3);
    ManualService sessions(options);
    std::map<SessionReference, int> of_alice;
    std::map<SessionReference, int> of_nobody;
    for (int i = 0; i < 20; ++i) {
        of_alice[sessions.create(CreateOptions().principal("alice")).lease.info().reference] = 1;
        of_nobody[sessions.create().lease.info().reference] = 1;
        (void)sessions.add(CreateOptions().principal("bob"));
    }
    CHECK(
        list_all(sessions, ListOptions().filter(SessionFilter().principal("alice")).limit(3)) ==
        of_alice
    );
    CHECK(list_all(sessions, ListOptions().filter(SessionFilter().principal(""))) == of_nobody);
    CHECK(list_all(sessions, ListOptions().filter(SessionFilter().principal("carol"))).empty());
}

TEST_CASE("session_service: a listing leaves out what has ended or expired", "[async][service]")
{
    ManualService sessions;
    const auto removed = sessions.establish();
    auto closing = sessions.create();
    (void)sessions.establish(CreateOptions().idle_timeout(1min));
    const auto lasting = sessions.establish();
    const auto reference = sessions.run(sessions.service.peek(lasting)).value().reference;
    (void)sessions.run(sessions.service.remove(removed));
    (void)sessions.run(sessions.service.remove(closing.id));
    sessions.clock->advance(1min);
    const auto page = sessions.run(sessions.service.list()).value();
    REQUIRE(page.sessions.size() == 1);
    CHECK(page.sessions[0].reference == reference);
    CHECK(page.sessions[0].expires_in == 29min);
}

TEST_CASE("session_service: a cursor from anywhere does no harm", "[async][service]")
{
    auto options = plain_options().shards(3);
    ManualService sessions(options);
    (void)sessions.add();
    for (const std::uint32_t shard : {0U, 2U, 3U, ~0U}) {
        for (const std::uint32_t slot : {0U, 255U, 256U, 4096U, ~0U}) {
            auto wish = ListOptions().after(SessionCursor{shard, slot});
            const auto page = sessions.run(sessions.service.list(wish)).value();
            CHECK(page.sessions.size() <= 1);
            // Past the end there is nothing, and nothing comes after it.
            if (shard >= 3) {
                CHECK(page.sessions.empty());
                CHECK_FALSE(page.next.has_value());
            }
        }
    }
}

TEST_CASE("session_service: an empty service lists nothing", "[async][service]")
{
    auto options = plain_options().shards(4);
    ManualService sessions(options);
    CHECK(list_all(sessions, ListOptions()).empty());
}

TEST_CASE("session_service: all sessions of a principal end at once", "[async][service]")
{
    const auto shards = GENERATE(std::size_t{1}, std::size_t{7});
    auto options = plain_options().shards(shards).cleanup_batch(8);
    ManualService sessions(options);
    std::vector<SessionId> of_alice;
    std::vector<SessionId> of_bob;
    for (int i = 0; i < 60; ++i) {
        of_alice.push_back(sessions.establish(CreateOptions().principal("alice")));
        of_bob.push_back(sessions.establish(CreateOptions().principal("bob")));
    }
    auto leased = sessions.acquire(of_alice[0]);
    CHECK(sessions.run(sessions.service.remove_by_principal("alice")).value() == 60);
    for (const auto& id : of_alice) {
        CHECK_FALSE(sessions.knows(id));
    }
    for (const auto& id : of_bob) {
        CHECK(sessions.knows(id));
    }
    CHECK(sessions.metrics().closing == 1);
    leased.release();
    CHECK(sessions.metrics().live == 60);
    CHECK(sessions.metrics().removed_by(RemovalCause::deleted) == 60);
    CHECK(sessions.run(sessions.service.remove_by_principal("alice")).value() == 0);
    CHECK(sessions.run(sessions.service.remove_by_principal("carol")).value() == 0);
}

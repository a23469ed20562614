#include "linearizability/session_specification.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>

using namespace sojourn;
using namespace sojourn::tests;

namespace {

constexpr SessionReference first(0x1111'0000'0000'0001);
constexpr SessionReference second(0x2222'0000'0000'0002);

/// What somebody sees of a service who does one thing after the other, or two at a time.
class Story {
public:
    explicit Story(SessionSpecification specification = SessionSpecification())
        : specification_(specification)
    {
    }

    /// An operation that begins when all before it have ended.
    Story& then(const SessionCall& call, const SessionAnswer& answer)
    {
        history_.push_back({0, call, answer, moment_, moment_ + 1});
        moment_ += 2;
        return *this;
    }

    /// One that goes on while the one before it does.
    Story& meanwhile(const SessionCall& call, const SessionAnswer& answer)
    {
        history_.push_back({1, call, answer, history_.back().begun, history_.back().ended});
        return *this;
    }

    [[nodiscard]] bool is_linearizable() const
    {
        return LinearizabilityChecker(specification_).check(history_).verdict ==
               Verdict::linearizable;
    }

private:
    SessionSpecification specification_;
    SessionHistory history_;
    Stamp moment_ = 1;
};

SessionCall with_id(Verb verb, unsigned id = 1)
{
    SessionCall call;
    call.verb = verb;
    call.id = id;
    return call;
}

SessionCall with_lease(Verb verb, SessionReference reference = first)
{
    SessionCall call;
    call.verb = verb;
    call.reference = reference;
    return call;
}

SessionCall commit_of(std::uint64_t expected_version, std::uint64_t value)
{
    auto call = with_id(Verb::commit);
    call.expected_version = expected_version;
    call.value = value;
    return call;
}

SessionAnswer refused(errc error)
{
    SessionAnswer answer;
    answer.error = error;
    return answer;
}

/// A session that nobody has changed.
SessionAnswer told(std::uint64_t requests, std::uint32_t leases)
{
    SessionAnswer answer;
    answer.reference = first;
    answer.requests = requests;
    answer.leases = leases;
    answer.version = 1;
    return answer;
}

SessionAnswer created(unsigned id = 1, SessionReference reference = first)
{
    auto answer = told(0, 1);
    answer.id = id;
    answer.reference = reference;
    return answer;
}

SessionAnswer version_of(std::uint64_t version, std::uint64_t value = 0)
{
    SessionAnswer answer;
    answer.version = version;
    answer.value = value;
    return answer;
}

/// A session, and the lease of its creation given back.
Story with_session(SessionSpecification specification = SessionSpecification())
{
    return Story(specification)
        .then(with_id(Verb::create, 0), created())
        .then(with_lease(Verb::release_lease), SessionAnswer());
}

} // namespace

TEST_CASE("session specification: leases count until they are given back", "[linearizability]")
{
    auto story = with_session()
                     .then(with_id(Verb::acquire), told(1, 1))
                     .then(with_id(Verb::acquire), told(2, 2))
                     .then(with_lease(Verb::release_lease), SessionAnswer())
                     .then(with_id(Verb::peek), told(2, 1));
    CHECK(story.is_linearizable());
    CHECK_FALSE(story.then(with_id(Verb::peek), told(2, 2)).is_linearizable());
}

TEST_CASE(
    "session specification: a lease counts or not while it is given back", "[linearizability]"
)
{
    for (const std::uint32_t leases : {0U, 1U, 2U}) {
        CAPTURE(leases);
        const auto story = with_session()
                               .then(with_id(Verb::acquire), told(1, 1))
                               .then(with_lease(Verb::release_lease), SessionAnswer())
                               .meanwhile(with_id(Verb::peek), told(1, leases));
        CHECK(story.is_linearizable() == (leases < 2));
    }
}

TEST_CASE("session specification: one of two commits to a version succeeds", "[linearizability]")
{
    const auto story = with_session().then(commit_of(1, 7), version_of(2));
    CHECK(Story(story)
              .meanwhile(commit_of(1, 8), refused(errc::conflict))
              .then(with_id(Verb::snapshot), version_of(2, 7))
              .is_linearizable());
    CHECK_FALSE(Story(story).meanwhile(commit_of(1, 8), version_of(2)).is_linearizable());
    CHECK_FALSE(Story(story).then(with_id(Verb::snapshot), version_of(1)).is_linearizable());
}

TEST_CASE("session specification: an id that was rotated is unknown", "[linearizability]")
{
    SessionAnswer rotated;
    rotated.id = 2;
    const auto story = with_session().then(with_id(Verb::rotate), rotated);
    CHECK(Story(story)
              .meanwhile(with_id(Verb::peek), told(0, 0))
              .then(with_id(Verb::peek), refused(errc::not_found))
              .then(with_id(Verb::peek, 2), told(0, 0))
              .is_linearizable());
    CHECK_FALSE(Story(story).then(with_id(Verb::peek), told(0, 0)).is_linearizable());
    CHECK_FALSE(
        Story(story).then(with_id(Verb::peek, 2), refused(errc::not_found)).is_linearizable()
    );
}

TEST_CASE("session specification: a session is removed once", "[linearizability]")
{
    const auto story = with_session().then(with_id(Verb::remove), SessionAnswer());
    CHECK(Story(story).meanwhile(with_id(Verb::remove), refused(errc::not_found)).is_linearizable()
    );
    CHECK_FALSE(Story(story).meanwhile(with_id(Verb::remove), SessionAnswer()).is_linearizable());
    CHECK_FALSE(Story(story).then(with_id(Verb::touch), told(0, 0)).is_linearizable());
}

TEST_CASE("session specification: requests are bounded, at once and in all", "[linearizability]")
{
    const auto specification = SessionSpecification().leases_per_session(1).burst(2);
    const auto story = with_session(specification).then(with_id(Verb::acquire), told(1, 1));
    CHECK(Story(story)
              .then(with_id(Verb::acquire), refused(errc::overloaded))
              .then(with_lease(Verb::release_lease), SessionAnswer())
              .then(with_id(Verb::acquire_weak), told(2, 0))
              .then(with_id(Verb::acquire), refused(errc::rate_limited))
              .is_linearizable());
    CHECK_FALSE(Story(story).then(with_id(Verb::acquire), told(2, 2)).is_linearizable());
    CHECK_FALSE(Story(story)
                    .then(with_lease(Verb::release_lease), SessionAnswer())
                    .then(with_id(Verb::acquire), refused(errc::overloaded))
                    .is_linearizable());
}

TEST_CASE(
    "session specification: a removed session takes its place until its last lease is given back",
    "[linearizability]"
)
{
    const auto story = Story(SessionSpecification().capacity(1))
                           .then(with_id(Verb::create, 0), created())
                           .then(with_id(Verb::remove), SessionAnswer())
                           .then(with_id(Verb::create, 0), refused(errc::overloaded))
                           .then(with_lease(Verb::release_lease), SessionAnswer());
    CHECK(Story(story).then(with_id(Verb::create, 0), created(2, second)).is_linearizable());
    CHECK_FALSE(
        Story(story).then(with_id(Verb::create, 0), refused(errc::overloaded)).is_linearizable()
    );
}

TEST_CASE("session specification: an id is in use by one session", "[linearizability]")
{
    const auto story = Story().then(with_id(Verb::create), created());
    CHECK(Story(story).meanwhile(with_id(Verb::create), refused(errc::id_in_use)).is_linearizable()
    );
    CHECK_FALSE(Story(story).meanwhile(with_id(Verb::create), created(1, second)).is_linearizable()
    );
    CHECK(Story(story)
              .then(with_id(Verb::remove), SessionAnswer())
              .meanwhile(with_id(Verb::create), created(1, second))
              .is_linearizable());
}

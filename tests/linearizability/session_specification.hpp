/// @file
/// What the session service does for one client at a time, as clients see it: sessions that are
/// found by their ids, leased, looked at, changed, given other ids and ended. Time stands still, so
/// none expires, and a session admits as many requests as its burst has.
///
/// It knows nothing of shards, turns and lists of releases. A lease counts until it was given back,
/// a place is taken until the session is gone, and every answer is as of one moment.

#ifndef SOJOURN_TESTS_LINEARIZABILITY_SESSION_SPECIFICATION_HPP
#define SOJOURN_TESTS_LINEARIZABILITY_SESSION_SPECIFICATION_HPP

#include "linearizability/linearizability.hpp"

#include <sojourn/core/error.hpp>
#include <sojourn/core/session_reference.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace sojourn::tests {

/// What a client can do. Those with `lease` in their name know their session by its reference, the
/// two `of_principal` by that, the others by its id.
enum class Verb : std::uint8_t {
    create,
    acquire,
    release_lease,
    acquire_weak,
    touch_weak_lease,
    release_weak_lease,
    peek,
    touch,
    snapshot,
    commit,
    modify,
    rotate,
    remove,
    remove_of_principal,
    list_of_principal,
};

/// What a session remembers, for short: a number. `modify` makes one of two, so that it shows in
/// which order that was done.
[[nodiscard]] constexpr std::uint64_t modified(std::uint64_t before, std::uint64_t by) noexcept
{
    return 31 * before + by;
}

struct SessionCall {
    Verb verb{};
    /// Ids have numbers, from 1; 0 is one that the service shall issue.
    unsigned id = 0;
    SessionReference reference;
    /// So have principals. Each is the principal of one call of `create` at most.
    unsigned principal = 0;
    std::uint64_t expected_version = 0;
    std::uint64_t value = 0;
};

/// What was answered; what an operation does not tell is as it is here.
struct SessionAnswer {
    std::optional<errc> error;
    unsigned id = 0;
    SessionReference reference;
    std::uint64_t requests = 0;
    std::uint32_t leases = 0;
    std::uint64_t version = 0;
    std::uint64_t value = 0;
    /// Of sessions.
    std::size_t count = 0;

    friend bool operator==(const SessionAnswer&, const SessionAnswer&) = default;
};

class SessionSpecification {
public:
    using Call = SessionCall;
    using Answer = SessionAnswer;

    struct Session {
        SessionReference reference;
        unsigned id = 0;
        unsigned principal = 0;
        /// Removed, and gone with its last lease.
        bool is_closing = false;
        std::uint32_t leases = 0;
        std::uint32_t weak_leases = 0;
        std::uint64_t requests = 0;
        std::uint64_t version = 1;
        std::uint64_t value = 0;

        friend auto operator<=>(const Session&, const Session&) = default;
    };

    /// In order of the references, so that the same sessions are the same state.
    using State = std::vector<Session>;

    /// As `ServiceOptions::max_sessions`, under `WhenFull::reject`.
    SessionSpecification& capacity(std::size_t count) noexcept
    {
        capacity_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    /// As `ServiceOptions::max_in_flight_per_session`.
    SessionSpecification& leases_per_session(std::uint32_t count) noexcept
    {
        leases_per_session_ = count;
        return *this;
    }

    [[nodiscard]] std::uint32_t leases_per_session() const noexcept { return leases_per_session_; }

    /// As `RateLimit::burst` of `ServiceOptions::request_rate`.
    SessionSpecification& burst(std::uint32_t requests) noexcept
    {
        burst_ = requests;
        return *this;
    }

    [[nodiscard]] std::uint32_t burst() const noexcept { return burst_; }

    [[nodiscard]] std::optional<State>
    apply(const State& state, const Call& call, const std::optional<Answer>& answer) const;

    [[nodiscard]] static std::string text(const State& state);
    [[nodiscard]] static std::string text(const Call& call, const std::optional<Answer>& answer);

private:
    /// Changes the state and answers. What the service draws at random, an id or a reference, is as
    /// was told.
    Answer carry_out(State& state, const Call& call, const Answer& told) const;
    Answer create(State& state, const Call& call, const Answer& told) const;
    Answer
    on_session(State& state, State::iterator session, const Call& call, const Answer& told) const;
    [[nodiscard]] std::optional<errc> refusal(const Session& session, Verb verb) const;

    std::size_t capacity_ = std::numeric_limits<std::size_t>::max();
    std::uint32_t leases_per_session_ = std::numeric_limits<std::uint32_t>::max();
    std::uint32_t burst_ = std::numeric_limits<std::uint32_t>::max();
};

using SessionHistory = History<SessionSpecification>;

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_LINEARIZABILITY_SESSION_SPECIFICATION_HPP

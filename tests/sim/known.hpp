/// @file
/// What a simulation knows of the sessions it made, from what it was answered: bounds, not a second
/// service. An answer that no order of the turns explains is a violation.

#ifndef SOJOURN_TESTS_SIM_KNOWN_HPP
#define SOJOURN_TESTS_SIM_KNOWN_HPP

#include "sim/known_frames.hpp"

#include <sojourn/core/attributes.hpp>
#include <sojourn/core/rate_limit.hpp>
#include <sojourn/core/session_id.hpp>
#include <sojourn/core/session_reference.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sojourn::tests::sim {

/// An answer, or a state, that must not be.
class Violation : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

inline void require(bool holds, const std::string& what)
{
    if (!holds) {
        throw Violation(what);
    }
}

inline void require_same(std::uint64_t left, std::uint64_t right, const std::string& what)
{
    require(left == right, what + ": " + std::to_string(left) + " and " + std::to_string(right));
}

/// A place in the order in which operations began and ended.
using Sequence = std::uint64_t;
inline constexpr Sequence never = std::numeric_limits<Sequence>::max();

/// What is known of one session.
struct Known {
    explicit Known(SessionReference which) : reference(which) {}

    SessionReference reference;
    /// Nothing while only a listener has told of it.
    std::optional<SessionId> id;
    std::string principal;
    Duration idle_timeout{};
    Duration lifetime{};
    RateLimit request_rate = RateLimit::unlimited();

    // It was created between these, and used last between those.

    TimePoint created_from;
    TimePoint created_to = TimePoint::max();
    TimePoint used_from;
    TimePoint used_to;

    /// When its creation was told, and whose it is.
    Sequence there_since = never;
    Sequence owned_since = never;

    /// When the id got to be what it is, and since when no operation that begins finds it.
    Sequence named_at = 0;
    Sequence gone_at = never;
    /// Operations that have begun which end it, or all.
    int aims = 0;
    /// Rotations that have begun, whose new id is not known yet.
    int rotations_in_flight = 0;
    /// Operations that may have used it.
    int uses_in_flight = 0;
    /// Whether its client has been seen to come back.
    bool is_established = false;

    // What the simulation holds.

    int leases = 0;
    int weak_leases = 0;
    /// Whether it ever had one of those.
    bool was_streamed = false;
    int exclusive_leases = 0;
    Sequence leased_since = never;

    KnownFrames frames;
    /// Where the last who read them would go on.
    std::uint64_t last_read = 0;
    /// Who follows it, and how many did at the same time, at most.
    int followers = 0;
    int most_followers = 0;

    int told_created = 0;
    int told_removed = 0;

    std::uint64_t version = 0;
    std::map<std::uint64_t, Attributes> versions;

    /// When the last requests were admitted: each between two moments.
    std::deque<std::pair<TimePoint, TimePoint>> admitted;
    /// By when each request had come that may have been counted, the first one first, and how many
    /// more there are on their way.
    std::vector<TimePoint> requests;
    int requests_in_flight = 0;

    [[nodiscard]] bool is_held() const noexcept { return leases + weak_leases > 0; }

    [[nodiscard]] bool is_targeted() const noexcept { return aims > 0; }

    /// Before this it does not end by itself.
    [[nodiscard]] TimePoint lifetime_end() const noexcept
    {
        return saturating_add(created_from, lifetime);
    }

    [[nodiscard]] TimePoint idle_end(Duration half_open_timeout) const noexcept
    {
        const auto idle = is_established ? idle_timeout : std::min(idle_timeout, half_open_timeout);
        return saturating_add(used_from, idle);
    }

    void hold(Sequence now) noexcept
    {
        if (leases++ == 0) {
            leased_since = now;
        }
    }

    void let_go(TimePoint from, TimePoint to) noexcept
    {
        if (--leases == 0) {
            leased_since = never;
        }
        note_use(from, to);
    }

    void note_use(TimePoint from, TimePoint to) noexcept
    {
        used_from = std::max(used_from, from);
        used_to = std::max(used_to, to);
    }

    /// The attributes of a version are one thing, whoever sees them, and versions only grow.
    void see(const AttributeSnapshot& seen, std::uint64_t least)
    {
        require(
            seen.version >= least,
            "version " + std::to_string(seen.version) + " was seen after " + std::to_string(least)
        );
        const auto& known = versions.try_emplace(seen.version, seen.data).first->second;
        require(known == seen.data, "two contents of version " + std::to_string(seen.version));
        version = std::max(version, seen.version);
    }

    /// Whether a request that is on its way, and comes at `now` or later, may find too many before
    /// it: GCRA refuses nobody unless there is a window that is full.
    [[nodiscard]] bool may_refuse(TimePoint now, TimePoint latest) const
    {
        if (request_rate.is_unlimited()) {
            return false;
        }
        const auto on_their_way = static_cast<std::size_t>(requests_in_flight - 1);
        const auto all = on_their_way + requests.size();
        for (std::size_t count = request_rate.burst(); count <= all; ++count) {
            const auto first =
                count <= on_their_way ? latest : requests[requests.size() - (count - on_their_way)];
            const auto places = static_cast<std::int64_t>(count - request_rate.burst() + 1);
            if (now - first < request_rate.interval() * places) {
                return true;
            }
        }
        return false;
    }

    /// Cell by cell, GCRA lets no more through than this in any window.
    void admit(TimePoint from, TimePoint to)
    {
        if (request_rate.is_unlimited()) {
            return;
        }
        admitted.emplace_back(from, to);
        if (admitted.size() > 2U * request_rate.burst() + 8) {
            admitted.pop_front();
        }
        // Backwards from this one. One that waited for its lease was admitted before others that
        // did not.
        auto begin = to;
        std::size_t count = 0;
        for (auto request = admitted.rbegin(); request != admitted.rend(); ++request) {
            begin = std::min(begin, request->first);
            const auto most = request_rate.burst() +
                              static_cast<std::size_t>((to - begin) / request_rate.interval()) + 1;
            ++count;
            require(
                count <= most,
                std::to_string(count) + " requests in a window that has room for " +
                    std::to_string(most)
            );
        }
    }
};

} // namespace sojourn::tests::sim

#endif // SOJOURN_TESTS_SIM_KNOWN_HPP

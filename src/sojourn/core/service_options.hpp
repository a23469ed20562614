/// @file
/// How a service behaves: its limits, its timeouts, its policies. Every option has a default that
/// is safe for a public web server; `validate` says which one is out of bounds.

#ifndef SOJOURN_CORE_SERVICE_OPTIONS_HPP
#define SOJOURN_CORE_SERVICE_OPTIONS_HPP

#include "sojourn/core/duration.hpp"
#include "sojourn/core/rate_limit.hpp"
#include "sojourn/core/time.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sojourn {

/// Whether every timeout and lifetime option accepts this length: from 1 ms to `max_duration`.
[[nodiscard]] constexpr bool is_valid_timeout(Duration length) noexcept
{
    return length >= std::chrono::milliseconds(1) && length <= max_duration;
}

/// Whether every rate option accepts this limit: unlimited, or from 1 to 10^9 a second with a burst
/// from 1 to 10^6.
[[nodiscard]] constexpr bool is_valid_rate(RateLimit limit) noexcept
{
    return limit.is_unlimited() ||
           (limit.requests_per_second() >= 1 && limit.requests_per_second() <= 1'000'000'000 &&
            limit.burst() >= 1 && limit.burst() <= 1'000'000);
}

/// What to do with a new session when the table is full.
enum class WhenFull : std::uint8_t {
    /// End the session whose last request finished longest ago, unless all are leased, or their
    /// grace is not over.
    evict_idle,
    /// Refuse the new one with `overloaded`, and end nobody.
    reject,
    /// End nobody, and let the new one wait in line until there is room, for as long as
    /// `max_creation_wait`; those with a principal in one line, those without in another. Creations
    /// are made one after the other then. One that exceeds its principal's bound is refused at
    /// once.
    wait,
};

/// The first option that `ServiceOptions::validate` found out of bounds.
struct InvalidOption {
    /// The setter's name, such as "idle_timeout".
    std::string_view field;
    /// What would be accepted, such as "from 1ms to 365d".
    std::string_view accepted;

    /// "idle_timeout must be from 1ms to 365d".
    [[nodiscard]] std::string message() const;
};

/// The options of a `SessionService`, with chained setters. A setter takes any value; the service
/// refuses to be built from options that `validate` does not accept.
class ServiceOptions {
public:
    // Declared, so that this is no aggregate: g++ 12 miscompiles those in a co_await expression.
    ServiceOptions() noexcept {} // NOLINT(modernize-use-equals-default)

    /// Sessions that may exist at once, over all shards, exactly. 1 to 100,000,000; default
    /// 100,000. At the bound `when_full` decides. Address space for all of them is taken when the
    /// service starts, 230 bytes for each; memory as they come, but 12 bytes of it for each at
    /// once.
    ServiceOptions& max_sessions(std::size_t count) noexcept
    {
        max_sessions_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t max_sessions() const noexcept { return max_sessions_; }

    /// Independent tables, each behind its own strand; the session id picks one. 1 to 256, and not
    /// more than `max_sessions`; default 1, which is right until one core is busy with sessions.
    /// The capacity stays one number. Who makes room for a new session is the one that was used
    /// least recently in the shard whose least recent one is the oldest: of all shards, the least
    /// recently used one, but for what happens in the microsecond in which it is found. With more
    /// than one, a creation at capacity takes three turns instead of one, and one with a principal
    /// that has a bound takes a turn in every shard. Who has expired in one shard in this very
    /// moment may be found after somebody was evicted in another.
    ServiceOptions& shards(std::size_t count) noexcept
    {
        shards_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t shards() const noexcept { return shards_; }

    /// How long a session may lie idle, counted from the end of its last request. 1 ms to 365 days;
    /// default 30 minutes, OWASP's upper bound for low-risk applications. A session that reaches it
    /// ends with `expired_idle`. A session may be created with its own. The end of a request is
    /// read from the clock's `steady_coarse`, so it may count as up to 10 ms earlier, though never
    /// as before its beginning; and a request may find a session for as long after its deadline.
    ServiceOptions& idle_timeout(Duration length) noexcept
    {
        idle_timeout_ = length;
        return *this;
    }

    [[nodiscard]] Duration idle_timeout() const noexcept { return idle_timeout_; }

    /// How long a session may live, however busy it is. 1 ms to 365 days; default 8 hours, a
    /// working day. A session that reaches it ends with `expired_lifetime`. A session may be
    /// created with its own.
    ServiceOptions& absolute_lifetime(Duration length) noexcept
    {
        absolute_lifetime_ = length;
        return *this;
    }

    [[nodiscard]] Duration absolute_lifetime() const noexcept { return absolute_lifetime_; }

    /// How long an anonymous session may wait for its first request to complete. 1 ms to 365 days;
    /// default 60 seconds: clients that do not keep cookies would otherwise fill the table with
    /// sessions that nobody returns to. A session created with a principal is not subject to it.
    ServiceOptions& half_open_timeout(Duration length) noexcept
    {
        half_open_timeout_ = length;
        return *this;
    }

    [[nodiscard]] Duration half_open_timeout() const noexcept { return half_open_timeout_; }

    /// Half-open sessions that may exist at once, over all shards, exactly: those of anonymous
    /// clients that have not completed a request yet. 1 to 100,000,000; by default a quarter of
    /// `max_sessions`, so that whoever mints sessions and never comes back can fill no more of the
    /// table than that, and pushes nobody out of the rest. At the bound the one that has
    /// waited longest in the new one's shard, or in the next that has any, makes room, however
    /// short a time that is; under the policy `reject` nobody does, and the new one is refused with
    /// `overloaded`, under `wait` it waits.
    ServiceOptions& max_half_open(std::size_t count) noexcept
    {
        max_half_open_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t max_half_open() const noexcept
    {
        return max_half_open_.value_or(std::max<std::size_t>(max_sessions_ / 4, 1));
    }

    /// Sessions that one principal may have at once, over all shards. 1 to 1,000, or nothing for no
    /// bound; default 100, more than anybody has browsers, and little enough that nobody fills the
    /// table alone. At the bound the principal's own session whose last request finished longest
    /// ago makes room; if all are leased, or under another policy than `evict_idle`, the new one is
    /// refused with `overloaded`, at once. One turn looks at all of them. Those that were removed
    /// while leased count until they are released.
    ServiceOptions& max_sessions_per_principal(std::optional<std::size_t> count) noexcept
    {
        max_sessions_per_principal_ = count;
        return *this;
    }

    [[nodiscard]] std::optional<std::size_t> max_sessions_per_principal() const noexcept
    {
        return max_sessions_per_principal_;
    }

    /// How fast one client may create sessions: one peer or, where `CreateOptions::peer` is not
    /// given, one principal. 1 to 10^9 a second with a burst of 1 to 10^6, or unlimited; default 10
    /// a second with a burst of 100, which leaves room for an office behind one address. Beyond it:
    /// `rate_limited`. A creation that is refused later for another reason counts. Creations that
    /// give neither are not limited.
    ServiceOptions& creation_rate(RateLimit limit) noexcept
    {
        creation_rate_ = limit;
        return *this;
    }

    [[nodiscard]] RateLimit creation_rate() const noexcept { return creation_rate_; }

    /// Clients that the limit of `creation_rate` remembers, at 16 bytes each, taken at the start
    /// for peers and for principals. 4 to 100,000,000; default 16,384. Who has used up nothing of
    /// its burst needs not be remembered. When more than these have, those are forgotten first that
    /// have used up the least: nobody is refused for want of a place.
    ServiceOptions& creation_keys(std::size_t count) noexcept
    {
        creation_keys_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t creation_keys() const noexcept { return creation_keys_; }

    /// How fast one session may be acquired. 1 to 10^9 a second with a burst of 1 to 10^6, or
    /// unlimited; default 100 a second with a burst of 100. Beyond it: `rate_limited`. A session
    /// may be created with its own.
    ServiceOptions& request_rate(RateLimit limit) noexcept
    {
        request_rate_ = limit;
        return *this;
    }

    [[nodiscard]] RateLimit request_rate() const noexcept { return request_rate_; }

    /// Requests that may be in flight at once, over all sessions: leases that `acquire` has given.
    /// 1 to 1,000,000,000, or nothing for no bound, which is the default: what a server can do at
    /// once only its author knows, and every request passes one more gate that all share. At the
    /// bound requests wait in line, first come, first served; who holds a lease and asks for
    /// another waits as well.
    ServiceOptions& max_in_flight(std::optional<std::size_t> count) noexcept
    {
        max_in_flight_ = count;
        return *this;
    }

    [[nodiscard]] std::optional<std::size_t> max_in_flight() const noexcept
    {
        return max_in_flight_;
    }

    /// Requests that may wait for others to finish when `max_in_flight` are at work. 0 to
    /// 1,000,000,000; default 1,024. One more is refused at once, with `overloaded`.
    ServiceOptions& max_waiting_requests(std::size_t count) noexcept
    {
        max_waiting_requests_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t max_waiting_requests() const noexcept
    {
        return max_waiting_requests_;
    }

    /// How long a request may wait so. 1 ms to 365 days; default 1 second, after which most clients
    /// have lost interest. Then it is refused with `overloaded`.
    ServiceOptions& max_request_wait(Duration length) noexcept
    {
        max_request_wait_ = length;
        return *this;
    }

    [[nodiscard]] Duration max_request_wait() const noexcept { return max_request_wait_; }

    /// Requests that one session may have in flight: leases on it. 1 to 65,535; default 100, which
    /// is what an HTTP/2 client may have open by default. One more is refused at once, with
    /// `overloaded`, and not counted against the rate.
    ServiceOptions& max_in_flight_per_session(std::size_t count) noexcept
    {
        max_in_flight_per_session_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t max_in_flight_per_session() const noexcept
    {
        return max_in_flight_per_session_;
    }

    /// What to do with a new session when the table is full. Default `evict_idle`.
    ServiceOptions& when_full(WhenFull policy) noexcept
    {
        when_full_ = policy;
        return *this;
    }

    [[nodiscard]] WhenFull when_full() const noexcept { return when_full_; }

    /// New sessions that may wait for room in each line, if the policy is to wait. 0 to
    /// 1,000,000,000; default 1,024. One more is refused at once, with `overloaded`.
    ServiceOptions& max_waiting_creations(std::size_t count) noexcept
    {
        max_waiting_creations_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t max_waiting_creations() const noexcept
    {
        return max_waiting_creations_;
    }

    /// How long a new session may wait so. 1 ms to 365 days; default 1 second. Then it is refused
    /// with `overloaded`.
    ServiceOptions& max_creation_wait(Duration length) noexcept
    {
        max_creation_wait_ = length;
        return *this;
    }

    [[nodiscard]] Duration max_creation_wait() const noexcept { return max_creation_wait_; }

    /// How long ago a session's last request must have finished before it can be evicted because
    /// the table is full. 0 to 365 days; default 10 seconds, in which a client that is at work
    /// comes back. When all are fresher than that, new ones are refused with `overloaded`: those
    /// who are served already are served well. Half-open sessions have no grace where others of
    /// their kind want in.
    ServiceOptions& eviction_grace(Duration length) noexcept
    {
        eviction_grace_ = length;
        return *this;
    }

    [[nodiscard]] Duration eviction_grace() const noexcept { return eviction_grace_; }

    /// Bytes that one session's attributes may have, as `Attributes::bytes` counts. 0 to 64 MiB;
    /// default 128 KiB. A larger set is refused with `attributes_too_large` and changes nothing.
    ServiceOptions& max_attribute_bytes(std::size_t bytes) noexcept
    {
        max_attribute_bytes_ = bytes;
        return *this;
    }

    [[nodiscard]] std::size_t max_attribute_bytes() const noexcept { return max_attribute_bytes_; }

    /// Bytes that the attributes of all sessions together may have, as `Attributes::bytes` counts,
    /// over all shards. 0 to 2^50, or nothing for no bound; default 1 GiB. At the bound idle
    /// sessions make room as they do when the table is full, no more than `cleanup_batch` for one
    /// request; if that is not enough, a creation or a change that needs more is refused with
    /// `overloaded`. With several shards a change looks for room in its own only. What is more than
    /// the bound alone is `attributes_too_large`. Copies that were handed out do not count.
    ServiceOptions& max_total_attribute_bytes(std::optional<std::size_t> bytes) noexcept
    {
        max_total_attribute_bytes_ = bytes;
        return *this;
    }

    [[nodiscard]] std::optional<std::size_t> max_total_attribute_bytes() const noexcept
    {
        return max_total_attribute_bytes_;
    }

    /// Frames that a session keeps, the last ones, as `SessionLease::record` gives them to it. 0 to
    /// 10,000; default 0: none are recorded, for whoever has them has what clients said. One that
    /// finds no room within any of the three bounds on frames is dropped, and its session's oldest
    /// ones before it where that makes room; those of other sessions never. What is dropped is
    /// counted. Frames that were handed out do not count.
    ServiceOptions& max_frames_per_session(std::size_t count) noexcept
    {
        max_frames_per_session_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t max_frames_per_session() const noexcept
    {
        return max_frames_per_session_;
    }

    /// Bytes that one session's frames may have, as `Frame::bytes` counts. 0 to 64 MiB; default 256
    /// KiB.
    ServiceOptions& max_frame_bytes_per_session(std::size_t bytes) noexcept
    {
        max_frame_bytes_per_session_ = bytes;
        return *this;
    }

    [[nodiscard]] std::size_t max_frame_bytes_per_session() const noexcept
    {
        return max_frame_bytes_per_session_;
    }

    /// Bytes that the frames of all sessions together may have, over all shards, exactly. 0 to
    /// 2^50; default 256 MiB.
    ServiceOptions& max_frame_bytes(std::size_t bytes) noexcept
    {
        max_frame_bytes_ = bytes;
        return *this;
    }

    [[nodiscard]] std::size_t max_frame_bytes() const noexcept { return max_frame_bytes_; }

    /// Room for what listeners have yet to be told, over all shards, on top of `max_sessions`:
    /// ended sessions and, if there is a creation listener, new ones. 1 to 100,000,000; default
    /// 1,024; with a creation listener 1 counts as 2. When live sessions and what waits together
    /// fill both, new sessions are refused with `overloaded`: a slow listener slows admission down
    /// and does not grow memory. Without a listener nothing waits.
    ServiceOptions& max_pending_events(std::size_t count) noexcept
    {
        max_pending_events_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t max_pending_events() const noexcept { return max_pending_events_; }

    /// How long a listener may take for one session before it is cancelled and the next is told. 1
    /// ms to 365 days; default 30 seconds. One that does not end then is left to itself; but if
    /// eight of those are there, the next that is late is waited for, since nobody knows when they
    /// will end.
    ServiceOptions& listener_timeout(Duration length) noexcept
    {
        listener_timeout_ = length;
        return *this;
    }

    [[nodiscard]] Duration listener_timeout() const noexcept { return listener_timeout_; }

    /// Expired sessions that cleanup may look at in one turn, which bounds how long it keeps others
    /// waiting. 1 to 10,000; default 128.
    ServiceOptions& cleanup_batch(std::size_t count) noexcept
    {
        cleanup_batch_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t cleanup_batch() const noexcept { return cleanup_batch_; }

    /// The first option that is out of bounds, in the order above; nothing if all are within.
    [[nodiscard]] std::optional<InvalidOption> validate() const noexcept;

private:
    std::size_t max_sessions_ = 100'000;
    std::size_t shards_ = 1;
    Duration idle_timeout_ = std::chrono::minutes(30);
    Duration absolute_lifetime_ = std::chrono::hours(8);
    Duration half_open_timeout_ = std::chrono::seconds(60);
    std::optional<std::size_t> max_half_open_;
    std::optional<std::size_t> max_sessions_per_principal_ = 100;
    RateLimit creation_rate_{10, 100};
    std::size_t creation_keys_ = 16'384;
    RateLimit request_rate_{100, 100};
    std::optional<std::size_t> max_in_flight_;
    std::size_t max_waiting_requests_ = 1024;
    Duration max_request_wait_ = std::chrono::seconds(1);
    std::size_t max_in_flight_per_session_ = 100;
    WhenFull when_full_ = WhenFull::evict_idle;
    std::size_t max_waiting_creations_ = 1024;
    Duration max_creation_wait_ = std::chrono::seconds(1);
    Duration eviction_grace_ = std::chrono::seconds(10);
    std::size_t max_attribute_bytes_ = 128UL * 1024;
    std::optional<std::size_t> max_total_attribute_bytes_ = 1UL << 30U;
    std::size_t max_frames_per_session_ = 0;
    std::size_t max_frame_bytes_per_session_ = 256UL * 1024;
    std::size_t max_frame_bytes_ = 256UL << 20U;
    std::size_t max_pending_events_ = 1024;
    Duration listener_timeout_ = std::chrono::seconds(30);
    std::size_t cleanup_batch_ = 128;
};

} // namespace sojourn

#endif // SOJOURN_CORE_SERVICE_OPTIONS_HPP

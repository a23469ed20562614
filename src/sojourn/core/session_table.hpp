/// @file
/// Private header. One shard's sessions and every decision about them: who is found, who is
/// limited, who expires, who makes room. It is single-threaded and deterministic, knows no clock
/// and calls nobody; the service confines it to a strand.

#ifndef SOJOURN_CORE_SESSION_TABLE_HPP
#define SOJOURN_CORE_SESSION_TABLE_HPP

#include "sojourn/core/attribute_bin.hpp"
#include "sojourn/core/attributes.hpp"
#include "sojourn/core/capacity.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/core/expiry_schedule.hpp"
#include "sojourn/core/frame_page.hpp"
#include "sojourn/core/frame_store.hpp"
#include "sojourn/core/metrics.hpp"
#include "sojourn/core/principal_index.hpp"
#include "sojourn/core/rate_limit.hpp"
#include "sojourn/core/release_list.hpp"
#include "sojourn/core/removal_cause.hpp"
#include "sojourn/core/service_options.hpp"
#include "sojourn/core/session.hpp"
#include "sojourn/core/session_filter.hpp"
#include "sojourn/core/session_id_hash.hpp"
#include "sojourn/core/session_index.hpp"
#include "sojourn/core/session_info.hpp"
#include "sojourn/core/session_page.hpp"
#include "sojourn/core/session_slab.hpp"

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sojourn {

/// All that a new session begins with.
struct NewSession {
    HashedId id;
    SessionReference reference;
    std::string principal;
    Attributes attributes;
    Duration idle_timeout{};
    Duration absolute_lifetime{};
    WallTime created;
    /// The service's, if none.
    std::optional<RateLimit> request_rate;

    [[nodiscard]] Demand demand() const noexcept
    {
        return {.is_half_open = principal.empty(), .bytes = attributes.bytes()};
    }
};

/// Whether ended sessions wait for `take_departed` or are forgotten at once.
enum class OnDeparture : std::uint8_t { keep, forget };

/// Whether new sessions wait for `take_arrived` too. Those who do so keep the ended ones as well.
enum class OnArrival : std::uint8_t { keep, forget };

/// The bounds of so many sessions and of `pending` more that wait for their listener, with those of
/// the options.
[[nodiscard]] Capacity::Bounds bounds_of(
    const ServiceOptions& options, std::size_t sessions, std::size_t pending, OnArrival on_arrival
);

/// What a session that was refused for want of room would have needed.
enum class Shortage : std::uint8_t {
    /// Room among those that anybody may have.
    common,
    /// Room among those of its own principal.
    own,
};

/// A table of sessions.
///
/// *Time* comes in through `advance`, which every turn calls first; it never goes backwards here,
/// whatever the caller's clock does. Then comes `settle`. *Sessions* that are handed out as
/// pointers are leased, and those pointers are valid until the lease is given back through a
/// `ReleaseList`. *Use* has one order: what is noted later never counts as earlier. *Complexity*:
/// every operation on one session is O(1) on average, plus O(log n) for the schedule where one is
/// created that ends earlier than the last one in its slot. *Exceptions*: `create` and `rotate` may
/// throw `bad_alloc`, for a principal that is new, and have done nothing then.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): laid out by who writes it
class alignas(64) SessionTable {
public:
    /// A table alone, for `capacity` sessions and `pending` more that wait for their listener.
    SessionTable(
        const ServiceOptions& options,
        std::size_t capacity,
        std::size_t pending,
        HashKey key,
        OnDeparture on_departure,
        OnArrival on_arrival = OnArrival::forget
    );

    /// One of several that share a capacity. `limits` are this one's own: what it has memory for.
    struct Limits {
        std::size_t sessions = 0;
        std::size_t slots = 0;
    };

    SessionTable(
        const ServiceOptions& options,
        std::shared_ptr<Capacity> capacity,
        Limits limits,
        HashKey key,
        OnDeparture on_departure,
        OnArrival on_arrival
    );

    SessionTable(const SessionTable&) = delete;
    SessionTable& operator=(const SessionTable&) = delete;
    SessionTable(SessionTable&&) = delete;
    SessionTable& operator=(SessionTable&&) = delete;
    ~SessionTable();

    /// Sets the time.
    void advance(TimePoint now) noexcept { now_ = std::max(now_, now); }

    /// Takes note of the leases that were given back since the last turn.
    void settle(ReleaseList& releases);

    /// Makes a session and leases it. If there is no room, the first `cleanup_batch` entries of the
    /// schedule are looked at, and those that have expired make room; then the policy decides.
    /// *Errors*: `stopping`, `id_in_use`, `overloaded`.
    [[nodiscard]] Result<Session*> create(const NewSession& fresh);

    /// The same with a place that was taken before, and without a look at how many sessions the
    /// principal has. *Errors*: also `overloaded`, if this table is full and may evict nobody.
    [[nodiscard]] Result<Session*> create(const NewSession& fresh, Capacity::Place place);

    /// Of the creation that was refused last.
    [[nodiscard]] Shortage shortage() const noexcept { return shortage_; }

    /// Whether `create` would not refuse for another reason than want of room. *Errors*:
    /// `stopping`, `id_in_use`.
    [[nodiscard]] Result<void> check(const NewSession& fresh);

    // Room for a session here or in another table. Each sees to one thing that the place must have,
    // as `create` does, and says whether it has it now.

    /// For a half-open session.
    [[nodiscard]] bool make_half_open_room(Capacity::Place& place);
    /// For a session.
    [[nodiscard]] bool make_session_room(Capacity::Place& place);
    /// For bytes of attributes; but not at the cost of `keep`, if there is one.
    [[nodiscard]] bool
    make_byte_room(std::size_t bytes, Capacity::Place& place, const Session* keep = nullptr);
    /// Ends what is overdue, up to a batch, and says whether there are so many bytes now.
    bool reclaim_bytes(std::size_t bytes, Capacity::Place& place);
    /// How many bytes `free_bytes` can free, at most.
    [[nodiscard]] std::size_t freeable_bytes(const Session* keep = nullptr) noexcept;
    /// Ends sessions that have attributes and may be ended, the least recently used first and no
    /// more than a batch, until the place has so many bytes.
    bool free_bytes(std::size_t bytes, Capacity::Place& place, const Session* keep = nullptr);
    /// Ends the session that was used least recently, if one is idle and may be ended.
    bool evict_oldest(Capacity::Place& place);
    /// Ends the half-open session that has waited longest, whatever its grace, if one is idle.
    bool evict_half_open(Capacity::Place& place);
    /// Ends the session of this principal that was used least recently, if one is idle.
    [[nodiscard]] bool make_principal_room(std::string_view name, Capacity::Place& place);

    /// How many sessions a principal has here, and when the idle one was used last that was used
    /// least recently; `TimePoint::max()` if none is idle. Those that are due have been ended.
    struct PrincipalUse {
        std::size_t sessions = 0;
        TimePoint oldest_use = TimePoint::max();
    };

    [[nodiscard]] PrincipalUse use_by(std::string_view name);

    /// Counts something that was refused for want of room. Returns `overloaded`.
    [[nodiscard]] Error refuse() noexcept;
    /// The same for a creation; not counted if it may yet wait for room.
    [[nodiscard]] Error refuse_creation() noexcept;

    /// When the session was used last that `make_session_room` would evict; `TimePoint::max()` if
    /// all are leased.
    [[nodiscard]] TimePoint oldest_use() const noexcept;

    /// Finds a session, counts the request against its rate, and leases it. The time may lag a
    /// little: before a request is refused for its rate, `exact_now()` is asked.
    /// *Errors*: `stopping`, `not_found`, `overloaded`, `rate_limited`.
    template <std::invocable ExactNow>
    [[nodiscard]] Result<Session*> acquire(const HashedId& id, ExactNow exact_now)
    {
        auto* const session = find_for_request(id);
        if (session == nullptr) {
            return closed_ ? errc::stopping : errc::not_found;
        }
        if (session->leases >= max_leases_) {
            return refuse_busy();
        }
        // How much a time may lag depends on the rate, and its caller knows the service's only.
        if (session->has_own_rate) {
            advance(exact_now());
        }
        auto wait = admit(*session);
        if (wait > Duration::zero()) {
            advance(exact_now());
            wait = admit(*session);
        }
        if (wait > Duration::zero()) {
            ++metrics_.rate_limited;
            return Error(errc::rate_limited, wait);
        }
        begin_request(*session);
        return session;
    }

    /// The same where the time is exact.
    [[nodiscard]] Result<Session*> acquire(const HashedId& id)
    {
        return acquire(id, [this] { return now_; });
    }

    /// The same for a weak lease, of which a session has `max_weak_leases` at most. The session is
    /// pinned until `release_weak`, but may be evicted like an idle one.
    [[nodiscard]] Result<Session*> acquire_weak(const HashedId& id);

    /// Gives a weak lease back. The session may have ended meanwhile, and another have its slot.
    void release_weak(std::uint32_t slot, SessionReference reference, TimePoint now);

    /// Begins the idle time of a session anew if it is still there and open.
    [[nodiscard]] bool touch(std::uint32_t slot, SessionReference reference);

    /// Sees to it that `unwatched` tells when this session has ended, or when nobody has a
    /// lease on it any more. False if that is so already. *Exceptions*: `bad_alloc`, and nothing
    /// has changed.
    [[nodiscard]] bool watch(std::uint32_t slot, SessionReference reference);

    /// Sees to it that `unwatched` tells when this session has ended; that costs the releases of
    /// leases nothing. False if it has ended already. *Exceptions*: `bad_alloc`, and nothing has
    /// changed.
    [[nodiscard]] bool follow(std::uint32_t slot, SessionReference reference);

    /// The slots of watched and of followed sessions that have ended, and of those that `watch`
    /// would not find any more. They are not watched now. One may be there twice. Clear it when it
    /// has been read.
    [[nodiscard]] std::vector<std::uint32_t>& unwatched() noexcept { return unwatched_; }

    [[nodiscard]] bool has_unwatched() const noexcept { return !unwatched_.empty(); }

    /// Tells of a session without touching it. *Errors*: `not_found`.
    [[nodiscard]] Result<SessionInfo> peek(const HashedId& id);

    /// Begins a session's idle time anew, as the end of a request does. *Errors*: `not_found`.
    [[nodiscard]] Result<SessionInfo> touch(const HashedId& id);

    /// Replaces a session's id, and its principal if one is given. The session stays what it was:
    /// deadlines, rate, leases, reference. If the new principal has as many sessions as it may, its
    /// least recently used idle one ends. *Errors*: `not_found`, `id_in_use`, `overloaded`.
    [[nodiscard]] Result<void>
    rotate(const HashedId& id, const HashedId& fresh, const std::optional<std::string>& principal);

    /// Ends a session, at once or with its last lease. *Errors*: `not_found`.
    [[nodiscard]] Result<void> remove(const HashedId& id);

    /// Ends up to `limit` sessions of a principal and returns how many. Those that were due already
    /// count too, but have expired.
    std::size_t remove_by_principal(std::string_view name, std::size_t limit);

    /// A session's attributes. *Errors*: `not_found`.
    [[nodiscard]] Result<AttributeSnapshot> snapshot(const HashedId& id);

    /// Replaces a session's attributes if their version is still the expected one, and returns the
    /// new version. *Errors*: `not_found`, `conflict`, `overloaded`.
    [[nodiscard]] Result<std::uint64_t>
    commit(const HashedId& id, std::uint64_t expected_version, const Attributes& data);

    // Frames. A session has them until it is found no more.

    [[nodiscard]] bool is_recording() const noexcept { return frames_.is_recording(); }

    /// Records a frame, unless that needs a larger ring: see `Recording`. Precondition:
    /// `is_recording`. *Errors*: `not_found`.
    [[nodiscard]] Result<void>
    record(std::uint32_t slot, SessionReference reference, Recording& recording);

    /// Fills a page with frames. *Errors*: `not_found`. *Exceptions*: as `FrameRing::read`.
    [[nodiscard]] Result<void> read_frames(
        std::uint32_t slot, SessionReference reference, const FrameQuery& query, FramePage& page
    );

    // All sessions, or those that a filter means. Each looks at no more than 4,096 slots, from slot
    // `from` on; `next_slot` says where to go on, or nothing once all slots have been seen. Those
    // that are due do not count.

    /// Up to `limit` sessions.
    struct Page {
        std::vector<SessionInfo> sessions;
        std::optional<std::uint32_t> next_slot;
    };

    [[nodiscard]] Page
    list(const SessionFilter& filter, std::uint32_t from, std::size_t limit) const;

    /// Where the session of this name is, if it is among these slots.
    struct Located {
        std::optional<std::uint32_t> slot;
        std::optional<std::uint32_t> next_slot;
    };

    [[nodiscard]] Located locate(SessionReference reference, std::uint32_t from) const;

    /// How many there are, or were.
    struct Sweep {
        std::optional<std::uint32_t> next_slot;
        std::size_t count = 0;
    };

    [[nodiscard]] Sweep count(const SessionFilter& filter, std::uint32_t from) const;

    /// Ends up to `batch` of them, as deleted.
    Sweep remove(const SessionFilter& filter, std::uint32_t from, std::size_t batch);

    /// Gives a lease back in a turn, as a `ReleaseList` does without one.
    void release(Session& session, TimePoint now) { settle_one(session, 1, now); }

    /// Ends sessions whose deadline has passed; looks at no more than `batch`. Returns whether more
    /// may be due.
    bool expire(std::size_t batch);

    /// When `expire` should be called next: no later than the first session is due, nor than one
    /// can be that is leased now and given back at any time. `TimePoint::max()` if that is never.
    [[nodiscard]] TimePoint next_deadline() const noexcept;

    /// Whether `next_deadline` may have become earlier than what it was, `before`. A cheap look: no
    /// turn brings a deadline nearer than the shortest timeout, but through the schedule.
    [[nodiscard]] bool may_be_due_before(TimePoint before) const noexcept
    {
        const auto shortest =
            metrics_.half_open > 0 ? std::min(idle_timeout_, half_open_timeout_) : idle_timeout_;
        return before > schedule_.next() || before > saturating_add(now_, shortest);
    }

    /// Refuses new sessions and requests from now on. A session that is leased ends, as drained,
    /// with its last lease; those that are idle stay until `end_idle`.
    void close() noexcept
    {
        closed_ = true;
        // Who waits for room waits in vain, and is told so when he asks.
        ++room_given_;
    }

    /// Ends up to `limit` sessions that nobody leases, and returns how many. Those that were due
    /// already count too, but have expired.
    std::size_t end_idle(std::size_t limit);

    /// The same, those that are due too, for this cause.
    Sweep end_all(std::uint32_t from, std::size_t batch, RemovalCause cause);

    /// Moves up to `limit` ended sessions out, in the order in which they ended. They count as
    /// pending until `delivered` says that their listener has returned.
    [[nodiscard]] std::vector<RemovedSession> take_departed(std::size_t limit);

    void delivered(std::size_t count) noexcept
    {
        metrics_.pending_removals -= count;
        capacity_->vacate(count);
        room_given_ += count;
    }

    /// Whether some ended session waits for `take_departed`.
    [[nodiscard]] bool has_departed() const noexcept { return !departed_.empty(); }

    /// Moves out what up to `limit` new sessions were when they were created, in that order. They
    /// count as pending until `announced` says that their listener has returned. Only if nobody is
    /// left here may those be taken that have departed: some of them may be the same.
    [[nodiscard]] std::vector<SessionInfo> take_arrived(std::size_t limit);

    void announced(std::size_t count) noexcept
    {
        metrics_.pending_creations -= count;
        capacity_->vacate(count);
        room_given_ += count;
    }

    /// Whether some new session waits for `take_arrived`.
    [[nodiscard]] bool has_arrived() const noexcept { return !arrived_.empty(); }

    /// Another number whenever somebody who was refused for want of room might find some now.
    [[nodiscard]] std::uint64_t room_given() const noexcept { return room_given_; }

    /// Whether a removal, or one who watches a session, is waiting for a lease to be given back, so
    /// that the one who gives it back should see to it at once.
    [[nodiscard]] bool awaits_release() const noexcept
    {
        return metrics_.closing > 0 || watched_ > 0 || (closed_ && metrics_.leased > 0);
    }

    /// The attributes, and frames, that sessions have left behind since the last time. To be
    /// dropped after the turn, as that frees them.
    [[nodiscard]] AttributeBin take_discarded() noexcept { return std::move(discarded_); }

    /// A leased session as it is now.
    [[nodiscard]] SessionInfo info(const Session& session) const;

    /// The counters; those of confinement are zero here.
    [[nodiscard]] const Metrics& metrics() const noexcept { return metrics_; }

    /// The time that `advance` set.
    [[nodiscard]] TimePoint now() const noexcept { return now_; }

    /// Looks at everything, O(n), and says what is inconsistent; nothing if all is well.
    [[nodiscard]] std::optional<std::string> check_invariants() const;

private:
    class Invariants;

    using RecencyList = boost::intrusive::list<
        Session,
        boost::intrusive::member_hook<Session, Session::ListHook, &Session::recency_hook>,
        boost::intrusive::constant_time_size<false>>;
    using HalfOpenList = PrincipalEntry::Sessions;

    /// The session with this id if it is alive at `now_`; one that is not is ended on the way.
    Session* find(const HashedId& id);

    /// When it is due if it lies idle from `from` on.
    [[nodiscard]] TimePoint idle_end(const Session& session, TimePoint from) const noexcept;
    [[nodiscard]] TimePoint used_until(const Session& session) const noexcept;
    [[nodiscard]] TimePoint deadline(const Session& session) const noexcept;

    [[nodiscard]] bool is_expired(const Session& session) const noexcept
    {
        return now_ >= deadline(session);
    }

    [[nodiscard]] static RemovalCause
    expiry_cause(const Session& session, TimePoint deadline) noexcept;

    [[nodiscard]] static SessionUse use_of(const Session& session) noexcept;
    [[nodiscard]] Duration idle_time(const Session& session) const noexcept;
    [[nodiscard]] bool is_meant(const Session& session, const SessionFilter& filter) const noexcept;
    template <class IsEnough, class Visit>
    [[nodiscard]] std::optional<std::uint32_t>
    walk(std::uint32_t from, IsEnough is_enough, Visit visit) const;

    [[nodiscard]] TimePoint next_half_open() const noexcept;
    [[nodiscard]] TimePoint next_idle() const noexcept;
    [[nodiscard]] TimePoint next_due() const noexcept;
    void look_at(Session& session);
    void look_at(const ExpiryEntry& entry);

    template <class Visit>
    void for_oldest(const Session* keep, Visit visit);
    [[nodiscard]] bool may_be_evicted(const Session& session) const noexcept;
    [[nodiscard]] static Session* oldest_idle(PrincipalEntry& entry) noexcept;
    void end_due_of(PrincipalEntry& entry);
    bool evict_one_of(PrincipalEntry& entry, Capacity::Place& place);
    bool evict(Session& victim, Capacity::Place& place);
    bool make_room_among_own(const PrincipalIndex::Hold& principal, Capacity::Place& place);
    bool make_common_room(const NewSession& fresh, Capacity::Place& place);
    /// A line of those who have arrived, for one who may be refused yet.
    class Arrival;
    Session* add(const NewSession& fresh, const PrincipalIndex::Hold& principal, Arrival& arrival);
    void arm(Session& session);

    Session* find_for_request(const HashedId& id);
    [[nodiscard]] Error refuse_busy() noexcept;
    [[nodiscard]] Session* open_session(std::uint32_t slot, SessionReference reference) noexcept;
    [[nodiscard]] Session* live_session(std::uint32_t slot, SessionReference reference);
    void use_now(Session& session) noexcept;
    void watch(Session& session);
    void unwatch(Session& session) noexcept;
    void unfollow(Session& session) noexcept;
    void make_room_to_tell();

    [[nodiscard]] Duration admit(Session& session) const noexcept
    {
        const auto limiter = session.has_own_rate ? RateLimiter(session.own_rate) : limiter_;
        return limiter.admit(session.theoretical_arrival, now_);
    }

    void begin_request(Session& session) noexcept;
    void lease(Session& session) noexcept;
    void settle_unlisted(Session& session);
    void settle_one(Session& session, std::uint32_t count, TimePoint released_at);
    void note_use(Session& session, TimePoint moment) noexcept;
    void rest(Session& session) noexcept;
    void establish(Session& session) noexcept;

    // `heir` is the place that the session ends for, if it does for one.

    bool end_if_due(Session& session, Capacity::Place* heir = nullptr);
    void end(Session& session, RemovalCause cause, Capacity::Place* heir = nullptr);
    void end_as_drained(Session& session);
    void depart(Session& session, Capacity::Place* heir = nullptr);
    void vacate(Session& session) noexcept;
    void transition(Session& session, SessionState to, Capacity::Place* heir = nullptr) noexcept;

    // What every request writes, on one line, which begins the table.

    TimePoint now_ = TimePoint::min();
    /// The latest moment at which a session is known to have been used.
    TimePoint latest_use_ = TimePoint::min();
    // Who is idle: the elders, then the recency list, are all sessions that nobody leases, the one
    // whose last request finished longest ago first. So the front of the recency list is the next
    // to lie idle for the service's idle timeout, and no schedule is needed for that. One that has
    // and may do so for longer moves on to the elders.
    RecencyList recency_;
    /// Attributes and frames that no session has any more.
    AttributeBin discarded_;
    Metrics metrics_;

    static constexpr std::size_t line_before_metrics =
        2 * sizeof(TimePoint) + sizeof(RecencyList) + sizeof(AttributeBin);
    static_assert(
        line_before_metrics + offsetof(Metrics, leased) + sizeof(std::uint64_t) <= 64,
        "what every request changes of the metrics comes first there, and lies on the line"
    );

    // And what it does not.

    alignas(64) RecencyList elders_;
    const std::shared_ptr<Capacity> capacity_;
    const Limits limits_;
    const Duration idle_timeout_;
    const Duration half_open_timeout_;
    const RateLimiter limiter_;
    const std::size_t max_leases_;
    const std::size_t principal_bound_;
    const Duration eviction_grace_;
    const WhenFull when_full_;
    const std::size_t reclaim_batch_;
    const OnDeparture on_departure_;
    const OnArrival on_arrival_;
    bool closed_ = false;

    const SessionIdHash hash_;
    SessionSlab slab_;
    SessionIndex index_;

    /// Those who are idle and wait for their first request, the one that has waited longest first.
    HalfOpenList half_open_;
    /// Sessions that have ended and whose listener has yet to be told, in order.
    RecencyList departed_;
    /// Those that were created, the same.
    std::deque<SessionInfo> arrived_;
    PrincipalIndex principals_;
    std::uint64_t room_given_ = 0;
    Shortage shortage_ = Shortage::common;

    // Who is watched, and who is not any more and has not been told of. There is always room for
    // the former to become the latter.
    std::size_t watched_ = 0;
    std::size_t followed_ = 0;
    std::vector<std::uint32_t> unwatched_;

    FrameStore frames_;

    /// All other deadlines: lifetimes, and idle timeouts of a session's own.
    ExpirySchedule schedule_;
};

} // namespace sojourn

#endif // SOJOURN_CORE_SESSION_TABLE_HPP

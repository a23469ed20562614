/// @file
/// What a session table promises, written down as simply as possible: a map that is searched from
/// end to end, counters that are counted anew each time, and a leaky bucket for the rate. It knows
/// nothing of schedules, recency lists, slots or hashes.
///
/// Where the promise leaves the table a choice (which of the expired sessions a bounded cleanup
/// ends), the model is told what the table chose, and says whether it may.

#ifndef SOJOURN_TESTS_MODEL_NAIVE_TABLE_HPP
#define SOJOURN_TESTS_MODEL_NAIVE_TABLE_HPP

#include "sojourn/core/error.hpp"
#include "sojourn/core/frame.hpp"
#include "sojourn/core/metrics.hpp"
#include "sojourn/core/rate_limit.hpp"
#include "sojourn/core/service_options.hpp"
#include "sojourn/core/session_filter.hpp"
#include "sojourn/core/session_info.hpp"
#include "sojourn/core/time.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sojourn::model {

/// The table did what it must not, or the reverse.
class Mismatch : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Throws `Mismatch` unless the condition holds.
void require(bool condition, const char* what);

/// Names one session for the whole of a run, whatever its id; also its reference.
using Key = std::uint64_t;

struct NaiveFrame {
    std::uint64_t sequence = 0;
    std::uint32_t stream = 0;
    std::string payload;

    [[nodiscard]] std::size_t bytes() const { return payload.size() + Frame::overhead; }
};

struct NaiveSession {
    std::string id;
    std::string principal;
    WallTime created;
    TimePoint last_used;
    TimePoint lifetime_end;
    Duration idle_timeout{};
    /// Its own, if not the service's.
    std::optional<RateLimit> request_rate;
    /// The bucket: how much was in it, and when.
    Duration level{};
    TimePoint level_at;
    std::uint64_t requests = 0;
    std::uint32_t leases = 0;
    std::uint32_t weak_leases = 0;
    bool is_watched = false;
    bool is_followed = false;
    std::uint32_t returned = 0;
    TimePoint returned_at = TimePoint::min();
    Attributes data;
    std::uint64_t version = 1;
    /// Larger for one that began to lie idle, or was touched, later.
    std::uint64_t recency = 0;
    bool is_half_open = false;
    bool is_closing = false;
    RemovalCause cause{};
    std::vector<NaiveFrame> frames;
    std::uint64_t frames_recorded = 0;
    std::uint64_t frames_dropped = 0;

    [[nodiscard]] bool is_pinned() const { return leases > 0 || weak_leases > 0; }
};

/// A session that ended and of which nobody was told. Those that ended in one operation are of one
/// group, and may be told in any order.
struct NaiveDeparture {
    std::uint64_t group = 0;
    RemovedSession session;
};

class NaiveTable {
public:
    /// Whether the table still finds the session.
    using IsOpen = std::function<bool(Key)>;

    NaiveTable(
        const ServiceOptions& options,
        std::size_t capacity,
        std::size_t max_pending,
        bool keeps_departed
    );

    // A turn: time, and the leases that came back since the last one.
    void begin_turn(TimePoint now);
    void give_back(Key key, TimePoint now);
    /// The same in a turn.
    void release(Key key, TimePoint now);

    /// `is_made`: whether the table found room, where it may have stopped to look for some.
    [[nodiscard]] Error
    create(Key key, NaiveSession fresh, Duration lifetime, const IsOpen& is_open, bool is_made);
    [[nodiscard]] Result<Key> acquire(const std::string& id);
    [[nodiscard]] Result<Key> acquire_weak(const std::string& id);
    void release_weak(Key key, TimePoint now);
    /// By who has it, whatever its id.
    [[nodiscard]] bool touch(Key key);
    [[nodiscard]] bool watch(Key key);
    [[nodiscard]] bool follow(Key key);
    /// The frame's number; nothing if the session is not found.
    [[nodiscard]] std::optional<std::uint64_t> record(Key key, NaiveFrame frame);
    /// For the frames that it has.
    [[nodiscard]] const NaiveSession* find_by_key(Key key);

    [[nodiscard]] bool is_watched() const
    {
        return std::ranges::any_of(sessions_, [](const auto& entry) {
            return entry.second.is_watched;
        });
    }

    /// Whose watch ended since the last time.
    [[nodiscard]] std::set<Key> take_unwatched() { return std::exchange(unwatched_, {}); }

    /// For what peeks only.
    [[nodiscard]] const NaiveSession* find(const std::string& id);
    [[nodiscard]] const NaiveSession* touch(const std::string& id);
    [[nodiscard]] Error rotate(
        const std::string& id,
        const std::string& fresh,
        const std::optional<std::string>& principal,
        const IsOpen& is_open
    );
    [[nodiscard]] Error remove(const std::string& id);
    [[nodiscard]] Result<std::uint64_t> commit(
        const std::string& id,
        std::uint64_t expected,
        Attributes data,
        const IsOpen& is_open,
        bool is_made
    );

    void close() { is_closed_ = true; }

    [[nodiscard]] bool is_closed() const { return is_closed_; }

    // What the table chose, checked and taken over.
    void remove_by_principal(
        const std::string& name, std::size_t limit, std::size_t ended, const IsOpen& is_open
    );
    void expire(std::size_t batch, bool is_more_due, const IsOpen& is_open);
    void end_idle(std::size_t limit, std::size_t ended, const IsOpen& is_open);
    void end_all(
        std::size_t batch,
        std::size_t ended,
        bool is_whole,
        RemovalCause cause,
        const IsOpen& is_open
    );
    void remove(
        const SessionFilter& filter,
        std::size_t batch,
        std::size_t ended,
        bool is_whole,
        const IsOpen& is_open
    );
    void take_departed(const std::vector<RemovedSession>& taken, std::size_t limit);

    void delivered(std::size_t count) { pending_ -= count; }

    [[nodiscard]] SessionInfo info(Key key) const;
    /// Those that a filter means.
    [[nodiscard]] std::set<Key> meant(const SessionFilter& filter) const;
    [[nodiscard]] Metrics metrics() const;

    [[nodiscard]] bool is_expired(const NaiveSession& session) const
    {
        return now_ >= deadline(session);
    }

    [[nodiscard]] TimePoint deadline(const NaiveSession& session) const;

    [[nodiscard]] TimePoint now() const { return now_; }

    [[nodiscard]] const std::map<Key, NaiveSession>& sessions() const { return sessions_; }

    [[nodiscard]] bool has_departed() const { return !departed_.empty(); }

private:
    using Place = std::map<Key, NaiveSession>::iterator;

    void end_as_drained(Key key);
    void settle(Key key, std::uint32_t count, TimePoint returned_at);
    [[nodiscard]] Result<Place> find_for_request(const std::string& id);
    [[nodiscard]] Error admit(NaiveSession& session);
    void use(NaiveSession& session, TimePoint moment);
    void unwatch(Key key);
    /// Open, and not due.
    Place look_up(Key key);
    [[nodiscard]] std::size_t frame_bytes() const;
    void drop_oldest_frame(NaiveSession& session);
    void note_use(NaiveSession& session, TimePoint moment);
    Place look_up(const std::string& id);
    /// The open sessions that the table finds no longer.
    std::vector<Key> vanished(const IsOpen& is_open) const;
    [[nodiscard]] std::vector<Key> expired() const;
    [[nodiscard]] std::vector<Key> least_recent() const;
    [[nodiscard]] std::vector<Key> longest_waiting() const;
    [[nodiscard]] TimePoint idle_end(const NaiveSession& session, TimePoint from) const;
    [[nodiscard]] RemovalCause expiry_cause(const NaiveSession& session) const;

    // Who makes room. The table chooses, and what it chose is explained here.

    void take_over_ended(const IsOpen& is_open);
    void explain_the_rest();
    [[nodiscard]] bool evicts(const std::vector<Key>& candidates);
    [[nodiscard]] bool make_room(const NaiveSession& fresh, bool is_made);
    [[nodiscard]] bool make_room_among_own(const std::string& principal);
    [[nodiscard]] bool needs_half_open_room() const;
    [[nodiscard]] bool make_byte_room(std::size_t bytes, const NaiveSession* keep, bool is_made);

    [[nodiscard]] bool has_untold_bytes() const;
    [[nodiscard]] bool may_go(const NaiveSession& session) const;
    [[nodiscard]] std::vector<Key> least_recent_with_bytes(const NaiveSession* keep) const;

    /// Whether the table looks at all that are due before it evicts.
    [[nodiscard]] bool is_reclaim_whole() const { return options_.cleanup_batch() > 1000; }

    void end(Key key, RemovalCause cause);
    void depart(Key key);

    const ServiceOptions options_;
    const std::size_t capacity_;
    const std::size_t max_pending_;
    const bool keeps_departed_;

    TimePoint now_ = TimePoint::min();
    TimePoint latest_use_ = TimePoint::min();
    bool is_closed_ = false;
    /// Those that are live: open or closing.
    std::map<Key, NaiveSession> sessions_;
    std::vector<Key> returned_;
    std::set<Key> unwatched_;
    std::vector<NaiveDeparture> departed_;
    /// Evicted in this operation, and not explained yet.
    std::vector<Key> evicted_;
    /// Of those that expired: the recency of the latest.
    std::uint64_t latest_expired_ = 0;
    std::uint64_t group_ = 0;
    std::uint64_t recency_ = 0;
    std::uint64_t pending_ = 0;
    /// Only those counters that cannot be counted anew.
    Metrics history_;
};

} // namespace sojourn::model

#endif // SOJOURN_TESTS_MODEL_NAIVE_TABLE_HPP

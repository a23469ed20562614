// The table against a naive model of it: the same random operations on both, and everything that
// can be seen from outside compared after each. Time moves in nanoseconds and likes to stop exactly
// at a deadline, one before and one after. A failure names its seed; SOJOURN_TEST_SEED=n replays
// it.

#include "naive_table.hpp"
#include "sojourn/core/session_table.hpp"
#include "sojourn/core/siphash.hpp"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace sojourn::model {
namespace {

class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}

    /// A number from `least` to `most`.
    template <class Number>
    Number pick(Number least, Number most)
    {
        return std::uniform_int_distribution<Number>(least, most)(engine_);
    }

    Duration pick(Duration least, Duration most)
    {
        return Duration(pick(least.count(), most.count()));
    }

    /// True once in `times`.
    bool one_in(int times) { return pick(1, times) == 1; }

    template <class Range>
    auto& choose(Range& range)
    {
        return *std::next(std::begin(range), pick<std::ptrdiff_t>(0, std::ssize(range) - 1));
    }

private:
    std::mt19937_64 engine_;
};

/// The shape of one run: every bound is small at times, so that it is met.
struct Shape {
    explicit Shape(Random& random)
    {
        capacity = random.choose(capacities);
        max_pending = random.choose(pendings);
        keeps_departed = !random.one_in(4);
        const Duration scale(capacity > 10 ? 20 : 1);
        options.idle_timeout(scale * random.pick(20, 200))
            .absolute_lifetime(scale * random.pick(100, 1500))
            .half_open_timeout(scale * random.pick(5, 100))
            .when_full(random.one_in(3) ? WhenFull::reject : WhenFull::evict_idle)
            .max_half_open(random.one_in(2) ? random.pick<std::size_t>(1, capacity) : capacity)
            .eviction_grace(random.one_in(2) ? Duration(0) : scale * random.pick(1, 40))
            .cleanup_batch(random.choose(batches))
            .max_in_flight_per_session(random.one_in(2) ? 100 : random.pick<std::size_t>(1, 3))
            .request_rate(
                random.one_in(3) ? RateLimit::unlimited()
                                 : RateLimit(random.choose(rates), random.pick<std::uint32_t>(1, 4))
            );
        bound_more(random);
    }

    /// Those that are seldom met at once.
    void bound_more(Random& random)
    {
        options.max_sessions_per_principal(std::nullopt).max_total_attribute_bytes(std::nullopt);
        if (random.one_in(3)) {
            options.max_sessions_per_principal(random.pick<std::size_t>(1, 4));
        }
        if (random.one_in(3)) {
            options.max_total_attribute_bytes(random.pick<std::size_t>(100, 100 * capacity + 100));
        }
        if (!random.one_in(4)) {
            const auto each = Frame::overhead + 100;
            options.max_frames_per_session(random.choose(frame_counts))
                .max_frame_bytes_per_session(random.pick<std::size_t>(100, 12 * each))
                .max_frame_bytes(random.pick<std::size_t>(each, capacity * 6 * each));
        }
    }

    static constexpr std::array<std::size_t, 7> capacities = {1, 2, 3, 5, 8, 40, 150};
    static constexpr std::array<std::size_t, 3> pendings = {1, 5, 100'000};
    static constexpr std::array<std::size_t, 4> batches = {1, 4, 10'000, 10'000};
    static constexpr std::array<std::size_t, 4> frame_counts = {1, 3, 9, 40};
    static constexpr std::array<std::uint32_t, 3> rates = {1'000'000, 20'000'000, 300'000'000};

    ServiceOptions options;
    std::size_t capacity = 0;
    std::size_t max_pending = 0;
    bool keeps_departed = true;
};

class Run {
public:
    explicit Run(std::uint64_t seed)
        : random_(seed),
          shape_(random_),
          table_(
              shape_.options,
              shape_.capacity,
              shape_.max_pending,
              hash_key,
              shape_.keeps_departed ? OnDeparture::keep : OnDeparture::forget
          ),
          model_(shape_.options, shape_.capacity, shape_.max_pending, shape_.keeps_departed)
    {
        for (std::size_t i = 0; i < 2 * shape_.capacity + 6; ++i) {
            // Some too long to be stored in place.
            ids_.push_back("id" + std::to_string(i) + std::string(i % 5 == 0 ? 60 : 0, 'x'));
        }
        table_.advance(now_);
        model_.begin_turn(now_);
    }

    /// What went wrong, or "".
    std::string go(int steps)
    {
        int step = 0;
        try {
            for (; step < steps; ++step) {
                if (step == steps - steps / 20 && random_.one_in(2)) {
                    table_.close();
                    model_.close();
                }
                begin_turn();
                operate();
                compare(step % 64 == 0);
            }
            finish();
        } catch (const Mismatch& mismatch) {
            return "step " + std::to_string(step) + ", " + operation_ + ": " + mismatch.what();
        }
        return "";
    }

    [[nodiscard]] const Metrics& metrics() const { return table_.metrics(); }

    /// Watches that ended.
    [[nodiscard]] std::size_t unwatched() const { return unwatched_; }

private:
    static constexpr HashKey hash_key{5, 7};
    static constexpr std::array<const char*, 4> principals = {
        "ada", "eve", "bob", "a principal with a long name"
    };

    struct Lease {
        Key key = 0;
        Session* session = nullptr;
    };

    struct WeakLease {
        Key key = 0;
        std::uint32_t slot = 0;
        SessionReference reference;
    };

    // Time and leases

    void begin_turn()
    {
        now_ = next_moment();
        operation_ = "begin_turn";
        table_.advance(now_);
        table_.settle(releases_);
        model_.begin_turn(now_);
        require(table_.now() == model_.now(), "another time");
    }

    TimePoint next_moment()
    {
        switch (random_.pick(0, 19)) {
        case 0:
            return now_ - random_.pick(Duration(0), Duration(50));
        case 1:
        case 2:
            return model_.now() + random_.pick(Duration(0), Duration(100));
        case 3:
            return model_.now() + random_.pick(Duration(0), shape_.options.half_open_timeout());
        case 4:
        case 5:
        case 6: {
            // Exactly a deadline, one nanosecond before, or one after.
            if (model_.sessions().empty()) {
                return model_.now();
            }
            const auto& session = random_.choose(model_.sessions()).second;
            const auto soon = model_.now() + shape_.options.idle_timeout() / 4;
            const auto deadline = model_.deadline(session);
            return (deadline <= soon || random_.one_in(6) ? deadline : soon) +
                   Duration(random_.pick(-1, 1));
        }
        case 7:
            return random_.one_in(30) ? model_.now() + 2 * shape_.options.absolute_lifetime()
                                      : model_.now();
        default:
            return model_.now() + random_.pick(Duration(0), Duration(3));
        }
    }

    void hold(Key key, Session* session) { leases_.push_back({key, session}); }

    void give_back_some()
    {
        operation_ = "give_back";
        const auto count = random_.pick<std::size_t>(1, 4);
        for (std::size_t i = 0; i < count && !leases_.empty(); ++i) {
            auto& chosen = random_.choose(leases_);
            // The one who gives back reads the clock on its own, and may be a little ahead.
            const auto released_at = model_.now() + random_.pick(Duration(0), Duration(3));
            if (random_.one_in(2)) {
                table_.release(*chosen.session, released_at);
                model_.release(chosen.key, released_at);
            } else {
                require(
                    !releases_.give_back(*chosen.session, released_at),
                    "somebody waits who should not"
                );
                model_.give_back(chosen.key, released_at);
            }
            std::swap(chosen, leases_.back());
            leases_.pop_back();
        }
    }

    void acquire_weak()
    {
        operation_ = "acquire_weak";
        const auto id = likely_id();
        const auto session = table_.acquire_weak(hashed(id));
        const auto expected = model_.acquire_weak(id);
        require(session.error() == expected.error(), "another error or retry_after");
        if (session) {
            require(*session == nodes_.at(*expected), "another session");
            weak_leases_.push_back({*expected, (*session)->slot, (*session)->reference});
            compare_info(*expected, table_.info(**session));
        }
    }

    void release_weak()
    {
        operation_ = "release_weak";
        if (weak_leases_.empty()) {
            return;
        }
        auto& chosen = random_.choose(weak_leases_);
        const auto released_at = model_.now() + random_.pick(Duration(0), Duration(3));
        table_.release_weak(chosen.slot, chosen.reference, released_at);
        model_.release_weak(chosen.key, released_at);
        std::swap(chosen, weak_leases_.back());
        weak_leases_.pop_back();
    }

    void touch_weak()
    {
        operation_ = "touch by a weak lease";
        if (!weak_leases_.empty()) {
            const auto& chosen = random_.choose(weak_leases_);
            require(
                table_.touch(chosen.slot, chosen.reference) == model_.touch(chosen.key),
                "found, or not"
            );
        }
    }

    void watch()
    {
        operation_ = "watch";
        if (!weak_leases_.empty() && random_.one_in(2)) {
            const auto& chosen = random_.choose(weak_leases_);
            require(
                table_.watch(chosen.slot, chosen.reference) == model_.watch(chosen.key),
                "watched, or not"
            );
        } else if (!leases_.empty()) {
            const auto& chosen = random_.choose(leases_);
            require(
                table_.watch(chosen.session->slot, chosen.session->reference) ==
                    model_.watch(chosen.key),
                "watched, or not"
            );
        }
    }

    // Frames, of sessions that live or have ended.

    [[nodiscard]] bool is_recording() const { return shape_.options.max_frames_per_session() > 0; }

    void follow()
    {
        operation_ = "follow";
        if (!slots_.empty()) {
            const auto key = likely_key();
            require(
                table_.follow(slot_of(key), SessionReference(key)) == model_.follow(key),
                "followed, or not"
            );
        }
    }

    void record()
    {
        operation_ = "record";
        if (slots_.empty() || !is_recording()) {
            return;
        }
        const auto key = likely_key();
        NaiveFrame frame;
        frame.stream = random_.pick<std::uint32_t>(0, 2);
        frame.payload = std::string(random_.pick<std::size_t>(0, 300), 'x');
        Recording recording;
        recording.frame = std::make_shared<KeptFrame>(
            Frame(FrameDirection::to_client, frame.payload, frame.stream, WallTime())
        );
        const auto once = [&] {
            return table_.record(slot_of(key), SessionReference(key), recording);
        };
        auto recorded = once();
        if (recorded && recording.lacking_room > 0) {
            recording.ring = std::make_unique<FrameRing>(recording.lacking_room);
            recorded = once();
        }
        const auto expected = model_.record(key, frame);
        require(recorded.has_value() == expected.has_value(), "recorded, or not");
        require(!expected || recording.sequence == *expected, "another number");
    }

    void read_frames()
    {
        operation_ = "read_frames";
        if (slots_.empty()) {
            return;
        }
        const auto key = likely_key();
        FrameQuery query;
        query.after(random_.pick<std::uint64_t>(0, 60)).limit(random_.pick<std::size_t>(1, 8));
        if (random_.one_in(2)) {
            query.stream(random_.pick<std::uint32_t>(0, 2));
        }
        FramePage page;
        const auto read = table_.read_frames(slot_of(key), SessionReference(key), query, page);
        const auto* const session = model_.find_by_key(key);
        require(read.has_value() == (session != nullptr), "found, or not");
        if (session != nullptr) {
            compare_page(page, *session, query);
        }
    }

    static void
    compare_page(const FramePage& page, const NaiveSession& session, const FrameQuery& query)
    {
        require(page.newest == session.frames_recorded, "another newest frame");
        require(page.dropped == session.frames_dropped, "another number of dropped frames");
        const auto first =
            session.frames.empty() ? session.frames_recorded + 1 : session.frames.front().sequence;
        require(page.first_kept == first, "another first frame");
        std::size_t found = 0;
        auto next = std::max(session.frames_recorded, query.after());
        for (const auto& frame : session.frames) {
            if (frame.sequence <= query.after()) {
                continue;
            }
            if (found == query.limit()) {
                next = frame.sequence - 1;
                break;
            }
            if (query.stream().value_or(frame.stream) != frame.stream) {
                continue;
            }
            require(found < page.frames.size(), "a frame is missing");
            const auto& read = *page.frames[found++];
            require(read.sequence == frame.sequence, "another frame");
            require(read.stream == frame.stream, "another stream");
            require(read.payload == frame.payload, "another payload");
        }
        require(page.frames.size() == found, "a frame too many");
        require(page.next == next, "another place to go on");
    }

    /// Rather of one that lives.
    Key likely_key()
    {
        if (model_.sessions().empty() || random_.one_in(5)) {
            return random_.pick<Key>(1, next_key_);
        }
        return random_.choose(model_.sessions()).first;
    }

    /// Some slot, if the session never was.
    [[nodiscard]] std::uint32_t slot_of(Key key) const
    {
        const auto known = slots_.find(key);
        return known == slots_.end() ? 0 : known->second;
    }

    // Operations

    void operate()
    {
        switch (random_.pick(0, 42)) {
        case 36:
            follow();
            break;
        case 37:
        case 38:
        case 39:
        case 40:
            record();
            break;
        case 41:
        case 42:
            read_frames();
            break;
        case 30:
        case 31:
            acquire_weak();
            break;
        case 32:
            touch_weak();
            break;
        case 33:
            release_weak();
            break;
        case 34:
        case 35:
            watch();
            break;
        case 0:
        case 1:
        case 2:
        case 3:
        case 4:
        case 5:
            create();
            break;
        case 6:
        case 7:
        case 8:
        case 9:
        case 10:
            acquire();
            break;
        case 11:
        case 12:
        case 13:
        case 14:
        case 15:
        case 16:
            give_back_some();
            break;
        case 17:
            peek();
            break;
        case 18:
        case 19:
            touch();
            break;
        case 20:
        case 21:
            rotate();
            break;
        case 22:
        case 23:
            remove();
            break;
        case 24:
            remove_by_principal();
            break;
        case 25:
            commit();
            break;
        case 26:
            expire();
            break;
        case 27:
            end_some();
            break;
        default:
            take_departed();
            break;
        }
    }

    const std::string& any_id() { return random_.choose(ids_); }

    /// Rather one that exists.
    std::string likely_id()
    {
        if (model_.sessions().empty() || random_.one_in(5)) {
            return any_id();
        }
        return random_.choose(model_.sessions()).second.id;
    }

    static HashedId hashed(const std::string& id)
    {
        return SessionIdHash(hash_key).hashed(SessionId::parse(id).value());
    }

    std::string any_principal() { return random_.one_in(2) ? "" : random_.choose(principals); }

    SessionFilter any_filter()
    {
        constexpr std::array uses{SessionUse::in_use, SessionUse::idle, SessionUse::half_open};
        SessionFilter filter;
        if (random_.one_in(3)) {
            filter.principal(any_principal());
        }
        if (random_.one_in(3)) {
            filter.use(random_.choose(uses));
        }
        if (random_.one_in(3)) {
            filter.idle_for(random_.pick(-Duration(10), shape_.options.idle_timeout()));
        }
        if (random_.one_in(10)) {
            filter.reference(SessionReference(random_.pick<Key>(0, next_key_)));
        }
        return filter;
    }

    Attributes any_attributes()
    {
        const std::string tail(random_.one_in(2) ? 0 : random_.pick<std::size_t>(0, 200), 'x');
        return {{"key", std::to_string(next_key_) + tail}};
    }

    [[nodiscard]] bool is_open(Key key) const
    {
        // The slot may be another session's by now.
        const auto* const session = nodes_.at(key);
        return session->reference == SessionReference(key) && session->is_open();
    }

    [[nodiscard]] NaiveTable::IsOpen sight() const
    {
        return [this](Key key) { return is_open(key); };
    }

    void create()
    {
        operation_ = "create";
        const Key key = ++next_key_;
        auto idle = shape_.options.idle_timeout();
        auto lifetime = shape_.options.absolute_lifetime();
        if (random_.one_in(4)) {
            idle = random_.pick(idle / 4, 4 * idle);
        }
        if (random_.one_in(4)) {
            lifetime = random_.pick(lifetime / 4, 2 * lifetime);
        }
        NaiveSession session;
        session.id = any_id();
        session.principal = any_principal();
        session.created = WallTime(std::chrono::microseconds(key));
        session.idle_timeout = idle;
        session.data = any_attributes();
        if (random_.one_in(4)) {
            session.request_rate = random_.one_in(2) ? RateLimit::unlimited()
                                                     : RateLimit(random_.choose(Shape::rates), 2);
        }

        const NewSession fresh{
            .id = hashed(session.id),
            .reference = SessionReference(key),
            .principal = session.principal,
            .attributes = session.data,
            .idle_timeout = idle,
            .absolute_lifetime = lifetime,
            .created = session.created,
            .request_rate = session.request_rate,
        };
        const auto made = table_.create(fresh);
        const auto expected = model_.create(key, session, lifetime, sight(), made.has_value());
        require(made.error().code() == expected.code(), "another outcome");
        if (made) {
            nodes_[key] = *made;
            slots_[key] = (*made)->slot;
            hold(key, *made);
            compare_info(key, table_.info(**made));
        } else {
            const bool is_hopeful = made.error() == errc::overloaded;
            require(
                (made.error().retry_after() > Duration::zero()) == is_hopeful, "another retry_after"
            );
        }
    }

    void acquire()
    {
        operation_ = "acquire";
        const auto id = likely_id();
        const auto session = table_.acquire(hashed(id));
        const auto expected = model_.acquire(id);
        require(session.has_value() == expected.has_value(), "found, or not");
        require(session.error() == expected.error(), "another error or retry_after");
        if (session) {
            require(*session == nodes_.at(*expected), "another session");
            hold(*expected, *session);
            compare_info(*expected, table_.info(**session));
        }
    }

    void peek()
    {
        operation_ = "peek";
        const auto id = likely_id();
        const auto info = table_.peek(hashed(id));
        compare_found(info, model_.find(id));
        const auto snapshot = table_.snapshot(hashed(id));
        require(snapshot.has_value() == info.has_value(), "a snapshot of nobody, or the reverse");
        require(!snapshot || snapshot->version == info->attributes.version, "another version");
    }

    void touch()
    {
        operation_ = "touch";
        const auto id = likely_id();
        compare_found(table_.touch(hashed(id)), model_.touch(id));
    }

    void rotate()
    {
        operation_ = "rotate";
        const auto id = likely_id();
        const auto& fresh = any_id();
        std::optional<std::string> principal;
        if (random_.one_in(2)) {
            principal = any_principal();
        }
        const auto result = table_.rotate(hashed(id), hashed(fresh), principal);
        const auto expected = model_.rotate(id, fresh, principal, sight());
        require(result.error().code() == expected.code(), "another outcome");
    }

    void remove()
    {
        operation_ = "remove";
        const auto id = likely_id();
        require(table_.remove(hashed(id)).error() == model_.remove(id), "another outcome");
    }

    void remove_by_principal()
    {
        operation_ = "remove_by_principal";
        if (!random_.one_in(4)) {
            return remove();
        }
        if (random_.one_in(2)) {
            return remove_some();
        }
        const auto name = any_principal();
        const auto limit = random_.pick<std::size_t>(0, 10);
        const auto ended = table_.remove_by_principal(name, limit);
        model_.remove_by_principal(name, limit, ended, sight());
    }

    void remove_some()
    {
        operation_ = "remove by a filter";
        const auto filter = any_filter();
        const auto batch = random_.one_in(2) ? random_.pick<std::size_t>(0, 5) : 1000;
        const auto sweep = table_.remove(filter, 0, batch);
        model_.remove(filter, batch, sweep.count, !sweep.next_slot, sight());
    }

    void commit()
    {
        operation_ = "commit";
        const auto id = likely_id();
        const auto expected = random_.pick<std::uint64_t>(1, 3);
        const auto data = any_attributes();
        const auto version = table_.commit(hashed(id), expected, data);
        const auto known = model_.commit(id, expected, data, sight(), version.has_value());
        require(version.error().code() == known.error().code(), "another outcome");
        require(!version || *version == *known, "another version");
    }

    void expire()
    {
        operation_ = "expire";
        const auto batch = random_.one_in(2) ? random_.pick<std::size_t>(0, 5) : 1000;
        const bool is_more_due = table_.expire(batch);
        model_.expire(batch, is_more_due, sight());
    }

    void end_some()
    {
        if (!random_.one_in(20)) {
            return touch();
        }
        const auto batch = random_.one_in(2) ? random_.pick<std::size_t>(0, 5) : 1000;
        if (random_.one_in(2)) {
            operation_ = "end_idle";
            const auto ended = table_.end_idle(batch);
            return model_.end_idle(batch, ended, sight());
        }
        operation_ = "end_all";
        const auto cause = random_.one_in(2) ? RemovalCause::drained : RemovalCause::deleted;
        const auto sweep = table_.end_all(0, batch, cause);
        model_.end_all(batch, sweep.count, !sweep.next_slot, cause, sight());
    }

    void take_departed()
    {
        operation_ = "take_departed";
        const auto limit = random_.pick<std::size_t>(0, 20);
        const auto taken = table_.take_departed(limit);
        model_.take_departed(taken, limit);
        taken_ += taken.size();
        // Their listeners return later, and not all at once.
        const auto delivered = random_.pick<std::size_t>(0, taken_);
        taken_ -= delivered;
        table_.delivered(delivered);
        model_.delivered(delivered);
    }

    // Comparison

    void compare_found(const Result<SessionInfo>& info, const NaiveSession* expected)
    {
        require(info.has_value() == (expected != nullptr), "found, or not");
        if (info) {
            const auto key = info->reference.value();
            require(&model_.sessions().at(key) == expected, "another session");
            compare_info(key, *info);
        } else {
            require(info.error() == Error(errc::not_found), "another error");
        }
    }

    void compare_info(Key key, const SessionInfo& info)
    {
        const auto expected = model_.info(key);
        require(info.reference == expected.reference, "another reference");
        require(info.principal_text() == expected.principal_text(), "another principal");
        require(info.created == expected.created, "another time of creation");
        require(info.use == expected.use, "another use");
        require(info.idle_for == expected.idle_for, "another idle time");
        require(info.streams == expected.streams, "another number of streams");
        require(info.idle_timeout == expected.idle_timeout, "another idle timeout");
        require(info.expires_in == expected.expires_in, "another expires_in");
        require(info.requests == expected.requests, "another number of requests");
        require(info.leases == expected.leases, "another number of leases");
        require(info.attributes.data == expected.attributes.data, "other attributes");
        require(info.attributes.version == expected.attributes.version, "another version");
    }

    void compare(bool thoroughly)
    {
        const auto metrics = model_.metrics();
        require(table_.metrics() == metrics, "other metrics");
        require(metrics.ledger_holds(), "the ledger does not hold");
        require(metrics.live <= shape_.capacity, "more sessions than the capacity");
        require(table_.has_departed() == model_.has_departed(), "departed, or not");
        require(
            table_.awaits_release() == (metrics.closing > 0 || model_.is_watched() ||
                                        (model_.is_closed() && metrics.leased > 0)),
            "awaits a release, or not"
        );
        const auto next = table_.next_deadline();
        for (const auto& [key, session] : model_.sessions()) {
            if (!session.is_closing) {
                require(is_open(key), "a session is gone");
                require(
                    next <= std::max(model_.now(), model_.deadline(session)),
                    "cleanup would come too late"
                );
            }
        }
        compare_unwatched();
        if (thoroughly) {
            if (const auto fault = table_.check_invariants()) {
                throw Mismatch(*fault);
            }
            compare_list();
        }
    }

    void compare_unwatched()
    {
        const auto expected = model_.take_unwatched();
        std::set<std::uint32_t> slots;
        for (const auto key : expected) {
            slots.insert(slots_.at(key));
        }
        const std::set<std::uint32_t> told(table_.unwatched().begin(), table_.unwatched().end());
        require(told == slots, "other watches ended");
        unwatched_ += expected.size();
        table_.unwatched().clear();
    }

    void compare_list()
    {
        operation_ = "list";
        const auto limit = random_.pick<std::size_t>(1, 50);
        const auto filter = any_filter();
        std::map<Key, SessionInfo> listed;
        std::optional<std::uint32_t> slot = 0;
        while (slot) {
            auto page = table_.list(filter, *slot, limit);
            require(page.sessions.size() <= limit, "a page is too long");
            for (auto& info : page.sessions) {
                const auto key = info.reference.value();
                require(listed.emplace(key, std::move(info)).second, "listed twice");
            }
            slot = page.next_slot;
        }
        const auto expected = model_.meant(filter);
        for (const auto key : expected) {
            require(listed.contains(key), "not listed");
            compare_info(key, listed.at(key));
        }
        require(listed.size() == expected.size(), "listed and should not be");
        // A model's table is smaller than what one turn looks at.
        require(table_.count(filter, 0).count == expected.size(), "counted and should not be");
    }

    /// Everything comes to an end, and every session has departed once.
    void finish()
    {
        begin_turn();
        operation_ = "end_all at the end";
        const auto sweep = table_.end_all(0, 100'000, RemovalCause::drained);
        model_.end_all(100'000, sweep.count, true, RemovalCause::drained, sight());
        compare(true);
        for (const auto& lease : leases_) {
            static_cast<void>(releases_.give_back(*lease.session, model_.now()));
            model_.give_back(lease.key, model_.now());
        }
        leases_.clear();
        begin_turn();
        operation_ = "the end";
        compare(true);
        model_.take_departed(table_.take_departed(1'000'000), 1'000'000);
        require(!model_.has_departed(), "somebody departed in secret");
        require(table_.metrics().live == 0, "somebody is left");
        require(
            table_.metrics().created == table_.metrics().removed_total(),
            "not everybody was removed once"
        );
    }

    Random random_;
    Shape shape_;
    SessionTable table_;
    ReleaseList releases_;
    NaiveTable model_;
    TimePoint now_{std::chrono::hours(1)};
    std::vector<std::string> ids_;
    std::unordered_map<Key, Session*> nodes_;
    std::unordered_map<Key, std::uint32_t> slots_;
    std::vector<Lease> leases_;
    std::vector<WeakLease> weak_leases_;
    std::size_t unwatched_ = 0;
    std::size_t taken_ = 0;
    Key next_key_ = 0;
    const char* operation_ = "";
};

/// The seeds to run: always the same ones and some new ones, or the one that is asked for.
std::vector<std::uint64_t> seeds()
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    if (const char* const asked = std::getenv("SOJOURN_TEST_SEED")) {
        return {std::strtoull(asked, nullptr, 10)};
    }
    std::vector<std::uint64_t> all;
    for (std::uint64_t seed = 1; seed <= 80; ++seed) {
        all.push_back(seed);
    }
    for (std::uint64_t i = 0; i < 20; ++i) {
        all.push_back(1'000'000 + std::uint64_t{Catch::getSeed()} * 20 + i);
    }
    return all;
}

} // namespace
} // namespace sojourn::model

TEST_CASE("session_table: it agrees with a naive model under random operations", "[model][core]")
{
    sojourn::Metrics sum;
    std::size_t unwatched = 0;
    const auto seeds = sojourn::model::seeds();
    for (const auto seed : seeds) {
        CAPTURE(seed);
        sojourn::model::Run run(seed);
        CHECK(run.go(3000) == "");
        sum += run.metrics();
        unwatched += run.unwatched();
    }
    if (seeds.size() > 1) {
        // The operations reach what they are meant to reach.
        CHECK(sum.created > 10'000);
        CHECK(sum.rotated > 1000);
        CHECK(sum.acquired > 1000);
        CHECK(sum.not_found > 1000);
        CHECK(sum.rate_limited > 300);
        CHECK(sum.refused_busy > 300);
        CHECK(unwatched > 1000);
        CHECK(sum.frames_recorded > 5000);
        CHECK(sum.frames_dropped > 1000);
        CHECK(sum.frames_ended > 1000);
        CHECK(sum.refused_stopping > 100);
        CHECK(sum.refused_overloaded > 100);
        for (const auto cause : sojourn::removal_causes) {
            CAPTURE(to_string(cause));
            CHECK(sum.removed_by(cause) > 200);
        }
    }
}

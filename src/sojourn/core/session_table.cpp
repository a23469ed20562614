#include "sojourn/core/session_table.hpp"

#include "sojourn/detail/assert.hpp"

#include <algorithm>
#include <utility>

namespace sojourn {

namespace {

/// Whether it is this principal's; an empty name is nobody's.
bool belongs_to(const Session& session, std::string_view name) noexcept
{
    return session.principal == nullptr ? name.empty() : *session.principal->name == name;
}

/// Whether a value is the one that is wanted, if any is.
template <class T>
bool is_wanted(const std::optional<T>& wanted, const T& value) noexcept
{
    return !wanted || *wanted == value;
}

/// How long a client that was refused for want of room should wait. A guess: nobody knows when a
/// lease will be given back, and the answer must not tell how full the table is.
constexpr Duration overloaded_hint = std::chrono::seconds(1);

/// Slots that one turn looks at when it goes through all of them.
constexpr std::size_t slots_a_turn = 4096;

} // namespace

Capacity::Bounds bounds_of(
    const ServiceOptions& options, std::size_t sessions, std::size_t pending, OnArrival on_arrival
)
{
    // Where a creation is told, the newcomer needs another slot than the one that makes room for it
    // keeps, and one to be told from.
    const std::size_t slots_each = on_arrival == OnArrival::keep ? 2 : 1;
    return {
        .sessions = sessions,
        .pending = std::max(pending, slots_each),
        .slots_each = slots_each,
        .half_open = options.max_half_open(),
        .bytes = options.max_total_attribute_bytes().value_or(Capacity::unbounded),
        .frame_bytes = options.max_frame_bytes(),
    };
}

SessionTable::SessionTable(
    const ServiceOptions& options,
    std::size_t capacity,
    std::size_t pending,
    HashKey key,
    OnDeparture on_departure,
    OnArrival on_arrival
)
    : SessionTable(
          options,
          std::make_shared<Capacity>(bounds_of(options, capacity, pending, on_arrival)),
          {capacity,
           on_departure == OnDeparture::keep ? capacity + std::max<std::size_t>(pending, 2)
                                             : capacity},
          key,
          on_departure,
          on_arrival
      )
{
}

SessionTable::SessionTable(
    const ServiceOptions& options,
    std::shared_ptr<Capacity> capacity,
    Limits limits,
    HashKey key,
    OnDeparture on_departure,
    OnArrival on_arrival
)
    : capacity_(std::move(capacity)),
      limits_(limits),
      idle_timeout_(options.idle_timeout()),
      half_open_timeout_(options.half_open_timeout()),
      limiter_(options.request_rate()),
      max_leases_(options.max_in_flight_per_session()),
      principal_bound_(options.max_sessions_per_principal().value_or(Capacity::unbounded)),
      eviction_grace_(options.eviction_grace()),
      when_full_(options.when_full()),
      reclaim_batch_(options.cleanup_batch()),
      on_departure_(on_departure),
      on_arrival_(on_arrival),
      hash_(key),
      slab_(limits.slots),
      index_(limits.sessions),
      principals_(key, limits.sessions),
      frames_(options, limits.slots),
      schedule_(limits.slots)
{
}

SessionTable::~SessionTable() = default;

// Leases

void SessionTable::settle(ReleaseList& releases)
{
    releases.settle(slab_, [this](Session& session, std::uint32_t count) {
        settle_one(session, count, session.used_last());
    });
}

/// Whoever gives a lease back counts it, and lists the session after that if he was the first. What
/// others give back between the two is not listed by anybody, and yet it is given back: it is
/// settled where somebody asks for the session. His own stays, so that nobody lists it twice.
void SessionTable::settle_unlisted(Session& session)
{
    const auto count = session.releases.load(std::memory_order_acquire);
    if (count > 1) {
        session.releases.fetch_sub(count - 1, std::memory_order_acq_rel);
        settle_one(session, count - 1, session.used_last());
    }
}

void SessionTable::lease(Session& session) noexcept
{
    if (session.leases++ == 0) {
        session.recency_hook.unlink();
        if (session.awaits_first_request()) {
            session.owner_hook.unlink();
        }
        ++metrics_.leased;
    }
}

void SessionTable::settle_one(Session& session, std::uint32_t count, TimePoint released_at)
{
    SOJOURN_ASSERT(session.leases >= count);
    session.leases -= count;
    const bool is_idle = session.leases == 0;
    if (is_idle) {
        --metrics_.leased;
        if (session.is_watched && session.weak_leases == 0) {
            unwatch(session);
        }
    }
    if (session.state == SessionState::closing) {
        if (is_idle) {
            depart(session);
        }
        return;
    }
    note_use(session, released_at);
    // The lease of its own creation is not a request of the client's.
    if (session.requests > 0) {
        establish(session);
    }
    if (is_idle && closed_) {
        end_as_drained(session);
    } else if (is_idle) {
        rest(session);
    }
}

/// A moment that is told late, by a thread that was kept waiting, counts as the latest told before:
/// so the recency list is in the order of these moments, always.
void SessionTable::note_use(Session& session, TimePoint moment) noexcept
{
    latest_use_ = std::max(latest_use_, moment);
    if (session.leases > 0) {
        session.raise_last_used(latest_use_);
    } else {
        // Nobody else writes it, and a slot may have it from an earlier session.
        session.last_used.store(latest_use_.time_since_epoch().count(), std::memory_order_relaxed);
    }
}

/// Its idle time begins.
void SessionTable::rest(Session& session) noexcept
{
    recency_.push_back(session);
    if (session.awaits_first_request()) {
        half_open_.push_back(session);
    }
}

void SessionTable::establish(Session& session) noexcept
{
    if (session.state == SessionState::half_open) {
        // From its list, if it was waiting.
        session.owner_hook.unlink();
        transition(session, SessionState::established);
    }
}

// Finding and expiry

Session* SessionTable::find(const HashedId& id)
{
    const auto is_it = [&](std::uint32_t place) {
        const auto& session = slab_[place];
        // Most often it is, and then all of it is needed: fetched at once, not one after the other.
        __builtin_prefetch(&session.recency_hook, 1);
        __builtin_prefetch(&session.owner_hook);
        return session.id == id.id;
    };
    const auto slot = index_.find(id.hash, is_it);
    if (!slot) {
        return nullptr;
    }
    auto& session = slab_[*slot];
    settle_unlisted(session);
    return end_if_due(session) ? nullptr : &session;
}

TimePoint SessionTable::idle_end(const Session& session, TimePoint from) const noexcept
{
    const auto idle = session.awaits_first_request()
                          ? std::min(session.idle_timeout, half_open_timeout_)
                          : session.idle_timeout;
    return std::min(saturating_add(from, idle), session.lifetime_end);
}

TimePoint SessionTable::used_until(const Session& session) const noexcept
{
    // A session in use is used at this moment, and may begin to lie idle the next.
    return session.is_pinned() ? now_ : session.used_last();
}

TimePoint SessionTable::deadline(const Session& session) const noexcept
{
    // Idle time does not run while a request is in flight; the lifetime does.
    return session.is_pinned() ? session.lifetime_end : idle_end(session, session.used_last());
}

RemovalCause SessionTable::expiry_cause(const Session& session, TimePoint deadline) noexcept
{
    return deadline == session.lifetime_end ? RemovalCause::expired_lifetime
                                            : RemovalCause::expired_idle;
}

TimePoint SessionTable::next_half_open() const noexcept
{
    return half_open_.empty() ? TimePoint::max()
                              : saturating_add(half_open_.front().used_last(), half_open_timeout_);
}

TimePoint SessionTable::next_idle() const noexcept
{
    return recency_.empty() ? TimePoint::max()
                            : saturating_add(recency_.front().used_last(), idle_timeout_);
}

TimePoint SessionTable::next_due() const noexcept
{
    return std::min({next_half_open(), next_idle(), schedule_.next()});
}

TimePoint SessionTable::next_deadline() const noexcept
{
    auto next = next_due();
    if (metrics_.leased > 0) {
        next = std::min(next, saturating_add(now_, idle_timeout_));
        if (metrics_.half_open > 0) {
            next = std::min(next, saturating_add(now_, half_open_timeout_));
        }
    }
    return next;
}

bool SessionTable::expire(std::size_t batch)
{
    for (; batch > 0; --batch) {
        const auto next = next_due();
        // Nothing is due at the end of time, even there.
        if (now_ < next || next == TimePoint::max()) {
            return false;
        }
        if (next == next_half_open()) {
            look_at(half_open_.front());
        } else if (next == next_idle()) {
            look_at(recency_.front());
        } else if (const auto entry = schedule_.take_due(now_)) {
            look_at(*entry);
        }
    }
    return next_due() <= now_ && next_due() != TimePoint::max();
}

/// One that has lain idle for as long as the service's options say.
void SessionTable::look_at(Session& session)
{
    if (!end_if_due(session)) {
        // It may lie idle for longer, and the schedule knows how long.
        elders_.splice(elders_.end(), recency_, recency_.iterator_to(session));
    }
}

void SessionTable::look_at(const ExpiryEntry& entry)
{
    auto& session = slab_[entry.slot];
    if (session.armed_at != entry.at) {
        return;
    }
    schedule_.disarm(session.armed_at);
    if (!session.is_open()) {
        return;
    }
    if (!end_if_due(session)) {
        arm(session);
    }
}

/// Sees to it that the schedule looks at the session in time, if nothing else does.
void SessionTable::arm(Session& session)
{
    auto at = session.lifetime_end;
    if (session.idle_timeout != idle_timeout_) {
        at = idle_end(session, used_until(session));
    }
    schedule_.arm(session.slot, session.armed_at, at, [this](auto visit) {
        for (std::uint32_t slot = 0; slot < slab_.size(); ++slot) {
            if (const auto armed_at = slab_[slot].armed_at; armed_at != TimePoint::max()) {
                visit(ExpiryEntry{armed_at, slot});
            }
        }
    });
}

// Creation and room

class SessionTable::Arrival {
public:
    /// *Exceptions*: `bad_alloc`; from then on nothing of it needs memory.
    explicit Arrival(SessionTable& table)
        : table_(table.on_arrival_ == OnArrival::keep ? &table : nullptr)
    {
        if (table_ != nullptr) {
            table_->arrived_.emplace_back();
        }
    }

    Arrival(const Arrival&) = delete;
    Arrival& operator=(const Arrival&) = delete;
    Arrival(Arrival&&) = delete;
    Arrival& operator=(Arrival&&) = delete;

    ~Arrival()
    {
        if (table_ != nullptr) {
            table_->arrived_.pop_back();
        }
    }

    /// The session is there.
    void note(const Session& session) noexcept
    {
        if (table_ != nullptr) {
            table_->arrived_.back() = table_->info(session);
            ++table_->metrics_.pending_creations;
            table_ = nullptr;
        }
    }

private:
    /// Null if there is nothing to take back.
    SessionTable* table_;
};

Result<void> SessionTable::check(const NewSession& fresh)
{
    if (closed_) {
        ++metrics_.creations_refused_stopping;
        return errc::stopping;
    }
    if (find(fresh.id) != nullptr) {
        return errc::id_in_use;
    }
    return {};
}

Result<Session*> SessionTable::create(const NewSession& fresh)
{
    if (const auto fault = check(fresh); !fault) {
        return fault.error();
    }
    // What may fail comes first: nobody shall make room for a session that is not made after all.
    const auto principal = principals_.hold(fresh.principal);
    Arrival arrival(*this);
    Capacity::Place place(*capacity_);
    if (!make_room_among_own(principal, place)) {
        shortage_ = Shortage::own;
        return refuse();
    }
    if (!make_common_room(fresh, place)) {
        shortage_ = Shortage::common;
        return refuse_creation();
    }
    place.occupy(fresh.demand());
    return add(fresh, principal, arrival);
}

Result<Session*> SessionTable::create(const NewSession& fresh, Capacity::Place place)
{
    if (const auto fault = check(fresh); !fault) {
        return fault.error();
    }
    const auto principal = principals_.hold(fresh.principal);
    Arrival arrival(*this);
    // There is a place, but chance may have brought more sessions to this table than it is made
    // for.
    if ((metrics_.live >= limits_.sessions && !evict_oldest(place)) || !slab_.has_room()) {
        return refuse_creation();
    }
    place.occupy(fresh.demand());
    return add(fresh, principal, arrival);
}

Session*
SessionTable::add(const NewSession& fresh, const PrincipalIndex::Hold& principal, Arrival& arrival)
{
    auto& session = slab_.take();
    session.id = fresh.id.id;
    session.reference = fresh.reference;
    session.created = fresh.created;
    session.lifetime_end = saturating_add(now_, fresh.absolute_lifetime);
    session.idle_timeout = fresh.idle_timeout;
    session.theoretical_arrival = now_;
    session.requests = 0;
    session.has_own_rate = fresh.request_rate.has_value();
    session.own_rate = fresh.request_rate.value_or(RateLimit::unlimited());
    session.attributes = fresh.attributes;
    session.version = 1;
    session.leases = 0;
    session.weak_leases = 0;
    note_use(session, now_);
    index_.insert(fresh.id.hash, session.slot);
    principal.attach(session);
    transition(session, principal ? SessionState::established : SessionState::half_open);
    lease(session);
    arm(session);
    arrival.note(session);
    return &session;
}

/// Whoever has made room for its principal's next has made it in the table as well.
bool SessionTable::make_common_room(const NewSession& fresh, Capacity::Place& place)
{
    const auto demand = fresh.demand();
    return capacity_->may_add_bytes(demand.bytes) &&
           (place.take(demand) ||
            ((!demand.is_half_open || make_half_open_room(place)) &&
             (make_session_room(place) || (demand.is_half_open && evict_half_open(place))) &&
             make_byte_room(demand.bytes, place)));
}

bool SessionTable::make_half_open_room(Capacity::Place& place)
{
    if (place.take_half_open()) {
        return true;
    }
    expire(reclaim_batch_);
    if (place.take_half_open()) {
        return true;
    }
    return evict_half_open(place);
}

bool SessionTable::evict_half_open(Capacity::Place& place)
{
    return when_full_ == WhenFull::evict_idle && !half_open_.empty() &&
           evict(half_open_.front(), place);
}

bool SessionTable::make_session_room(Capacity::Place& place)
{
    const auto take = [&place] { return place.take_slot() && place.take_session(); };
    if (take()) {
        return true;
    }
    expire(reclaim_batch_);
    return take() || (capacity_->is_full() && evict_oldest(place));
}

bool SessionTable::make_byte_room(std::size_t bytes, Capacity::Place& place, const Session* keep)
{
    if (place.take_bytes(bytes) || reclaim_bytes(bytes, place)) {
        return true;
    }
    // Nobody shall end in vain.
    return freeable_bytes(keep) >= place.lacking_bytes(bytes) && free_bytes(bytes, place, keep);
}

bool SessionTable::reclaim_bytes(std::size_t bytes, Capacity::Place& place)
{
    expire(reclaim_batch_);
    return place.take_bytes(bytes);
}

std::size_t SessionTable::freeable_bytes(const Session* keep) noexcept
{
    std::size_t sum = 0;
    for_oldest(keep, [&sum](const Session& session) {
        sum += session.attributes.bytes();
        return true;
    });
    return sum;
}

bool SessionTable::free_bytes(std::size_t bytes, Capacity::Place& place, const Session* keep)
{
    bool has_bytes = false;
    for_oldest(keep, [&](Session& session) {
        const bool goes_on = session.attributes.empty() || evict(session, place);
        has_bytes = place.take_bytes(bytes);
        return goes_on && !has_bytes;
    });
    return has_bytes;
}

SessionTable::PrincipalUse SessionTable::use_by(std::string_view name)
{
    const auto principal = principals_.hold(principals_.find(name));
    if (!principal) {
        return {};
    }
    end_due_of(*principal);
    const auto* const oldest = oldest_idle(*principal);
    return {principal->size, oldest == nullptr ? TimePoint::max() : oldest->used_last()};
}

bool SessionTable::make_principal_room(std::string_view name, Capacity::Place& place)
{
    const auto principal = principals_.hold(principals_.find(name));
    return principal && evict_one_of(*principal, place);
}

/// Room among the principal's own sessions, as far as they are here.
bool SessionTable::make_room_among_own(
    const PrincipalIndex::Hold& principal, Capacity::Place& place
)
{
    if (!principal || principal->size < principal_bound_) {
        return true;
    }
    end_due_of(*principal);
    return principal->size < principal_bound_ || evict_one_of(*principal, place);
}

Error SessionTable::refuse() noexcept
{
    ++metrics_.refused_overloaded;
    return {errc::overloaded, overloaded_hint};
}

Error SessionTable::refuse_creation() noexcept
{
    return when_full_ == WhenFull::wait ? Error(errc::overloaded, overloaded_hint) : refuse();
}

TimePoint SessionTable::oldest_use() const noexcept
{
    const auto& oldest = elders_.empty() ? recency_ : elders_;
    return oldest.empty() ? TimePoint::max() : oldest.front().used_last();
}

/// There are no more of them than a principal may have, which is few.
Session* SessionTable::oldest_idle(PrincipalEntry& entry) noexcept
{
    Session* oldest = nullptr;
    for (auto& session : entry.sessions) {
        if (session.leases == 0 &&
            (oldest == nullptr || session.used_last() < oldest->used_last())) {
            oldest = &session;
        }
    }
    return oldest;
}

/// Somebody must hold the entry.
void SessionTable::end_due_of(PrincipalEntry& entry)
{
    for (auto next = entry.sessions.begin(); next != entry.sessions.end();) {
        auto& session = *next++;
        end_if_due(session);
    }
}

bool SessionTable::evict_one_of(PrincipalEntry& entry, Capacity::Place& place)
{
    auto* const oldest = oldest_idle(entry);
    return when_full_ == WhenFull::evict_idle && oldest != nullptr && evict(*oldest, place);
}

/// Calls `visit(session)` for the sessions that may be evicted, the least recently used one first,
/// for no more than a batch of them and as long as it returns true. It may end the session.
template <class Visit>
void SessionTable::for_oldest(const Session* keep, Visit visit)
{
    auto looks = reclaim_batch_;
    for (auto* list : {&elders_, &recency_}) {
        for (auto next = list->begin(); next != list->end() && looks > 0; --looks) {
            auto& session = *next++;
            if (&session == keep) {
                continue;
            }
            if (!may_be_evicted(session) || !visit(session)) {
                return;
            }
        }
    }
}

bool SessionTable::may_be_evicted(const Session& session) const noexcept
{
    return when_full_ == WhenFull::evict_idle &&
           saturating_add(session.used_last(), eviction_grace_) <= now_;
}

/// Ends the session that was used least recently, if it may be ended.
bool SessionTable::evict_oldest(Capacity::Place& place)
{
    auto& list = elders_.empty() ? recency_ : elders_;
    if (list.empty()) {
        return false;
    }
    auto& oldest = list.front();
    return (may_be_evicted(oldest) || is_expired(oldest)) && evict(oldest, place);
}

/// Ends an idle session and gives what it had to the place.
bool SessionTable::evict(Session& victim, Capacity::Place& place)
{
    // Who ends keeps its slot until its listener was told, so the new one needs another.
    if (on_departure_ == OnDeparture::keep && !place.take_slot()) {
        return false;
    }
    if (!end_if_due(victim, &place)) {
        end(victim, RemovalCause::evicted, &place);
    }
    return true;
}

// Operations on one session

Session* SessionTable::find_for_request(const HashedId& id)
{
    ++metrics_.acquires;
    if (closed_) {
        ++metrics_.refused_stopping;
        return nullptr;
    }
    auto* const session = find(id);
    metrics_.not_found += session == nullptr ? 1U : 0U;
    return session;
}

void SessionTable::begin_request(Session& session) noexcept
{
    ++metrics_.acquired;
    lease(session);
    ++session.requests;
    // So that a release whose time is told less exactly does not count as before its request.
    latest_use_ = std::max(latest_use_, now_);
}

Result<SessionInfo> SessionTable::peek(const HashedId& id)
{
    const auto* const session = find(id);
    if (session == nullptr) {
        return errc::not_found;
    }
    return info(*session);
}

Result<SessionInfo> SessionTable::touch(const HashedId& id)
{
    auto* const session = find(id);
    if (session == nullptr) {
        return errc::not_found;
    }
    use_now(*session);
    return info(*session);
}

/// As the end of a request does it.
void SessionTable::use_now(Session& session) noexcept
{
    establish(session);
    note_use(session, now_);
    if (session.leases == 0) {
        session.recency_hook.unlink();
        rest(session);
    }
}

Error SessionTable::refuse_busy() noexcept
{
    ++metrics_.refused_busy;
    return {errc::overloaded, overloaded_hint};
}

// Weak leases and watches know a session by its slot and its reference: it may be gone.

Session* SessionTable::open_session(std::uint32_t slot, SessionReference reference) noexcept
{
    auto& session = slab_[slot];
    return session.is_open() && session.reference == reference ? &session : nullptr;
}

Session* SessionTable::live_session(std::uint32_t slot, SessionReference reference)
{
    auto* const session = open_session(slot, reference);
    return session == nullptr || end_if_due(*session) ? nullptr : session;
}

Result<Session*> SessionTable::acquire_weak(const HashedId& id)
{
    auto* const session = find_for_request(id);
    if (session == nullptr) {
        return closed_ ? errc::stopping : errc::not_found;
    }
    if (session->weak_leases >= max_weak_leases) {
        return refuse_busy();
    }
    if (const auto wait = admit(*session); wait > Duration::zero()) {
        ++metrics_.rate_limited;
        return Error(errc::rate_limited, wait);
    }
    ++metrics_.acquired;
    ++session->requests;
    ++session->weak_leases;
    use_now(*session);
    return session;
}

void SessionTable::release_weak(std::uint32_t slot, SessionReference reference, TimePoint now)
{
    auto* const session = open_session(slot, reference);
    if (session == nullptr) {
        return;
    }
    SOJOURN_ASSERT(session->weak_leases > 0);
    --session->weak_leases;
    note_use(*session, now);
    if (session->leases == 0) {
        session->recency_hook.unlink();
        rest(*session);
    }
    if (!session->is_pinned() && session->is_watched) {
        unwatch(*session);
    }
}

bool SessionTable::touch(std::uint32_t slot, SessionReference reference)
{
    auto* const session = live_session(slot, reference);
    if (session == nullptr) {
        return false;
    }
    use_now(*session);
    return true;
}

bool SessionTable::watch(std::uint32_t slot, SessionReference reference)
{
    auto* const session = live_session(slot, reference);
    if (session == nullptr || !session->is_pinned()) {
        return false;
    }
    watch(*session);
    return true;
}

bool SessionTable::follow(std::uint32_t slot, SessionReference reference)
{
    auto* const session = live_session(slot, reference);
    if (session == nullptr) {
        return false;
    }
    if (!session->is_followed) {
        make_room_to_tell();
        ++followed_;
        session->is_followed = true;
    }
    return true;
}

void SessionTable::watch(Session& session)
{
    if (!session.is_watched) {
        make_room_to_tell();
        ++watched_;
        session.is_watched = true;
    }
}

/// Of one more session that is watched or followed.
void SessionTable::make_room_to_tell()
{
    const auto need = unwatched_.size() + watched_ + followed_ + 1;
    if (need > unwatched_.capacity()) {
        unwatched_.reserve(std::max(need, 2 * unwatched_.capacity()));
    }
}

/// Needs no memory: there is room since it has been watched.
void SessionTable::unwatch(Session& session) noexcept
{
    session.is_watched = false;
    --watched_;
    unwatched_.push_back(session.slot);
}

/// The same. Whoever reads it may find the slot twice.
void SessionTable::unfollow(Session& session) noexcept
{
    session.is_followed = false;
    --followed_;
    unwatched_.push_back(session.slot);
}

Result<void> SessionTable::rotate(
    const HashedId& id, const HashedId& fresh, const std::optional<std::string>& principal
)
{
    auto* const session = find(id);
    if (session == nullptr) {
        return errc::not_found;
    }
    if (find(fresh) != nullptr) {
        return errc::id_in_use;
    }
    if (principal && !belongs_to(*session, *principal)) {
        const auto next = principals_.hold(*principal);
        Capacity::Place place(*capacity_);
        if (!make_room_among_own(next, place)) {
            return refuse();
        }
        principals_.detach(*session);
        ++room_given_;
        if (next) {
            establish(*session);
        }
        next.attach(*session);
    }
    index_.erase(id.hash, session->slot);
    session->id = fresh.id;
    index_.insert(fresh.hash, session->slot);
    ++metrics_.rotated;
    return {};
}

Result<void> SessionTable::remove(const HashedId& id)
{
    auto* const session = find(id);
    if (session == nullptr) {
        return errc::not_found;
    }
    end(*session, RemovalCause::deleted);
    return {};
}

std::size_t SessionTable::remove_by_principal(std::string_view name, std::size_t limit)
{
    std::size_t count = 0;
    // Looked up anew each time: the entry goes with its last session.
    while (count < limit) {
        auto* const entry = principals_.find(name);
        if (entry == nullptr || entry->sessions.empty()) {
            break;
        }
        auto& session = entry->sessions.front();
        if (!end_if_due(session)) {
            end(session, RemovalCause::deleted);
        }
        ++count;
    }
    return count;
}

Result<AttributeSnapshot> SessionTable::snapshot(const HashedId& id)
{
    const auto* const session = find(id);
    if (session == nullptr) {
        return errc::not_found;
    }
    return AttributeSnapshot{session->attributes, session->version};
}

Result<std::uint64_t>
SessionTable::commit(const HashedId& id, std::uint64_t expected_version, const Attributes& data)
{
    auto* const session = find(id);
    if (session == nullptr) {
        return errc::not_found;
    }
    if (session->version != expected_version) {
        return errc::conflict;
    }
    const auto before = session->attributes.bytes();
    const auto after = data.bytes();
    if (after > before) {
        Capacity::Place place(*capacity_);
        if (!capacity_->may_add_bytes(after - before) ||
            !make_byte_room(after - before, place, session)) {
            return refuse();
        }
        place.spend_bytes(after - before);
    } else {
        capacity_->leave_bytes(before - after, nullptr);
        ++room_given_;
    }
    discarded_.add(std::exchange(session->attributes, data));
    return ++session->version;
}

SessionInfo SessionTable::info(const Session& session) const
{
    return {
        .reference = session.reference,
        .principal = session.principal == nullptr ? nullptr : session.principal->name,
        .created = session.created,
        .use = use_of(session),
        .idle_for = idle_time(session),
        .idle_timeout = session.idle_timeout,
        .expires_in = idle_end(session, used_until(session)) - now_,
        .requests = session.requests,
        .leases = session.leases,
        .streams = static_cast<std::uint32_t>(session.weak_leases),
        .attributes = {session.attributes, session.version},
    };
}

// Frames

Result<void>
SessionTable::record(std::uint32_t slot, SessionReference reference, Recording& recording)
{
    if (live_session(slot, reference) == nullptr) {
        return errc::not_found;
    }
    frames_.record(slot, recording, *capacity_, metrics_);
    return {};
}

Result<void> SessionTable::read_frames(
    std::uint32_t slot, SessionReference reference, const FrameQuery& query, FramePage& page
)
{
    if (live_session(slot, reference) == nullptr) {
        return errc::not_found;
    }
    frames_.read(slot, query, page);
    return {};
}

// All sessions

SessionUse SessionTable::use_of(const Session& session) noexcept
{
    if (session.is_pinned()) {
        return SessionUse::in_use;
    }
    return session.state == SessionState::half_open ? SessionUse::half_open : SessionUse::idle;
}

Duration SessionTable::idle_time(const Session& session) const noexcept
{
    return std::max(now_ - used_until(session), Duration::zero());
}

bool SessionTable::is_meant(const Session& session, const SessionFilter& filter) const noexcept
{
    const auto& principal = filter.principal();
    const auto idle_for = filter.idle_for();
    return !is_expired(session) && is_wanted(filter.reference(), session.reference) &&
           is_wanted(filter.use(), use_of(session)) &&
           (!principal || belongs_to(session, *principal)) &&
           (!idle_for || idle_time(session) >= *idle_for);
}

/// Visits the open sessions from this slot on, as many slots as a turn may, until it is enough.
/// Returns where to go on.
template <class IsEnough, class Visit>
std::optional<std::uint32_t>
SessionTable::walk(std::uint32_t from, IsEnough is_enough, Visit visit) const
{
    const auto stop = std::min(slab_.size(), from + slots_a_turn);
    std::size_t slot = from;
    for (; slot < stop && !is_enough(); ++slot) {
        if (const auto& session = slab_[static_cast<std::uint32_t>(slot)]; session.is_open()) {
            visit(session);
        }
    }
    return slot < slab_.size() ? std::optional(static_cast<std::uint32_t>(slot)) : std::nullopt;
}

SessionTable::Page
SessionTable::list(const SessionFilter& filter, std::uint32_t from, std::size_t limit) const
{
    Page page;
    page.next_slot = walk(
        from,
        [&] { return page.sessions.size() >= limit; },
        [&](const Session& session) {
            if (is_meant(session, filter)) {
                page.sessions.push_back(info(session));
            }
        }
    );
    return page;
}

SessionTable::Located SessionTable::locate(SessionReference reference, std::uint32_t from) const
{
    Located located;
    located.next_slot = walk(
        from,
        [&] { return located.slot.has_value(); },
        [&](const Session& session) {
            if (session.reference == reference) {
                located.slot = session.slot;
            }
        }
    );
    return located;
}

SessionTable::Sweep SessionTable::count(const SessionFilter& filter, std::uint32_t from) const
{
    Sweep sweep;
    sweep.next_slot = walk(
        from,
        [] { return false; },
        [&](const Session& session) { sweep.count += is_meant(session, filter) ? 1U : 0U; }
    );
    return sweep;
}

SessionTable::Sweep
SessionTable::remove(const SessionFilter& filter, std::uint32_t from, std::size_t batch)
{
    Sweep sweep;
    sweep.next_slot = walk(
        from,
        [&] { return sweep.count >= batch; },
        [&](const Session& session) {
            if (is_meant(session, filter)) {
                end(slab_[session.slot], RemovalCause::deleted);
                ++sweep.count;
            }
        }
    );
    return sweep;
}

// The end of a session

SessionTable::Sweep SessionTable::end_all(std::uint32_t from, std::size_t batch, RemovalCause cause)
{
    Sweep sweep;
    sweep.next_slot = walk(
        from,
        [&] { return sweep.count >= batch; },
        [&](const Session& session) {
            end(slab_[session.slot], cause);
            ++sweep.count;
        }
    );
    return sweep;
}

std::size_t SessionTable::end_idle(std::size_t limit)
{
    std::size_t count = 0;
    for (auto* list : {&elders_, &recency_}) {
        for (; count < limit && !list->empty(); ++count) {
            end_as_drained(list->front());
        }
    }
    return count;
}

std::vector<RemovedSession> SessionTable::take_departed(std::size_t limit)
{
    std::vector<RemovedSession> batch;
    batch.reserve(std::min<std::size_t>(limit, metrics_.pending_removals));
    while (batch.size() < limit && !departed_.empty()) {
        auto& session = departed_.front();
        capacity_->drop_bytes(session.attributes.bytes());
        ++room_given_;
        batch.push_back({
            .reference = session.reference,
            .cause = session.cause,
            .principal = session.principal == nullptr ? nullptr : session.principal->name,
            .created = session.created,
            .requests = session.requests,
            .attributes = {std::move(session.attributes), session.version},
        });
        departed_.pop_front();
        vacate(session);
    }
    return batch;
}

std::vector<SessionInfo> SessionTable::take_arrived(std::size_t limit)
{
    std::vector<SessionInfo> batch;
    batch.reserve(std::min(limit, arrived_.size()));
    while (batch.size() < limit && !arrived_.empty()) {
        batch.push_back(std::move(arrived_.front()));
        arrived_.pop_front();
    }
    return batch;
}

/// Ends the session if its deadline has passed, for the reason that it has.
bool SessionTable::end_if_due(Session& session, Capacity::Place* heir)
{
    const auto due = deadline(session);
    if (now_ < due) {
        return false;
    }
    end(session, expiry_cause(session, due), heir);
    return true;
}

void SessionTable::end_as_drained(Session& session)
{
    if (!end_if_due(session)) {
        end(session, RemovalCause::drained);
    }
}

/// The one way out of the table. Nobody finds the session afterwards.
void SessionTable::end(Session& session, RemovalCause cause, Capacity::Place* heir)
{
    SOJOURN_ASSERT(session.is_open());
    session.cause = cause;
    index_.erase(hash_(session.id), session.slot);
    session.owner_hook.unlink();
    if (session.is_watched) {
        unwatch(session);
    }
    if (session.is_followed) {
        unfollow(session);
    }
    if (frames_.is_recording()) {
        frames_.end(session.slot, *capacity_, metrics_, discarded_);
    }
    if (session.leases > 0) {
        transition(session, SessionState::closing, heir);
    } else {
        session.recency_hook.unlink();
        depart(session, heir);
    }
}

void SessionTable::depart(Session& session, Capacity::Place* heir)
{
    transition(session, SessionState::departed, heir);
    if (session.principal != nullptr) {
        --session.principal->size;
    }
    if (on_departure_ == OnDeparture::keep) {
        ++metrics_.pending_removals;
        capacity_->keep_bytes(session.attributes.bytes());
        departed_.push_back(session);
    } else {
        capacity_->leave_slot(heir);
        vacate(session);
    }
}

void SessionTable::vacate(Session& session) noexcept
{
    transition(session, SessionState::vacant);
    principals_.detach(session);
    discarded_.add(std::move(session.attributes));
    session.id = SessionId();
    slab_.give_back(session);
}

/// The only code that changes a state, and so the only code that counts sessions.
void SessionTable::transition(Session& session, SessionState to, Capacity::Place* heir) noexcept
{
    const auto count = [this](SessionState state, std::uint64_t change) {
        switch (state) {
        case SessionState::half_open:
            metrics_.half_open += change;
            metrics_.live += change;
            break;
        case SessionState::established:
            metrics_.live += change;
            break;
        case SessionState::closing:
            metrics_.closing += change;
            metrics_.live += change;
            break;
        case SessionState::vacant:
        case SessionState::departed:
            break;
        }
    };
    count(session.state, ~std::uint64_t{0});
    count(to, 1);
    if (session.state == SessionState::vacant) {
        ++metrics_.created;
    }
    if (session.state == SessionState::half_open) {
        capacity_->leave_half_open(heir);
        ++room_given_;
    }
    if (to == SessionState::departed) {
        ++room_given_;
        capacity_->leave_session(heir);
        capacity_->leave_bytes(session.attributes.bytes(), heir);
        ++metrics_.removed[static_cast<std::size_t>(session.cause)];
    }
    session.state = to;
}

} // namespace sojourn

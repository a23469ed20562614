#include "naive_table.hpp"

#include <algorithm>
#include <utility>

namespace sojourn::model {

void require(bool condition, const char* what)
{
    if (!condition) {
        throw Mismatch(what);
    }
}

NaiveTable::NaiveTable(
    const ServiceOptions& options,
    std::size_t capacity,
    std::size_t max_pending,
    bool keeps_departed
)
    : options_(options),
      capacity_(capacity),
      max_pending_(max_pending),
      keeps_departed_(keeps_departed)
{
}

void NaiveTable::begin_turn(TimePoint now)
{
    now_ = std::max(now_, now);
    for (const auto key : std::exchange(returned_, {})) {
        auto& session = sessions_.at(key);
        settle(key, std::exchange(session.returned, 0), session.returned_at);
    }
    ++group_;
}

void NaiveTable::release(Key key, TimePoint now)
{
    settle(key, 1, now);
    ++group_;
}

void NaiveTable::settle(Key key, std::uint32_t count, TimePoint returned_at)
{
    ++group_;
    auto& session = sessions_.at(key);
    session.leases -= count;
    if (session.is_closing) {
        if (session.leases == 0) {
            depart(key);
        }
        return;
    }
    if (session.leases == 0) {
        session.recency = ++recency_;
    }
    // The lease of its creation is no request.
    if (session.requests > 0) {
        session.is_half_open = false;
    }
    note_use(session, returned_at);
}

void NaiveTable::note_use(NaiveSession& session, TimePoint moment)
{
    latest_use_ = std::max(latest_use_, moment);
    session.last_used = latest_use_;
}

void NaiveTable::give_back(Key key, TimePoint now)
{
    auto& session = sessions_.at(key);
    if (session.returned++ == 0) {
        returned_.push_back(key);
    }
    session.returned_at = std::max(session.returned_at, now);
}

TimePoint NaiveTable::idle_end(const NaiveSession& session, TimePoint from) const
{
    auto idle = session.idle_timeout;
    if (session.is_half_open && session.requests == 0) {
        idle = std::min(idle, options_.half_open_timeout());
    }
    return std::min(from + idle, session.lifetime_end);
}

TimePoint NaiveTable::deadline(const NaiveSession& session) const
{
    return session.leases > 0 ? session.lifetime_end : idle_end(session, session.last_used);
}

RemovalCause NaiveTable::expiry_cause(const NaiveSession& session) const
{
    return deadline(session) == session.lifetime_end ? RemovalCause::expired_lifetime
                                                     : RemovalCause::expired_idle;
}

NaiveTable::Place NaiveTable::look_up(const std::string& id)
{
    for (auto place = sessions_.begin(); place != sessions_.end(); ++place) {
        if (place->second.id == id && !place->second.is_closing) {
            if (is_expired(place->second)) {
                end(place->first, expiry_cause(place->second));
                return sessions_.end();
            }
            return place;
        }
    }
    return sessions_.end();
}

std::vector<Key> NaiveTable::vanished(const IsOpen& is_open) const
{
    std::vector<Key> keys;
    for (const auto& [key, session] : sessions_) {
        if (!session.is_closing && !is_open(key)) {
            keys.push_back(key);
        }
    }
    return keys;
}

std::vector<Key> NaiveTable::expired() const
{
    std::vector<Key> keys;
    for (const auto& [key, session] : sessions_) {
        if (!session.is_closing && is_expired(session)) {
            keys.push_back(key);
        }
    }
    return keys;
}

std::optional<Key> NaiveTable::least_recent() const
{
    std::optional<Key> found;
    for (const auto& [key, session] : sessions_) {
        if (!session.is_closing && session.leases == 0 &&
            (!found || session.recency < sessions_.at(*found).recency)) {
            found = key;
        }
    }
    return found;
}

void NaiveTable::end(Key key, RemovalCause cause)
{
    auto& session = sessions_.at(key);
    session.cause = cause;
    if (session.leases > 0) {
        session.is_closing = true;
    } else {
        depart(key);
    }
}

void NaiveTable::depart(Key key)
{
    const auto node = sessions_.extract(key);
    const auto& session = node.mapped();
    ++history_.removed[static_cast<std::size_t>(session.cause)];
    if (!keeps_departed_) {
        return;
    }
    ++pending_;
    departed_.push_back(
        {group_,
         {.reference = SessionReference(key),
          .cause = session.cause,
          .principal = session.principal.empty()
                           ? nullptr
                           : std::make_shared<const std::string>(session.principal),
          .created = session.created,
          .requests = session.requests,
          .attributes = {session.data, session.version}}}
    );
}

Error NaiveTable::create(Key key, NaiveSession fresh, Duration lifetime, const IsOpen& is_open)
{
    if (is_closed_) {
        return errc::stopping;
    }
    if (look_up(fresh.id) != sessions_.end()) {
        return errc::id_in_use;
    }
    bool has_room = sessions_.size() + pending_ < capacity_ + max_pending_;
    if (sessions_.size() == capacity_) {
        make_room(is_open, has_room);
    }
    if (!has_room) {
        ++history_.refused_overloaded;
        return errc::overloaded;
    }
    note_use(fresh, now_);
    fresh.lifetime_end = now_ + lifetime;
    fresh.level_at = now_;
    fresh.leases = 1;
    fresh.is_half_open = fresh.principal.empty();
    sessions_.emplace(key, std::move(fresh));
    ++history_.created;
    return {};
}

void NaiveTable::make_room(const IsOpen& is_open, bool& has_room)
{
    // The expired ones come first: all of them, if the table may look at so many.
    std::optional<Key> victim;
    for (const auto key : vanished(is_open)) {
        const auto& session = sessions_.at(key);
        if (is_expired(session)) {
            end(key, expiry_cause(session));
        } else {
            require(!victim, "more than one session was evicted for one");
            victim = key;
        }
    }
    if (options_.cleanup_batch() > 1000) {
        require(expired().empty(), "an expired session was not reclaimed");
    }
    ++group_;
    const auto oldest = least_recent();
    const bool has_slot = sessions_.size() + pending_ < capacity_ + max_pending_;
    if (victim) {
        require(sessions_.size() == capacity_, "evicted although there was room");
        require(options_.when_full() == WhenFull::evict_idle, "evicted against the policy");
        require(has_slot, "evicted although too many removals are pending");
        require(victim == oldest, "evicted another than the least recently used");
        end(*victim, RemovalCause::evicted);
    } else if (sessions_.size() == capacity_) {
        const bool may_refuse =
            !oldest || !has_slot ||
            (options_.when_full() == WhenFull::reject && !is_expired(sessions_.at(*oldest)));
        require(may_refuse, "nobody made room");
    }
    has_room = has_slot && sessions_.size() < capacity_;
}

Result<Key> NaiveTable::acquire(const std::string& id)
{
    ++history_.acquires;
    if (is_closed_) {
        ++history_.refused_stopping;
        return errc::stopping;
    }
    const auto place = look_up(id);
    if (place == sessions_.end()) {
        ++history_.not_found;
        return errc::not_found;
    }
    auto& session = place->second;
    if (const auto limit = options_.request_rate(); !limit.is_unlimited()) {
        // The bucket of ITU-T I.371: it leaks one request an interval and holds a burst.
        const auto depth = limit.interval() * (limit.burst() - 1);
        const auto level = std::max(Duration::zero(), session.level - (now_ - session.level_at));
        if (level > depth) {
            ++history_.rate_limited;
            return Error(errc::rate_limited, level - depth);
        }
        session.level = level + limit.interval();
        session.level_at = now_;
    }
    ++history_.acquired;
    latest_use_ = std::max(latest_use_, now_);
    ++session.requests;
    ++session.leases;
    return place->first;
}

const NaiveSession* NaiveTable::find(const std::string& id)
{
    const auto place = look_up(id);
    return place == sessions_.end() ? nullptr : &place->second;
}

const NaiveSession* NaiveTable::touch(const std::string& id)
{
    const auto place = look_up(id);
    if (place == sessions_.end()) {
        return nullptr;
    }
    auto& session = place->second;
    session.is_half_open = false;
    note_use(session, now_);
    if (session.leases == 0) {
        session.recency = ++recency_;
    }
    return &session;
}

Error NaiveTable::rotate(
    const std::string& id, const std::string& fresh, const std::optional<std::string>& principal
)
{
    const auto place = look_up(id);
    if (place == sessions_.end()) {
        return errc::not_found;
    }
    if (look_up(fresh) != sessions_.end()) {
        return errc::id_in_use;
    }
    auto& session = place->second;
    session.id = fresh;
    if (principal) {
        session.principal = *principal;
        session.is_half_open = session.is_half_open && principal->empty();
    }
    ++history_.rotated;
    return {};
}

Error NaiveTable::remove(const std::string& id)
{
    const auto place = look_up(id);
    if (place == sessions_.end()) {
        return errc::not_found;
    }
    end(place->first, RemovalCause::deleted);
    return {};
}

Result<std::uint64_t>
NaiveTable::commit(const std::string& id, std::uint64_t expected, Attributes data)
{
    const auto place = look_up(id);
    if (place == sessions_.end()) {
        return errc::not_found;
    }
    if (place->second.version != expected) {
        return errc::conflict;
    }
    place->second.data = std::move(data);
    return ++place->second.version;
}

void NaiveTable::remove_by_principal(
    const std::string& name, std::size_t limit, std::size_t ended, const IsOpen& is_open
)
{
    const auto owned = std::ranges::count_if(sessions_, [&](const auto& entry) {
        return !entry.second.is_closing && entry.second.principal == name && !name.empty();
    });
    const auto gone = vanished(is_open);
    require(gone.size() == ended, "another number of a principal's sessions than it says");
    require(
        ended == std::min(limit, static_cast<std::size_t>(owned)),
        "too few or too many of a principal's sessions"
    );
    for (const auto key : gone) {
        const auto& session = sessions_.at(key);
        require(session.principal == name, "somebody else's session was removed");
        end(key, is_expired(session) ? expiry_cause(session) : RemovalCause::deleted);
    }
}

void NaiveTable::expire(std::size_t batch, bool is_more_due, const IsOpen& is_open)
{
    const auto gone = vanished(is_open);
    require(gone.size() <= batch, "more sessions expired than a batch has");
    for (const auto key : gone) {
        const auto& session = sessions_.at(key);
        require(is_expired(session), "a session expired before its deadline");
        end(key, expiry_cause(session));
    }
    require(is_more_due || expired().empty(), "cleanup says that nothing is due, but something is");
}

void NaiveTable::end_all(
    std::size_t batch, std::size_t ended, bool is_whole, RemovalCause cause, const IsOpen& is_open
)
{
    const auto gone = vanished(is_open);
    require(gone.size() == ended, "a sweep ended another number than it says");
    require(ended <= batch, "a sweep ended more than a batch");
    for (const auto key : gone) {
        end(key, cause);
    }
    if (is_whole) {
        require(
            std::ranges::all_of(
                sessions_, [](const auto& entry) { return entry.second.is_closing; }
            ),
            "a whole sweep left somebody"
        );
    }
}

void NaiveTable::take_departed(const std::vector<RemovedSession>& taken, std::size_t limit)
{
    require(
        taken.size() == std::min(limit, departed_.size()),
        "another number of departures than asked for"
    );
    for (const auto& session : taken) {
        const auto group = departed_.front().group;
        const auto expected = std::ranges::find_if(departed_, [&](const NaiveDeparture& departure) {
            return departure.session.reference == session.reference;
        });
        require(expected != departed_.end(), "a departure of nobody, or for the second time");
        require(expected->group == group, "a departure before its turn");
        const auto& known = expected->session;
        require(known.cause == session.cause, "a departure with another cause");
        require(known.created == session.created, "a departure created at another time");
        require(known.requests == session.requests, "a departure with another number of requests");
        require(
            known.attributes.data == session.attributes.data, "a departure with other attributes"
        );
        require(
            known.attributes.version == session.attributes.version,
            "a departure with another version"
        );
        require(
            (known.principal == nullptr) == (session.principal == nullptr) &&
                (known.principal == nullptr || *known.principal == *session.principal),
            "a departure of another principal"
        );
        departed_.erase(expected);
    }
}

SessionInfo NaiveTable::info(Key key) const
{
    const auto& session = sessions_.at(key);
    return {
        .reference = SessionReference(key),
        .principal = session.principal.empty()
                         ? nullptr
                         : std::make_shared<const std::string>(session.principal),
        .created = session.created,
        .idle_timeout = session.idle_timeout,
        .expires_in = idle_end(session, session.leases > 0 ? now_ : session.last_used) - now_,
        .requests = session.requests,
        .leases = session.leases,
        .attributes = {session.data, session.version},
    };
}

Metrics NaiveTable::metrics() const
{
    auto metrics = history_;
    metrics.live = sessions_.size();
    metrics.pending_removals = pending_;
    for (const auto& [key, session] : sessions_) {
        metrics.half_open += session.is_half_open && !session.is_closing ? 1U : 0U;
        metrics.closing += session.is_closing ? 1U : 0U;
        metrics.leased += session.leases > 0 ? 1U : 0U;
    }
    return metrics;
}

} // namespace sojourn::model

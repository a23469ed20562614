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
    if (!session.is_pinned()) {
        unwatch(key);
    }
    // The lease of its creation is no request.
    if (session.requests > 0) {
        session.is_half_open = false;
    }
    note_use(session, returned_at);
    if (session.leases == 0 && is_closed_) {
        end_as_drained(key);
    }
}

void NaiveTable::end_as_drained(Key key)
{
    const auto& session = sessions_.at(key);
    end(key, is_expired(session) ? expiry_cause(session) : RemovalCause::drained);
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
    return session.is_pinned() ? session.lifetime_end : idle_end(session, session.last_used);
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

/// The session that has to go first, if it may; or nobody.
std::vector<Key> NaiveTable::least_recent() const
{
    std::optional<Key> found;
    for (const auto& [key, session] : sessions_) {
        if (!session.is_closing && session.leases == 0 &&
            (!found || session.recency < sessions_.at(*found).recency)) {
            found = key;
        }
    }
    const bool may_go = found && sessions_.at(*found).last_used + options_.eviction_grace() <= now_;
    return may_go ? std::vector{*found} : std::vector<Key>();
}

/// The idle session that has waited longest for its first request, or nobody.
std::vector<Key> NaiveTable::longest_waiting() const
{
    std::optional<Key> found;
    for (const auto& [key, session] : sessions_) {
        const bool is_waiting = !session.is_closing && session.is_half_open &&
                                session.requests == 0 && session.leases == 0;
        if (is_waiting && (!found || session.recency < sessions_.at(*found).recency)) {
            found = key;
        }
    }
    return found ? std::vector{*found} : std::vector<Key>();
}

void NaiveTable::end(Key key, RemovalCause cause)
{
    auto& session = sessions_.at(key);
    session.cause = cause;
    unwatch(key);
    if (std::exchange(session.is_followed, false)) {
        unwatched_.insert(key);
    }
    history_.frames_ended += session.frames.size();
    session.frames.clear();
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

Error NaiveTable::create(
    Key key, NaiveSession fresh, Duration lifetime, const IsOpen& is_open, bool is_made
)
{
    if (is_closed_) {
        ++history_.creations_refused_stopping;
        return errc::stopping;
    }
    if (look_up(fresh.id) != sessions_.end()) {
        return errc::id_in_use;
    }
    require(
        !is_made || fresh.data.bytes() == 0 || !has_untold_bytes(), "too many bytes are untold"
    );
    take_over_ended(is_open);
    const bool has_room = make_room(fresh, is_made);
    explain_the_rest();
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

/// Those that have vanished: the expired ones have ended, and who else has was evicted, which is to
/// be explained.
void NaiveTable::take_over_ended(const IsOpen& is_open)
{
    evicted_.clear();
    latest_expired_ = 0;
    for (const auto key : vanished(is_open)) {
        const auto& session = sessions_.at(key);
        if (is_expired(session)) {
            latest_expired_ = std::max(latest_expired_, session.recency);
            end(key, expiry_cause(session));
        } else {
            require(options_.when_full() == WhenFull::evict_idle, "evicted against the policy");
            evicted_.push_back(key);
        }
    }
}

/// Explains the end of the session that should go, if it has gone, and says whether it has. It may
/// stay if there is no slot for who comes instead.
bool NaiveTable::evicts(const std::vector<Key>& candidates)
{
    const auto found = std::ranges::find_first_of(evicted_, candidates);
    if (found == evicted_.end()) {
        const bool has_slot = sessions_.size() + pending_ < capacity_ + max_pending_;
        const bool may_stay = candidates.empty() || options_.when_full() == WhenFull::reject ||
                              (keeps_departed_ && !has_slot);
        require(may_stay, "nobody made room");
        return false;
    }
    require(
        !keeps_departed_ || sessions_.size() + pending_ < capacity_ + max_pending_,
        "evicted although too many removals are pending"
    );
    end(*found, RemovalCause::evicted);
    evicted_.erase(found);
    return true;
}

/// Where not all that have expired are looked for first, one of them may be found only after
/// another was evicted that was used less recently.
void NaiveTable::explain_the_rest()
{
    for (const auto key : std::exchange(evicted_, {})) {
        require(
            !is_reclaim_whole() && may_go(sessions_.at(key)) &&
                sessions_.at(key).recency < latest_expired_,
            "more were evicted than had to be"
        );
        end(key, RemovalCause::evicted);
    }
}

/// More bytes wait to be told of than may live, so that none may be added.
bool NaiveTable::has_untold_bytes() const
{
    std::size_t sum = 0;
    for (const auto& departure : departed_) {
        sum += departure.session.attributes.data.bytes();
    }
    return sum > options_.max_total_attribute_bytes().value_or(SIZE_MAX);
}

bool NaiveTable::make_room(const NaiveSession& fresh, bool is_made)
{
    if (!make_room_among_own(fresh.principal)) {
        return false;
    }
    if (!is_made && fresh.data.bytes() > 0 && has_untold_bytes()) {
        return false;
    }
    const auto require_reclaimed = [this] {
        require(!is_reclaim_whole() || expired().empty(), "an expired session was not reclaimed");
    };
    if (fresh.principal.empty() && needs_half_open_room()) {
        require_reclaimed();
        if (!evicts(longest_waiting())) {
            return false;
        }
    }
    if (sessions_.size() == capacity_) {
        require_reclaimed();
        if (!evicts(least_recent()) && !(fresh.principal.empty() && evicts(longest_waiting()))) {
            return false;
        }
    }
    return sessions_.size() + pending_ < capacity_ + max_pending_ &&
           make_byte_room(fresh.data.bytes(), nullptr, is_made);
}

bool NaiveTable::make_room_among_own(const std::string& principal)
{
    const auto bound = options_.max_sessions_per_principal();
    if (principal.empty() || !bound) {
        return true;
    }
    std::vector<const NaiveSession*> own;
    for (const auto& [key, session] : sessions_) {
        if (session.principal == principal) {
            own.push_back(&session);
        }
    }
    if (own.size() < *bound) {
        return true;
    }
    require(
        std::ranges::none_of(
            own,
            [this](const auto* session) { return !session->is_closing && is_expired(*session); }
        ),
        "a principal's expired session was not ended"
    );
    std::vector<Key> oldest;
    for (const auto& [key, session] : sessions_) {
        const bool is_candidate =
            !session.is_closing && session.principal == principal && session.leases == 0;
        if (is_candidate && std::ranges::all_of(own, [&](const auto* other) {
                return other->leases > 0 || other->last_used >= session.last_used;
            })) {
            oldest.push_back(key);
        }
    }
    return evicts(oldest);
}

bool NaiveTable::needs_half_open_room() const
{
    return static_cast<std::size_t>(std::ranges::count_if(sessions_, [](const auto& entry) {
               return entry.second.is_half_open && !entry.second.is_closing;
           })) >= options_.max_half_open();
}

bool NaiveTable::make_byte_room(std::size_t bytes, const NaiveSession* keep, bool is_made)
{
    const auto bound = options_.max_total_attribute_bytes();
    if (!bound) {
        return true;
    }
    const auto total = [&] {
        std::size_t sum = bytes;
        for (const auto& [key, session] : sessions_) {
            sum += session.data.bytes();
        }
        return sum;
    };
    if (!is_made && total() > *bound && evicted_.empty()) {
        // All that may go are not enough; or it looked at no more, or none may be told of.
        std::size_t freeable = 0;
        for (const auto& [key, session] : sessions_) {
            freeable += may_go(session) && &session != keep ? session.data.bytes() : 0;
        }
        const bool has_slot = sessions_.size() + pending_ < capacity_ + max_pending_;
        require(
            !is_reclaim_whole() || total() - freeable > *bound || (keeps_departed_ && !has_slot),
            "nobody made room for bytes"
        );
        return false;
    }
    while (total() > *bound) {
        if (!evicts(least_recent_with_bytes(keep))) {
            return false;
        }
    }
    return true;
}

bool NaiveTable::may_go(const NaiveSession& session) const
{
    return options_.when_full() == WhenFull::evict_idle && !session.is_closing &&
           session.leases == 0 && session.last_used + options_.eviction_grace() <= now_;
}

std::vector<Key> NaiveTable::least_recent_with_bytes(const NaiveSession* keep) const
{
    std::optional<Key> found;
    for (const auto& [key, session] : sessions_) {
        if (may_go(session) && &session != keep && session.data.bytes() > 0 &&
            (!found || session.recency < sessions_.at(*found).recency)) {
            found = key;
        }
    }
    return found ? std::vector{*found} : std::vector<Key>();
}

Result<NaiveTable::Place> NaiveTable::find_for_request(const std::string& id)
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
    return place;
}

/// The bucket of ITU-T I.371: it leaks one request an interval and holds a burst.
Error NaiveTable::admit(NaiveSession& session)
{
    const auto limit = session.request_rate.value_or(options_.request_rate());
    if (limit.is_unlimited()) {
        return {};
    }
    const auto depth = limit.interval() * (limit.burst() - 1);
    const auto level = std::max(Duration::zero(), session.level - (now_ - session.level_at));
    if (level > depth) {
        ++history_.rate_limited;
        return {errc::rate_limited, level - depth};
    }
    session.level = level + limit.interval();
    session.level_at = now_;
    return {};
}

Result<Key> NaiveTable::acquire(const std::string& id)
{
    const auto place = find_for_request(id);
    if (!place) {
        return place.error();
    }
    auto& session = (*place)->second;
    if (session.leases == options_.max_in_flight_per_session()) {
        ++history_.refused_busy;
        return Error(errc::overloaded, std::chrono::seconds(1));
    }
    if (const auto refused = admit(session); refused.code()) {
        return refused;
    }
    ++history_.acquired;
    latest_use_ = std::max(latest_use_, now_);
    ++session.requests;
    ++session.leases;
    return (*place)->first;
}

Result<Key> NaiveTable::acquire_weak(const std::string& id)
{
    const auto place = find_for_request(id);
    if (!place) {
        return place.error();
    }
    auto& session = (*place)->second;
    if (session.weak_leases == 63) {
        ++history_.refused_busy;
        return Error(errc::overloaded, std::chrono::seconds(1));
    }
    if (const auto refused = admit(session); refused.code()) {
        return refused;
    }
    ++history_.acquired;
    ++session.requests;
    ++session.weak_leases;
    session.is_half_open = false;
    use(session, now_);
    return (*place)->first;
}

void NaiveTable::release_weak(Key key, TimePoint now)
{
    const auto place = sessions_.find(key);
    if (place == sessions_.end() || place->second.is_closing) {
        return;
    }
    --place->second.weak_leases;
    use(place->second, now);
    if (!place->second.is_pinned()) {
        unwatch(key);
    }
}

void NaiveTable::use(NaiveSession& session, TimePoint moment)
{
    note_use(session, moment);
    if (session.leases == 0) {
        session.recency = ++recency_;
    }
}

NaiveTable::Place NaiveTable::look_up(Key key)
{
    const auto place = sessions_.find(key);
    return place == sessions_.end() || place->second.is_closing ? sessions_.end()
                                                                : look_up(place->second.id);
}

bool NaiveTable::touch(Key key)
{
    const auto place = look_up(key);
    if (place == sessions_.end()) {
        return false;
    }
    place->second.is_half_open = false;
    use(place->second, now_);
    return true;
}

bool NaiveTable::watch(Key key)
{
    const auto place = look_up(key);
    if (place == sessions_.end() || !place->second.is_pinned()) {
        return false;
    }
    place->second.is_watched = true;
    return true;
}

bool NaiveTable::follow(Key key)
{
    const auto place = look_up(key);
    if (place == sessions_.end()) {
        return false;
    }
    place->second.is_followed = true;
    return true;
}

const NaiveSession* NaiveTable::find_by_key(Key key)
{
    const auto place = look_up(key);
    return place == sessions_.end() ? nullptr : &place->second;
}

namespace {

std::size_t bytes_of(const NaiveSession& session)
{
    std::size_t sum = 0;
    for (const auto& frame : session.frames) {
        sum += frame.bytes();
    }
    return sum;
}

} // namespace

std::size_t NaiveTable::frame_bytes() const
{
    std::size_t sum = 0;
    for (const auto& [key, session] : sessions_) {
        sum += bytes_of(session);
    }
    return sum;
}

void NaiveTable::drop_oldest_frame(NaiveSession& session)
{
    session.frames.erase(session.frames.begin());
    ++session.frames_dropped;
    ++history_.frames_dropped;
}

std::optional<std::uint64_t> NaiveTable::record(Key key, NaiveFrame frame)
{
    const auto place = look_up(key);
    if (place == sessions_.end()) {
        return std::nullopt;
    }
    auto& session = place->second;
    frame.sequence = ++session.frames_recorded;
    ++history_.frames_recorded;
    const auto of_others = frame_bytes() - bytes_of(session);
    if (frame.bytes() > options_.max_frame_bytes_per_session() ||
        frame.bytes() + of_others > options_.max_frame_bytes()) {
        ++session.frames_dropped;
        ++history_.frames_dropped;
        return frame.sequence;
    }
    while (session.frames.size() >= options_.max_frames_per_session() ||
           bytes_of(session) + frame.bytes() > options_.max_frame_bytes_per_session() ||
           frame_bytes() + frame.bytes() > options_.max_frame_bytes()) {
        drop_oldest_frame(session);
    }
    session.frames.push_back(frame);
    return frame.sequence;
}

void NaiveTable::unwatch(Key key)
{
    if (std::exchange(sessions_.at(key).is_watched, false)) {
        require(unwatched_.insert(key).second, "watched twice");
    }
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
    use(session, now_);
    return &session;
}

Error NaiveTable::rotate(
    const std::string& id,
    const std::string& fresh,
    const std::optional<std::string>& principal,
    const IsOpen& is_open
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
    if (principal && *principal != session.principal) {
        take_over_ended(is_open);
        const bool has_room = make_room_among_own(*principal);
        explain_the_rest();
        if (!has_room) {
            ++history_.refused_overloaded;
            return errc::overloaded;
        }
    }
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

Result<std::uint64_t> NaiveTable::commit(
    const std::string& id,
    std::uint64_t expected,
    Attributes data,
    const IsOpen& is_open,
    bool is_made
)
{
    const auto place = look_up(id);
    if (place == sessions_.end()) {
        return errc::not_found;
    }
    if (place->second.version != expected) {
        return errc::conflict;
    }
    auto& session = place->second;
    if (data.bytes() > session.data.bytes()) {
        require(!is_made || !has_untold_bytes(), "too many bytes are untold");
        take_over_ended(is_open);
        const bool has_room =
            (is_made || !has_untold_bytes()) &&
            make_byte_room(data.bytes() - session.data.bytes(), &session, is_made);
        explain_the_rest();
        if (!has_room) {
            ++history_.refused_overloaded;
            return errc::overloaded;
        }
    }
    session.data = std::move(data);
    return ++session.version;
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

void NaiveTable::remove(
    const SessionFilter& filter,
    std::size_t batch,
    std::size_t ended,
    bool is_whole,
    const IsOpen& is_open
)
{
    const auto means = meant(filter);
    const auto gone = vanished(is_open);
    require(gone.size() == ended, "a filter's sweep ended another number than it says");
    require(ended <= batch, "a filter's sweep ended more than a batch");
    require(!is_whole || ended == means.size(), "a filter's whole sweep left somebody");
    for (const auto key : gone) {
        require(means.contains(key), "a filter ended one that it does not mean");
        end(key, RemovalCause::deleted);
    }
}

void NaiveTable::end_idle(std::size_t limit, std::size_t ended, const IsOpen& is_open)
{
    const auto idle = std::ranges::count_if(sessions_, [](const auto& entry) {
        return entry.second.leases == 0;
    });
    require(
        ended == std::min(limit, static_cast<std::size_t>(idle)),
        "another number of idle sessions ended than there were"
    );
    const auto gone = vanished(is_open);
    require(gone.size() == ended, "the end of the idle says another number than ended");
    for (const auto key : gone) {
        require(sessions_.at(key).leases == 0, "one that is leased ended with the idle");
        end_as_drained(key);
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
        .use = session.is_pinned()    ? SessionUse::in_use
               : session.is_half_open ? SessionUse::half_open
                                      : SessionUse::idle,
        // A lease may be given back a little later than the turn knows it is.
        .idle_for = session.is_pinned() ? Duration::zero()
                                        : std::max(now_ - session.last_used, Duration::zero()),
        .idle_timeout = session.idle_timeout,
        .expires_in = idle_end(session, session.is_pinned() ? now_ : session.last_used) - now_,
        .requests = session.requests,
        .leases = session.leases,
        .streams = session.weak_leases,
        .attributes = {session.data, session.version},
    };
}

std::set<Key> NaiveTable::meant(const SessionFilter& filter) const
{
    std::set<Key> keys;
    for (const auto& [key, session] : sessions_) {
        const auto told = info(key);
        if (!session.is_closing && !is_expired(session) &&
            told.reference == filter.reference().value_or(told.reference) &&
            told.principal_text() == filter.principal().value_or(session.principal) &&
            told.use == filter.use().value_or(told.use) &&
            told.idle_for >= filter.idle_for().value_or(Duration::zero())) {
            keys.insert(key);
        }
    }
    return keys;
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
        metrics.frames += session.frames.size();
    }
    metrics.frame_bytes = frame_bytes();
    return metrics;
}

} // namespace sojourn::model

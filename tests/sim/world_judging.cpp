// What a simulated world makes of the answers it gets: each must be one that some order of the
// turns explains.

#include "sim/world_flight.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <initializer_list>
#include <set>
#include <utility>

namespace asio = boost::asio;

namespace sojourn::tests::sim {

namespace {

bool is_one_of(const Error& error, std::initializer_list<errc> accepted)
{
    return std::ranges::any_of(accepted, [&](errc code) { return error == code; });
}

/// Whether an operation may end with this error in a service that is there and takes sessions.
bool may_end_with(Action action, const Error& error)
{
    switch (action) {
    case Action::create:
        return is_one_of(
            error,
            {errc::rate_limited,
             errc::overloaded,
             errc::id_source_failed,
             errc::attributes_too_large}
        );
    case Action::acquire:
    case Action::acquire_weak:
        return is_one_of(error, {errc::not_found, errc::rate_limited, errc::overloaded});
    case Action::acquire_exclusive:
        return is_one_of(
            error, {errc::not_found, errc::rate_limited, errc::overloaded, errc::timed_out}
        );
    case Action::guess:
        return is_one_of(error, {errc::not_found, errc::rate_limited});
    case Action::log_in:
        return is_one_of(error, {errc::not_found, errc::overloaded, errc::id_source_failed});
    case Action::rotate:
        return is_one_of(error, {errc::not_found, errc::id_source_failed});
    case Action::commit:
    case Action::modify:
        return is_one_of(
            error, {errc::not_found, errc::conflict, errc::attributes_too_large, errc::overloaded}
        );
    case Action::peek:
    case Action::touch:
    case Action::remove:
    case Action::snapshot:
    case Action::touch_weak:
    case Action::record:
        return error == errc::not_found;
    case Action::read_frames:
        return is_one_of(error, {errc::not_found, errc::not_recorded});
    case Action::follow_frames:
        return is_one_of(error, {errc::not_found, errc::not_recorded, errc::overloaded});
    default:
        return false;
    }
}

} // namespace

/// The place of the session with this reference, which may be heard of for the first time.
std::size_t World::known(SessionReference reference)
{
    const auto [place, is_new] = by_reference_.try_emplace(reference, known_.size());
    if (is_new) {
        known_.emplace_back(reference);
    }
    return place->second;
}

void World::judge_error(const Flight& flight, const Error& error)
{
    if (error == errc::not_found) {
        judge_missing(flight);
    }
    if (error == errc::rate_limited) {
        judge_rate_limit(flight, error);
    }
    if (may_end_with(flight.action, error)) {
        return;
    }
    if (error == errc::stopping) {
        require(is_drain_begun_ || !service_, "stopping, though nobody drains");
        return;
    }
    if (error.code() == asio::error::operation_aborted) {
        require(flight.is_cancelled || !service_, "aborted, though nobody cancelled");
        return;
    }
    const bool has_thrown =
        flight.may_throw && error.code() == boost::system::errc::operation_canceled;
    // Who waits for a turn with a session when the service goes may be told of either.
    const bool lost_service = !service_ && error == errc::not_found;
    require(
        has_thrown || lost_service,
        std::string(to_string(flight.action)) + " ended with: " + error.message()
    );
}

/// Who keeps below the rate is not refused.
void World::judge_rate_limit(const Flight& flight, const Error& error) const
{
    require(error.retry_after() > Duration::zero(), "a rate limit that does not say how long");
    const bool is_of_peer = flight.action == Action::create || flight.action == Action::guess;
    require(
        !is_of_peer || !swarm_.options.creation_rate().is_unlimited(),
        "limited, though there is no limit"
    );
    require(
        !flight.session || known_[*flight.session].may_refuse(flight.earliest, latest()),
        std::string(to_string(flight.action)) + " was refused, and kept below its rate"
    );
}

/// Whether there may have been so many sessions that one had to make room.
bool World::may_evict() const
{
    const auto& options = swarm_.options;
    const auto most = std::min(options.max_sessions() / options.shards(), options.max_half_open());
    return options.when_full() == WhenFull::evict_idle &&
           (creations_begun_ > most || options.max_sessions_per_principal() ||
            options.max_total_attribute_bytes());
}

/// Whether it may have ended though nobody ended it.
bool World::may_have_gone(const Known& known, Sequence since) const
{
    const bool was_held = known.leased_since < since;
    const bool may_lie_idle = latest() >= known.idle_end(swarm_.options.half_open_timeout());
    return latest() >= known.lifetime_end() || (!was_held && (may_lie_idle || may_evict()));
}

/// A session that nobody may have ended is there.
void World::judge_missing(const Flight& flight) const
{
    if (!flight.session || is_drain_begun_ || !service_) {
        return;
    }
    const auto& known = known_[*flight.session];
    const bool is_name_sure =
        flight.is_about_frames() ||
        (flight.id == known.id && known.named_at < flight.began && known.rotations_in_flight == 0);
    require(
        !is_name_sure || known.is_targeted() || may_have_gone(known, flight.began),
        std::string(to_string(flight.action)) + " did not find a session that is there"
    );
}

/// What was found is what was asked for, and can have been there.
void World::judge_found(const Flight& flight, std::size_t session)
{
    require(
        flight.session == session,
        std::string(to_string(flight.action)) + " was given another's session"
    );
    auto& known = known_[session];
    require(
        known.gone_at >= flight.began,
        std::string(to_string(flight.action)) + " found a session that had ended"
    );
    require(
        flight.id == known.id || known.named_at > flight.began,
        std::string(to_string(flight.action)) + " found a session by an id it had lost"
    );
    require(
        known.created_to == TimePoint::max() ||
            flight.earliest < saturating_add(known.created_to, known.lifetime),
        std::string(to_string(flight.action)) + " found a session that had outlived its lifetime"
    );
    const bool is_alone = known.uses_in_flight == 1 && !known.is_held();
    require(
        !is_alone || known.created_to == TimePoint::max() ||
            flight.earliest < saturating_add(known.used_to, known.idle_timeout),
        std::string(to_string(flight.action)) + " found a session that had lain idle for too long"
    );
}

/// The same for who has acquired it, and holds it from now on.
void World::judge_lease(const Flight& flight, std::size_t session)
{
    judge_found(flight, session);
    auto& known = known_[session];
    known.note_use(flight.earliest, latest());
    known.admit(flight.earliest, latest());
}

void World::created(const Flight& flight, Result<CreatedSession>& result)
{
    if (!result) {
        return;
    }
    ++created_;
    const auto& info = result->lease.info();
    const auto session = known(info.reference);
    auto& known = known_[session];
    require(!known.id, "two sessions of one reference");
    known.id = result->id;
    known.named_at = sequence_;
    known.principal = flight.creation.principal();
    known.idle_timeout = flight.creation.idle_timeout().value_or(swarm_.options.idle_timeout());
    known.lifetime =
        flight.creation.absolute_lifetime().value_or(swarm_.options.absolute_lifetime());
    known.request_rate = flight.creation.request_rate().value_or(swarm_.options.request_rate());
    known.is_established = !known.principal.empty();
    known.there_since = sequence_;
    known.owned_since = sequence_;
    known.created_from = flight.earliest;
    known.created_to = latest();
    known.note_use(flight.earliest, latest());
    known.aims = is_drain_begun_ || sweeps_in_flight_ > 0 || last_sweep_ > flight.began ? 1 : 0;
    known.see(info.attributes, 1);
    require(info.attributes.data == flight.creation.attributes(), "other attributes than given");
    require(info.principal_text() == known.principal, "another principal than given");
    known.hold(sequence_);
    leases_.push_back({
        .session = session,
        .lease = std::move(result->lease),
        .has_permit = false,
        .is_first = true,
    });
}

void World::acquired(const Flight& flight, Result<SessionLease>& result)
{
    if (!result) {
        return;
    }
    require(flight.action != Action::guess, "a guess was right");
    const auto session = known(result->info().reference);
    judge_lease(flight, session);
    auto& known = known_[session];
    known.see(result->info().attributes, flight.least_version);
    known.hold(sequence_);
    const auto most = swarm_.options.max_in_flight();
    ++permits_held_;
    require(!most || permits_held_ <= *most, "more in flight than may be");
    require(
        known.leases <= static_cast<int>(swarm_.options.max_in_flight_per_session()),
        "more in flight for one session than may be"
    );
    leases_.push_back({
        .session = session,
        .lease = std::move(*result),
        .has_permit = true,
        .is_first = false,
    });
}

void World::acquired_exclusive(const Flight& flight, Result<ExclusiveLease>& result)
{
    if (!result) {
        return;
    }
    const auto session = known(result->info().reference);
    judge_lease(flight, session);
    auto& known = known_[session];
    known.hold(sequence_);
    require(++known.exclusive_leases == 1, "two exclusive leases on one session");
    const auto most = swarm_.options.max_in_flight();
    ++permits_held_;
    require(!most || permits_held_ <= *most, "more in flight than may be");
    exclusive_leases_.push_back({
        .session = session,
        .lease = std::move(*result),
        .has_permit = true,
        .is_first = false,
    });
}

void World::acquired_weak(const Flight& flight, Result<WeakLease>& result)
{
    if (!result) {
        return;
    }
    constexpr int most = 63;
    const auto session = known(result->info().reference);
    judge_lease(flight, session);
    require(++known_[session].weak_leases <= most, "more streams than a session may have");
    known_[session].was_streamed = true;
    weak_leases_.push_back({
        .session = session,
        .lease = std::move(*result),
        .has_permit = false,
        .is_first = false,
    });
}

void World::looked_at(const Flight& flight, Result<SessionInfo>& result)
{
    if (!result) {
        return;
    }
    const auto session = known(result->reference);
    judge_found(flight, session);
    auto& known = known_[session];
    known.see(result->attributes, flight.least_version);
    if (flight.action == Action::touch) {
        known.note_use(flight.earliest, latest());
    }
}

void World::rotated(const Flight& flight, Result<SessionId>& result)
{
    if (!result) {
        return;
    }
    judge_found(flight, *flight.session);
    auto& known = known_[*flight.session];
    require(*result != *known.id, "a rotation that gives the same id");
    known.id = *result;
    known.named_at = sequence_;
    if (flight.principal) {
        known.principal = *flight.principal;
        // It may be one that is being ended.
        known.aims += sweeps_in_flight_ > 0 || last_sweep_ > flight.began ? 1 : 0;
        known.is_established = known.is_established || !flight.principal->empty();
    }
}

void World::removed(const Flight& flight, Result<void>& result)
{
    if (!result) {
        return;
    }
    judge_found(flight, *flight.session);
    auto& known = known_[*flight.session];
    known.gone_at = std::min(known.gone_at, sequence_);
}

/// Whether a sweep that is under way, or may begin now, finds the session if it has not ended.
bool World::is_surely_of(const Flight& sweep, const Known& known) const
{
    const bool is_there = known.there_since < sweep.began;
    const bool is_owned = known.principal == sweep.principal && known.owned_since < sweep.began &&
                          known.rotations_in_flight == 0;
    return is_there && (!sweep.principal || is_owned);
}

/// Once a sweep has come to its end, whom it was to end is gone; who is leased too.
void World::counted(const Flight& flight, Result<std::size_t>& result)
{
    if (!result) {
        return;
    }
    judge_count(flight, *result);
    if (!flight.is_sweep()) {
        return;
    }
    for (auto& known : known_) {
        if (is_surely_of(flight, known)) {
            known.gone_at = std::min(known.gone_at, sequence_);
        }
    }
}

/// It has ended those who were there and whom nobody else can have ended, and none who had ended
/// before.
void World::judge_count(const Flight& flight, std::size_t count) const
{
    const auto least = std::ranges::count_if(flight.victims, [&](std::size_t victim) {
        const auto& known = known_[victim];
        return known.aims == 1 && is_surely_of(flight, known) &&
               !may_have_gone(known, flight.began);
    });
    const auto there = std::ranges::count_if(known_, [&](const Known& known) {
        const bool may_be_his = !flight.principal || known.principal == *flight.principal ||
                                known.owned_since >= flight.began || known.rotations_in_flight > 0;
        return known.gone_at >= flight.began && may_be_his;
    });
    const auto most = static_cast<std::size_t>(there) +
                      static_cast<std::size_t>(creations_begun_ - creations_ended_);
    const auto what = std::string(to_string(flight.action)) + " ended " + std::to_string(count);
    require(
        is_drain_begun_ || count >= static_cast<std::size_t>(least),
        what + " sessions of at least " + std::to_string(least)
    );
    require(count <= most, what + " sessions of at most " + std::to_string(most));
}

void World::listed(const Flight& flight, Result<SessionPage>& result)
{
    if (!result) {
        return;
    }
    std::set<SessionReference> seen;
    for (const auto& info : result->sessions) {
        require(seen.insert(info.reference).second, "one session twice on one page");
        require(
            known_[known(info.reference)].gone_at >= flight.began || info.leases > 0,
            "a list shows a session that had ended"
        );
    }
}

void World::saw(const Flight& flight, Result<AttributeSnapshot>& result)
{
    if (!result) {
        return;
    }
    judge_found(flight, *flight.session);
    known_[*flight.session].see(*result, flight.least_version);
}

void World::committed(const Flight& flight, Result<std::uint64_t>& result)
{
    if (!result) {
        return;
    }
    judge_found(flight, *flight.session);
    require(*result == flight.expected_version + 1, "a commit on another version than expected");
    known_[*flight.session].see({.data = flight.data, .version = *result}, flight.least_version);
}

void World::measured(const Flight& flight, Result<Metrics>& result)
{
    if (!result) {
        return;
    }
    const auto& options = swarm_.options;
    require(result->ledger_holds(), "the ledger does not hold");
    if (options.shards() == 1) {
        // Several shards are measured one after the other.
        require(result->live <= options.max_sessions(), "more sessions than may be");
        require(result->half_open <= options.max_half_open(), "more half-open than may be");
        const auto pending = result->pending_creations + result->pending_removals;
        require(
            pending <= options.max_sessions() + options.max_pending_events() ||
                options.max_pending_events() < 2,
            "more wait to be told than may"
        );
    }
    if (options.shards() == 1) {
        require(
            result->frame_bytes <= options.max_frame_bytes(), "more bytes of frames than may be"
        );
    }
    require(
        result->frames <= options.max_sessions() * options.max_frames_per_session(),
        "more frames than may be"
    );
    require(
        result->frames_recorded >= flight.least_frames &&
            result->frames_recorded <= frames_recorded_ + recordings_in_flight_,
        "other frames are counted than were recorded"
    );
    require(
        result->created >= flight.least_created, "sessions were delivered that were not counted"
    );
    require(result->removed_by(RemovalCause::drained) == 0 || is_drain_begun_, "drained by nobody");
}

void World::asked(const Flight& /*flight*/, Result<Health>& result)
{
    require(
        !result || result->state == ServiceState::running || is_drain_begun_,
        "not running, though nobody drains"
    );
}

void World::touched_weak(const Flight& flight, Result<void>& result)
{
    if (result) {
        known_[*flight.session].note_use(flight.earliest, latest());
    }
}

/// The wait is over because the session has ended, or all its leases are given back.
void World::saw_end(const Flight& flight, Result<void>& result)
{
    if (!result || !service_ || is_drain_begun_) {
        return;
    }
    const auto& known = known_[*flight.session];
    require(
        known.leases == 0 || known.leased_since >= flight.began || known.is_targeted() ||
            latest() >= known.lifetime_end(),
        "a session is said to have ended that is leased and that nobody ended"
    );
}

void World::drained(const Flight& /*flight*/, Result<DrainReport>& result)
{
    if (!result) {
        return;
    }
    require(result->still_leased <= result->cancelled, "more are left than were cancelled");
    is_drain_cut_off_ =
        is_drain_cut_off_ || result->events_undelivered > 0 || result->still_leased > 0;
    require(
        !service_ || service_->state() == ServiceState::closed, "a drain that ends before the end"
    );
}

} // namespace sojourn::tests::sim

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
        return error == errc::not_found;
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
        require(error.retry_after() > Duration::zero(), "a rate limit that does not say how long");
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

/// A session that somebody has held all the time, and that nobody may have ended, is there.
void World::judge_missing(const Flight& flight) const
{
    if (!flight.session || is_drain_begun_ || !service_) {
        return;
    }
    const auto& known = known_[*flight.session];
    const bool is_name_sure =
        flight.id == known.id && known.named_at < flight.began && known.rotations_in_flight == 0;
    const bool is_rotation = flight.action == Action::rotate || flight.action == Action::log_in;
    const bool was_held = known.leased_since < flight.began;
    const bool has_time =
        !swarm_.clock_goes_back && now() < saturating_add(known.created_from, known.lifetime);
    require(
        !is_name_sure || is_rotation || !was_held || known.is_targeted || !has_time,
        std::string(to_string(flight.action)) + " did not find a session that is leased"
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
    if (swarm_.clock_goes_back) {
        return;
    }
    require(
        known.created_to == TimePoint::max() ||
            flight.began_at < saturating_add(known.created_to, known.lifetime),
        std::string(to_string(flight.action)) + " found a session that had outlived its lifetime"
    );
    const bool is_alone = known.uses_in_flight == 1 && !known.is_held();
    require(
        !is_alone || known.created_to == TimePoint::max() ||
            flight.began_at < saturating_add(known.used_to, known.idle_timeout),
        std::string(to_string(flight.action)) + " found a session that had lain idle for too long"
    );
}

/// The same for who has acquired it, and holds it from now on.
void World::judge_lease(const Flight& flight, std::size_t session)
{
    judge_found(flight, session);
    auto& known = known_[session];
    known.note_use(flight.began_at, now());
    if (!swarm_.clock_goes_back) {
        known.admit(flight.began_at, now());
    }
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
    known.created_from = flight.began_at;
    known.created_to = now();
    known.note_use(flight.began_at, now());
    known.is_targeted = is_drain_begun_ || sweeps_in_flight_ > 0 || last_sweep_ > flight.began;
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
        known.note_use(flight.began_at, now());
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
        known.is_targeted =
            known.is_targeted || sweeps_in_flight_ > 0 || last_sweep_ > flight.began;
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

void World::counted(const Flight& /*flight*/, Result<std::size_t>& /*result*/) {}

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
        known_[*flight.session].note_use(flight.began_at, now());
    }
}

/// The wait is over because the session has ended, or all its leases are given back.
void World::saw_end(const Flight& flight, Result<void>& result)
{
    if (!result || !service_ || is_drain_begun_) {
        return;
    }
    const auto& known = known_[*flight.session];
    const bool has_time =
        !swarm_.clock_goes_back && now() < saturating_add(known.created_from, known.lifetime);
    require(
        known.leases == 0 || known.leased_since >= flight.began || known.is_targeted || !has_time,
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

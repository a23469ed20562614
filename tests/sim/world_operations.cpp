// What the clients of a simulated world begin.

#include "sim/world_flight.hpp"
#include "sim/world_launch.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace asio = boost::asio;
using boost::asio::awaitable;
using boost::asio::use_awaitable;
using namespace std::chrono_literals;

namespace sojourn::tests::sim {

namespace {

std::string principal_name(std::uint32_t number)
{
    return "principal " + std::to_string(number % 3);
}

std::string peer_name(std::uint32_t number)
{
    return "peer " + std::to_string(number % 6);
}

} // namespace

/// An operation that is to begin.
World::FlightPointer World::prepare(Action action, std::optional<std::size_t> session) const
{
    auto flight = std::make_shared<Flight>();
    flight->action = action;
    flight->session = session;
    if (session) {
        flight->id = known_[*session].id;
    }
    return flight;
}

/// From here on the operation may have its effect.
void World::take_off(Flight& flight)
{
    flight.began = ++sequence_;
    flight.earliest = now();
    flight.least_created = created_;
    creations_begun_ += flight.action == Action::create ? 1U : 0U;
    if (flight.session) {
        auto& known = known_[*flight.session];
        flight.least_version = known.version;
        flight.least_frames = known.frames.answered();
        known.uses_in_flight += flight.is_about_frames() ? 0 : 1;
        known.requests_in_flight += flight.is_request() ? 1 : 0;
        if (flight.is_rotation()) {
            ++known.rotations_in_flight;
            // Whose it becomes may be one that is being ended, which may show before the new id.
            known.aims += sweeps_in_flight_;
        }
        if (flight.action == Action::remove) {
            ++known.aims;
        }
        if (flight.action == Action::record) {
            known.frames.begin();
            ++recordings_in_flight_;
        }
        if (flight.action == Action::follow_frames) {
            known.most_followers = std::max(known.most_followers, ++known.followers);
        }
    } else {
        flight.least_frames = frames_recorded_;
    }
    if (flight.is_sweep()) {
        for (std::size_t i = 0; i < known_.size(); ++i) {
            const auto& known = known_[i];
            if (known.gone_at == never && !known.is_targeted() && is_surely_of(flight, known)) {
                flight.victims.push_back(i);
            }
        }
        ++sweeps_in_flight_;
        target(flight.principal);
    }
}

/// And from here on no other.
void World::touch_down(const Flight& flight)
{
    creations_ended_ += flight.action == Action::create ? 1U : 0U;
    if (!flight.session) {
        return;
    }
    auto& known = known_[*flight.session];
    if (flight.action == Action::record) {
        known.frames.end();
        --recordings_in_flight_;
    }
    if (flight.action == Action::follow_frames) {
        --known.followers;
    }
    if (flight.is_about_frames()) {
        return;
    }
    --known.uses_in_flight;
    // One that failed may have held it until now.
    known.used_to = std::max(known.used_to, latest());
    if (flight.is_rotation()) {
        --known.rotations_in_flight;
        known.owned_since = sequence_;
    }
    if (flight.is_request()) {
        --known.requests_in_flight;
        if (!flight.is_uncounted) {
            known.requests.push_back(latest());
        }
    }
}

void World::land(const FlightPointer& flight, const std::exception_ptr& failure)
{
    flight->is_done = true;
    if (flight->is_sweep() && flight->began != never) {
        --sweeps_in_flight_;
        last_sweep_ = ++sequence_;
    }
    if (failure && !violation_ && !flight->is_cancelled) {
        violation_ = failure;
    }
    if (failure && flight->is_cancelled) {
        try {
            std::rethrow_exception(failure);
        } catch (const boost::system::system_error& error) {
            // On co_spawn's own way out.
            if (error.code() != asio::error::operation_aborted || !flight->has_finished) {
                violation_ = failure;
            }
        } catch (...) {
            violation_ = failure;
        }
    }
}

/// These may end from now on: all, or those who are or may become the principal's.
void World::target(const std::optional<std::string>& principal)
{
    for (auto& known : known_) {
        if (!principal || known.principal == *principal || known.rotations_in_flight > 0) {
            ++known.aims;
        }
    }
}

/// A session: most often one of the latest.
std::optional<std::size_t> World::find_session(std::uint32_t number) const
{
    if (known_.empty()) {
        return std::nullopt;
    }
    constexpr std::size_t latest = 6;
    const auto count = known_.size();
    const auto index =
        number % 8 == 0 ? number / 8 % count : count - 1 - number / 8 % std::min(count, latest);
    return known_[index].id ? std::optional(index) : std::nullopt;
}

World::Operation World::begin(const Step& step)
{
    begun_.reset();
    begin_step(step);
    return begun_;
}

World::Operation World::post(const Step& step)
{
    if (step.action != Action::release && step.action != Action::pass_time) {
        return begin(step);
    }
    asio::post(simulation_->executor(), [this, step] { begin_step(step); });
    return {};
}

void World::begin_step(const Step& step)
{
    const auto face = step.numbers[2] % 2 == 0 ? Face::coroutine : Face::handler;
    switch (step.action) {
    case Action::create:
        begin_creation(step, face);
        return;
    case Action::release:
        release(step.numbers[0]);
        return;
    case Action::touch_weak:
        touch_weak(step.numbers[0]);
        return;
    case Action::wait_for_end:
        wait_for_end(step.numbers[0]);
        return;
    case Action::record:
        record(step);
        return;
    case Action::read_frames:
    case Action::follow_frames:
        begin_reading(step, face);
        return;
    case Action::pass_time:
        pass_some(step);
        return;
    case Action::turn_back:
        turn_back(step);
        return;
    case Action::drain: {
        constexpr std::array<Duration, 4> limits = {0s, 1s, 60s, Duration::max()};
        begin_drain(
            limits.at(step.numbers[0] % limits.size()), step.numbers[1] % 2 == 0 ? 0s : 1s, face
        );
        return;
    }
    case Action::cancel:
        if (!flights_.empty()) {
            constexpr std::array types = {
                asio::cancellation_type::terminal,
                asio::cancellation_type::partial,
                asio::cancellation_type::total,
            };
            // A copy: what is cancelled may end here.
            const auto flight = flights_[step.numbers[0] % flights_.size()];
            if (flight->action != Action::drain) {
                flight->is_cancelled = true;
                ++outcome_.cancellations;
                flight->signal.emit(types.at(step.numbers[1] % types.size()));
            }
        }
        return;
    case Action::list:
        launch<SessionPage>(
            prepare(step.action),
            [limit = step.numbers[0] % 5 + 1](SessionService& service) {
                return service.list(ListOptions().limit(limit));
            },
            &World::listed
        );
        return;
    case Action::remove_by_principal: {
        const auto name = principal_name(step.numbers[0]);
        const auto flight = prepare(step.action);
        flight->principal = name;
        launch<std::size_t>(
            flight,
            [name, face](SessionService& service) {
                return face == Face::coroutine
                           ? service.remove_by_principal(name)
                           : service.async_remove_by_principal(name, use_awaitable);
            },
            &World::counted
        );
        return;
    }
    case Action::cleanup:
    case Action::end_all:
        launch<std::size_t>(
            prepare(step.action),
            [scope = step.action == Action::cleanup ? CleanupScope::expired : CleanupScope::all,
             face](SessionService& service) {
                return face == Face::coroutine ? service.cleanup(scope)
                                               : service.async_cleanup(scope, use_awaitable);
            },
            &World::counted
        );
        return;
    case Action::metrics:
        launch<Metrics>(
            prepare(step.action),
            [face](SessionService& service) {
                return face == Face::coroutine ? service.metrics()
                                               : service.async_metrics(use_awaitable);
            },
            &World::measured
        );
        return;
    case Action::health:
        launch<Health>(
            prepare(step.action),
            [](SessionService& service) { return service.health(); },
            &World::asked
        );
        return;
    case Action::guess: {
        std::array<std::byte, SessionId::entropy_bytes> bytes{};
        bytes[0] = static_cast<std::byte>(step.numbers[0] & 0xFFU);
        const auto id = SessionId::from_entropy(bytes);
        launch<SessionLease>(
            prepare(step.action),
            [id, peer = peer_name(step.numbers[1])](SessionService& service) {
                return service.acquire(id, AcquireOptions().peer(peer));
            },
            &World::acquired
        );
        return;
    }
    default:
        if (const auto session = find_session(step.numbers[0])) {
            begin_on(step.action, *session, step, face);
        }
    }
}

void World::begin_on(Action action, std::size_t session, const Step& step, Face face)
{
    const auto id = *known_[session].id;
    const bool is_coroutine = face == Face::coroutine;
    switch (action) {
    case Action::acquire:
        launch<SessionLease>(
            prepare(action, session),
            [id, is_coroutine](SessionService& service) {
                return is_coroutine ? service.acquire(id)
                                    : service.async_acquire(id, use_awaitable);
            },
            &World::acquired
        );
        return;
    case Action::acquire_exclusive: {
        constexpr std::array<Duration, 4> limits = {0s, 10ms, 1s, Duration::max()};
        const auto limit = limits.at(step.numbers[1] % limits.size());
        const auto flight = prepare(action, session);
        flight->is_patient = limit == Duration::max();
        launch<ExclusiveLease>(
            flight,
            [id, limit, is_coroutine](SessionService& service) {
                return is_coroutine ? service.acquire_exclusive(id, limit)
                                    : service.async_acquire_exclusive(id, limit, use_awaitable);
            },
            &World::acquired_exclusive
        );
        return;
    }
    case Action::acquire_weak:
        launch<WeakLease>(
            prepare(action, session),
            [id, is_coroutine](SessionService& service) {
                return is_coroutine ? service.acquire_weak(id)
                                    : service.async_acquire_weak(id, use_awaitable);
            },
            &World::acquired_weak
        );
        return;
    case Action::peek:
    case Action::touch:
        launch<SessionInfo>(
            prepare(action, session),
            [id, action, is_coroutine](SessionService& service) {
                if (action == Action::peek) {
                    return is_coroutine ? service.peek(id) : service.async_peek(id, use_awaitable);
                }
                return is_coroutine ? service.touch(id) : service.async_touch(id, use_awaitable);
            },
            &World::looked_at
        );
        return;
    case Action::rotate:
    case Action::log_in: {
        RotateOptions options;
        if (action == Action::log_in) {
            options.principal(step.numbers[1] % 4 == 0 ? "" : principal_name(step.numbers[1]));
        }
        const auto flight = prepare(action, session);
        flight->principal = options.principal();
        launch<SessionId>(
            flight,
            [id, options, is_coroutine](SessionService& service) {
                return is_coroutine ? service.rotate(id, options)
                                    : service.async_rotate(id, options, use_awaitable);
            },
            &World::rotated
        );
        return;
    }
    case Action::remove:
        launch<void>(
            prepare(action, session),
            [id, is_coroutine](SessionService& service) {
                return is_coroutine ? service.remove(id) : service.async_remove(id, use_awaitable);
            },
            &World::removed
        );
        return;
    case Action::snapshot:
        launch<AttributeSnapshot>(
            prepare(action, session),
            [id, is_coroutine](SessionService& service) {
                return is_coroutine ? service.snapshot(id)
                                    : service.async_snapshot(id, use_awaitable);
            },
            &World::saw
        );
        return;
    case Action::commit:
        begin_commit(session, step, face);
        return;
    case Action::modify: {
        const auto value = std::to_string(++attribute_values_);
        const bool throws = step.numbers[1] % 5 == 0;
        const auto flight = prepare(action, session);
        flight->may_throw = throws;
        launch<AttributeSnapshot>(
            flight,
            [id, value, throws, is_coroutine](SessionService& service) {
                auto change = [value, throws](Attributes& data) {
                    data.set("value", value);
                    if (throws) {
                        throw Thrown();
                    }
                };
                return is_coroutine ? service.modify(id, std::move(change))
                                    : service.async_modify(id, std::move(change), use_awaitable);
            },
            &World::saw
        );
        return;
    }
    default:
        throw Violation("a step that nobody takes");
    }
}

void World::begin_creation(const Step& step, Face face)
{
    CreateOptions options;
    const auto kind = step.numbers[0];
    if (kind % 3 != 0) {
        options.principal(principal_name(step.numbers[1]));
    }
    if (kind % 5 < 2) {
        options.peer(peer_name(step.numbers[1]));
    }
    if (kind % 7 < 2) {
        options.attributes({{"value", std::string(kind % 64, 'a')}});
    }
    if (kind % 11 == 0) {
        options.idle_timeout(2s).absolute_lifetime(10s);
    }
    if (kind % 13 == 0) {
        options.request_rate(RateLimit(1, 1));
    }
    const auto flight = prepare(Action::create);
    flight->creation = options;
    launch<CreatedSession>(
        flight,
        [options, face](SessionService& service) {
            return face == Face::coroutine ? service.create(options)
                                           : service.async_create(options, use_awaitable);
        },
        &World::created
    );
}

void World::begin_commit(std::size_t session, const Step& step, Face face)
{
    auto& known = known_[session];
    const Attributes data{{"value", std::to_string(++attribute_values_)}};
    const auto expected = step.numbers[1] % 4 == 0 ? known.version + 1 : known.version;
    const auto flight = prepare(Action::commit, session);
    flight->expected_version = expected;
    flight->data = data;
    launch<std::uint64_t>(
        flight,
        [id = *known.id, expected, data, face](SessionService& service) {
            return face == Face::coroutine
                       ? service.commit(id, expected, data)
                       : service.async_commit(id, expected, data, use_awaitable);
        },
        &World::committed
    );
}

void World::begin_drain(Duration limit, Duration grace, Face face)
{
    is_drain_begun_ = true;
    target(std::nullopt);
    const auto options = DrainOptions().limit(limit).cancel_grace(grace);
    launch<DrainReport>(
        prepare(Action::drain),
        [options, face](SessionService& service) {
            return face == Face::coroutine ? service.drain(options)
                                           : service.async_drain(options, use_awaitable);
        },
        &World::drained
    );
}

/// Gives one of the leases back. Taken out first: somebody may come between, and take another.
void World::release(std::uint32_t number)
{
    const auto take = [&](auto& held) {
        const auto place = held.begin() + static_cast<std::ptrdiff_t>(number);
        auto taken = std::move(*place);
        held.erase(place);
        return taken;
    };
    const auto all = leases_.size() + exclusive_leases_.size() + weak_leases_.size();
    if (all == 0) {
        return;
    }
    ++outcome_.operations;
    number %= static_cast<std::uint32_t>(all);
    if (number < leases_.size()) {
        auto held = take(leases_);
        auto& known = known_[held.session];
        known.is_established = known.is_established || !held.is_first;
        known.let_go(now(), latest());
        permits_held_ -= held.has_permit ? 1U : 0U;
        held.lease.release();
        return;
    }
    number -= static_cast<std::uint32_t>(leases_.size());
    if (number < exclusive_leases_.size()) {
        auto held = take(exclusive_leases_);
        auto& known = known_[held.session];
        known.is_established = true;
        known.let_go(now(), latest());
        --known.exclusive_leases;
        permits_held_ -= held.has_permit ? 1U : 0U;
        held.lease.release();
        return;
    }
    number -= static_cast<std::uint32_t>(exclusive_leases_.size());
    auto held = take(weak_leases_);
    auto& known = known_[held.session];
    --known.weak_leases;
    known.note_use(now(), latest());
    held.lease.release();
}

void World::release_all()
{
    while (!leases_.empty() || !exclusive_leases_.empty() || !weak_leases_.empty()) {
        release(0);
    }
}

void World::touch_weak(std::uint32_t number)
{
    if (weak_leases_.empty()) {
        return;
    }
    auto& held = weak_leases_[number % weak_leases_.size()];
    // The lease may be moved or given back before the coroutine begins.
    const auto touch = std::make_shared<awaitable<Result<void>>>(held.lease.touch());
    launch<void>(
        prepare(Action::touch_weak, held.session),
        [touch](SessionService& /*service*/) { return std::move(*touch); },
        &World::touched_weak
    );
}

void World::wait_for_end(std::uint32_t number)
{
    const auto begin = [&](auto& all) {
        auto& held = all[number / 2 % all.size()];
        const auto wait = std::make_shared<awaitable<Result<void>>>(held.lease.closed());
        launch<void>(
            prepare(Action::wait_for_end, held.session),
            [wait](SessionService& /*service*/) { return std::move(*wait); },
            &World::saw_end
        );
    };
    if (number % 2 == 0 && !leases_.empty()) {
        begin(leases_);
    } else if (!weak_leases_.empty()) {
        begin(weak_leases_);
    }
}

void World::pass_some(const Step& step)
{
    constexpr std::array<Duration, 8> lengths = {1ns, 1ms, 10ms, 100ms, 400ms, 1s, 10s, 31min};
    const auto length = lengths.at(step.numbers[0] % lengths.size());
    if (step.numbers[1] % 2 == 0) {
        // What is ready has not run when this moment comes.
        clock_->advance(length);
    } else {
        pass(length);
    }
}

void World::turn_back(const Step& step)
{
    constexpr std::array<Duration, 3> lengths = {1ns, 1s, 59min};
    latest_before_turning_ = latest();
    clock_->set(std::max(now() - lengths.at(step.numbers[0] % lengths.size()), TimePoint()));
    for (const auto& flight : flights_) {
        flight->earliest = std::min(flight->earliest, now());
    }
}

bool World::cancel(const Operation& operation, asio::cancellation_type type)
{
    const auto flight = operation.lock();
    if (!flight || flight->is_done) {
        return false;
    }
    flight->is_cancelled = true;
    ++outcome_.cancellations;
    flight->signal.emit(type);
    return true;
}

} // namespace sojourn::tests::sim

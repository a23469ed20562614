// The listeners of a simulated world: what they are told is written down, and then they do what no
// listener should.

#include "sim/world_flight.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace asio = boost::asio;
using boost::asio::awaitable;
using namespace std::chrono_literals;

namespace sojourn::tests::sim {

ServiceEnvironment World::environment()
{
    ServiceEnvironment environment;
    if (swarm_.hears_created) {
        environment.on_created([this](SessionInfo session) {
            return hear_created(std::move(session));
        });
    }
    if (swarm_.hears_removed) {
        environment.on_removed([this](RemovedSession session) {
            return hear_removed(std::move(session));
        });
    }
    return environment;
}

awaitable<void> World::hear_created(SessionInfo session)
{
    auto& known = known_[this->known(session.reference)];
    const bool is_first = ++known.told_created == 1;
    const bool is_in_order = known.told_removed == 0;
    if (!is_first || !is_in_order) {
        violation_ = std::make_exception_ptr(
            Violation(is_first ? "a creation told after the end" : "a creation told twice")
        );
    }
    co_await misbehave(session.reference);
}

awaitable<void> World::hear_removed(RemovedSession session)
{
    try {
        judge_removal(session);
    } catch (const Violation&) {
        violation_ = std::current_exception();
    }
    co_await misbehave(session.reference);
}

void World::judge_removal(const RemovedSession& session)
{
    auto& known = known_[this->known(session.reference)];
    require(++known.told_removed == 1, "a removal told twice");
    require(known.leases == 0, "a session ended that is leased");
    known.gone_at = std::min(known.gone_at, sequence_);
    const bool is_ours = known.created_to != TimePoint::max();
    const auto cause = session.cause;
    require(
        cause != RemovalCause::deleted || !is_ours || known.is_targeted(), "deleted, but by nobody"
    );
    require(cause != RemovalCause::drained || is_drain_begun_, "drained, but nobody drains");
    require(cause != RemovalCause::evicted || may_evict(), "evicted, and nobody needed room");
    if (!is_ours) {
        return;
    }
    const auto& options = swarm_.options;
    require(
        cause != RemovalCause::expired_lifetime || latest() >= known.lifetime_end(),
        "a lifetime that ended early"
    );
    require(
        cause != RemovalCause::expired_idle ||
            latest() >= known.idle_end(options.half_open_timeout()),
        "an idle time that ended early"
    );
    // Who has come back has a grace, but not among his principal's own. A stream is given back
    // perhaps when its session has gone.
    const bool has_grace =
        known.is_established && !options.max_sessions_per_principal() && !known.was_streamed;
    require(
        cause != RemovalCause::evicted || !has_grace ||
            latest() >= saturating_add(known.used_from, options.eviction_grace()),
        "evicted within its grace"
    );
}

awaitable<void> World::misbehave(SessionReference reference)
{
    if (is_ending_) {
        co_return;
    }
    if (happens(swarm_.listener_calls_back) && service_) {
        co_await call_back(reference);
    }
    if (happens(swarm_.listener_sleeps)) {
        co_await simulation_->sleep(5ms * static_cast<int>(choose(5)));
    }
    if (happens(swarm_.listener_hangs)) {
        // Until it is cancelled.
        co_await simulation_->sleep(24h);
    }
    if (happens(swarm_.listener_throws)) {
        ++listener_faults_;
        if (choose(2) == 0) {
            throw std::runtime_error("a listener's own");
        }
        throw 42; // NOLINT(hicpp-exception-baseclass): whatever comes
    }
}

/// A listener that uses the service it listens to.
awaitable<void> World::call_back(SessionReference reference)
{
    auto& service = *service_;
    if (choose(2) == 0) {
        // Perhaps it is cancelled, and nobody knows whether there is one more.
        ++creations_begun_;
        const auto result = co_await service.create(CreateOptions().principal("listener"));
        ++creations_ended_;
        if (result) {
            ++created_;
            (void)known(result->lease.info().reference);
        }
        co_return;
    }
    auto& known = known_[this->known(reference)];
    if (known.id) {
        const auto id = *known.id;
        // A listener that is cancelled here leaves open whether it has touched the session.
        ++known.uses_in_flight;
        (void)co_await service.touch(id);
        --known.uses_in_flight;
        known.used_to = std::max(known.used_to, latest());
    }
}

} // namespace sojourn::tests::sim

#include "sojourn/service/admission.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

using boost::asio::awaitable;

namespace sojourn {

namespace {

/// How long one may wait for others who look at sessions of the same principal. Each of them takes
/// a turn or two in every shard, which is nothing like it.
constexpr Duration lane_limit = std::chrono::seconds(5);

} // namespace

Admission::Admission(
    const boost::asio::any_io_executor& executor,
    const ServiceOptions& options,
    HashKey key,
    std::shared_ptr<Clock> clock,
    const ShardSet& shards,
    OnArrival on_arrival
)
    : options_(options),
      key_(key),
      clock_(std::move(clock)),
      shards_(shards),
      capacity_(std::make_shared<Capacity>(
          bounds_of(options, options.max_sessions(), options.max_pending_events(), on_arrival)
      )),
      principal_bound_(options.max_sessions_per_principal().value_or(Capacity::unbounded)),
      creation_limiter_(executor, options, key)
{
    if (options.shards() > 1 && principal_bound_ != Capacity::unbounded) {
        const auto lane =
            SemaphoreOptions().max_waiters(SemaphoreOptions::most).max_wait(lane_limit);
        for (std::size_t i = 0; i < options.shards(); ++i) {
            lanes_.emplace_back(executor, lane, clock_);
        }
    }
}

bool Admission::is_limited(const CreateOptions& options) const noexcept
{
    return !options_.creation_rate().is_unlimited() &&
           (!options.peer().empty() || !options.principal().empty());
}

awaitable<Result<void>> Admission::limit(const CreateOptions& options)
{
    // Too long is refused later, for all.
    if (options.peer().size() > max_peer_length ||
        options.principal().size() > max_principal_length) {
        co_return Result<void>();
    }
    const auto now = clock_->steady();
    const auto admit = [&options, now](CreationLimiter& limiter) noexcept {
        return options.peer().empty() ? limiter.principals.admit(options.principal(), now)
                                      : limiter.peers.admit(options.peer(), now);
    };
    const auto wait = co_await creation_limiter_.call(admit);
    if (wait > Duration::zero()) {
        rate_limited_.fetch_add(1, std::memory_order_relaxed);
        co_return Error(errc::rate_limited, wait);
    }
    co_return Result<void>();
}

awaitable<Result<void>> Admission::limit_guess(const std::string& peer)
{
    const auto now = clock_->steady();
    const auto admit = [&peer, now](CreationLimiter& limiter) noexcept {
        return limiter.peers.admit(peer, now);
    };
    const auto wait = co_await creation_limiter_.call(admit);
    if (wait > Duration::zero()) {
        guesses_limited_.fetch_add(1, std::memory_order_relaxed);
        co_return Error(errc::rate_limited, wait);
    }
    co_return Result<void>();
}

bool Admission::is_bounded(std::string_view principal) const noexcept
{
    return !principal.empty() && principal_bound_ != Capacity::unbounded;
}

std::optional<Capacity::Place> Admission::take_place(const NewSession& fresh) noexcept
{
    const auto demand = fresh.demand();
    return is_bounded(fresh.principal) || !capacity_->may_add_bytes(demand.bytes)
               ? std::nullopt
               : capacity_->take(demand);
}

awaitable<Result<Permit>> Admission::enter_lane(std::string_view principal)
{
    if (!is_bounded(principal)) {
        co_return Permit();
    }
    const auto hash = keyed_hash(key_, principal);
    auto permit = co_await lanes_[hash % lanes_.size()].acquire();
    if (!permit && permit.error() == errc::timed_out) {
        co_return Error(errc::overloaded, lane_limit);
    }
    co_return std::move(permit);
}

awaitable<std::optional<Shortage>>
Admission::make_room(const NewSession& fresh, Capacity::Place& place)
{
    // No co_await stands behind a && or || here, and no co_return converts: g++ 12 gets both wrong.
    std::optional<Shortage> lacking;
    if (is_bounded(fresh.principal)) {
        const bool has_own = co_await make_room_among_own(fresh.principal, place);
        if (!has_own) {
            lacking = Shortage::own;
        }
    }
    if (!lacking) {
        const bool has_common = co_await make_common_room(fresh, place);
        if (!has_common) {
            lacking = Shortage::common;
        }
    }
    co_return lacking;
}

awaitable<bool> Admission::make_common_room(const NewSession& fresh, Capacity::Place& place)
{
    const auto demand = fresh.demand();
    if (!capacity_->may_add_bytes(demand.bytes)) {
        co_return false;
    }
    if (place.take(demand)) {
        co_return true;
    }
    const auto home = shards_.index_of(fresh.id.hash);
    if (demand.is_half_open) {
        const auto half_open = [&place](SessionTable& table) {
            return table.make_half_open_room(place);
        };
        if (!co_await shards_.ask_around(home, half_open)) {
            co_return false;
        }
    }
    const auto session = [&place](SessionTable& table) { return table.make_session_room(place); };
    bool has_session = co_await shards_.ask_oldest_first(home, session);
    if (!has_session && demand.is_half_open) {
        const auto other = [&place](SessionTable& table) { return table.evict_half_open(place); };
        has_session = co_await shards_.ask_around(home, other);
    }
    if (!has_session) {
        co_return false;
    }
    co_return co_await make_byte_room(home, demand.bytes, place);
}

awaitable<bool> Admission::make_room_among_own(const std::string& name, Capacity::Place& place)
{
    // The oldest may be used in the moment in which it is found.
    constexpr int max_attempts = 4;

    const auto evict = [&](SessionTable& table) { return table.make_principal_room(name, place); };
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        SessionTable::PrincipalUse all;
        Shard* oldest = nullptr;
        for (const auto& shard : shards_) {
            auto look = [&name](ShardState& state) -> Result<SessionTable::PrincipalUse> {
                return state.table().use_by(name);
            };
            const auto use = co_await shard->call(std::move(look));
            if (!use) {
                co_return false;
            }
            all.sessions += use->sessions;
            if (use->oldest_use < all.oldest_use) {
                all.oldest_use = use->oldest_use;
                oldest = shard.get();
            }
        }
        if (all.sessions < principal_bound_) {
            co_return true;
        }
        if (oldest == nullptr || options_.when_full() != WhenFull::evict_idle) {
            co_return false;
        }
        if (co_await ShardSet::ask(*oldest, evict)) {
            co_return true;
        }
    }
    co_return false;
}

awaitable<bool>
Admission::make_byte_room(std::size_t home, std::size_t bytes, Capacity::Place& place)
{
    if (place.take_bytes(bytes)) {
        co_return true;
    }
    // What is overdue goes first; and nobody shall end in vain.
    std::size_t freeable = 0;
    const auto look = [&](SessionTable& table) {
        const bool is_made = table.reclaim_bytes(bytes, place);
        freeable += is_made ? 0 : table.freeable_bytes();
        return is_made;
    };
    if (co_await shards_.ask_around(home, look)) {
        co_return true;
    }
    if (freeable < place.lacking_bytes(bytes)) {
        co_return false;
    }
    const auto free = [&](SessionTable& table) { return table.free_bytes(bytes, place); };
    co_return co_await shards_.ask_oldest_first(home, free);
}

} // namespace sojourn

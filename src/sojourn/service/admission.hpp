/// @file
/// Private header. Who may have a session, where that is decided for all shards together: who has
/// created too many lately, and who makes room when there is none.

#ifndef SOJOURN_SERVICE_ADMISSION_HPP
#define SOJOURN_SERVICE_ADMISSION_HPP

#include "sojourn/async/async_semaphore.hpp"
#include "sojourn/async/clock.hpp"
#include "sojourn/async/confined.hpp"
#include "sojourn/core/capacity.hpp"
#include "sojourn/core/create_options.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/core/keyed_rate_limiter.hpp"
#include "sojourn/core/service_options.hpp"
#include "sojourn/core/session_table.hpp"
#include "sojourn/service/shard_set.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sojourn {

/// The admission of new sessions. Its coroutines must be awaited by one who keeps it.
///
/// *Thread safety*: all members, any thread.
class Admission {
public:
    /// The options and the shards must outlive it.
    Admission(
        const boost::asio::any_io_executor& executor,
        const ServiceOptions& options,
        HashKey key,
        std::shared_ptr<Clock> clock,
        const ShardSet& shards,
        OnArrival on_arrival
    );

    [[nodiscard]] const std::shared_ptr<Capacity>& capacity() const noexcept { return capacity_; }

    /// Whether there is somebody whose creations are limited.
    [[nodiscard]] bool is_limited(const CreateOptions& options) const noexcept;

    /// Counts a creation by who is limited. *Errors*: `rate_limited`.
    [[nodiscard]] boost::asio::awaitable<Result<void>> limit(const CreateOptions& options);

    /// Counts a guess of an id by where it came from. *Errors*: `rate_limited`.
    [[nodiscard]] boost::asio::awaitable<Result<void>> limit_guess(const std::string& peer);

    /// Guesses that `limit_guess` has refused.
    [[nodiscard]] std::uint64_t guesses_limited() const noexcept
    {
        return guesses_limited_.load(std::memory_order_relaxed);
    }

    /// Creations that `limit` has refused.
    [[nodiscard]] std::uint64_t rate_limited() const noexcept
    {
        return rate_limited_.load(std::memory_order_relaxed);
    }

    /// Whether this principal may have too many sessions already.
    [[nodiscard]] bool is_bounded(std::string_view principal) const noexcept;

    /// A place, if there is one and nobody needs to be asked.
    [[nodiscard]] std::optional<Capacity::Place> take_place(const NewSession& fresh) noexcept;

    /// What `enter_lane` enters: no line if one turn does it all.
    [[nodiscard]] std::deque<AsyncSemaphore>& lanes() noexcept { return lanes_; }

    /// For who looks how many sessions a principal has, over all shards, and makes one more:
    /// another who did the same meanwhile would pass the bound. *Errors*: `overloaded`, if it took
    /// too long; `stopping`.
    [[nodiscard]] boost::asio::awaitable<Result<Permit>> enter_lane(std::string_view principal);

    /// Collects all that the session needs, in whichever shards it is; the caller is in its
    /// principal's lane. Nothing if there is room, else what is lacking.
    [[nodiscard]] boost::asio::awaitable<std::optional<Shortage>>
    make_room(const NewSession& fresh, Capacity::Place& place);

    /// Room among the principal's own sessions, in whichever shards they are.
    [[nodiscard]] boost::asio::awaitable<bool>
    make_room_among_own(const std::string& name, Capacity::Place& place);

private:
    /// Who may create another session: by where they come from, or else by who they are.
    struct CreationLimiter {
        CreationLimiter(const ServiceOptions& options, HashKey key)
            : peers(options.creation_rate(), options.creation_keys(), key),
              principals(options.creation_rate(), options.creation_keys(), key)
        {
        }

        KeyedRateLimiter peers;
        KeyedRateLimiter principals;
    };

    [[nodiscard]] boost::asio::awaitable<bool>
    make_common_room(const NewSession& fresh, Capacity::Place& place);
    [[nodiscard]] boost::asio::awaitable<bool>
    make_byte_room(std::size_t home, std::size_t bytes, Capacity::Place& place);

    const ServiceOptions& options_;
    const HashKey key_;
    const std::shared_ptr<Clock> clock_;
    const ShardSet& shards_;
    const std::shared_ptr<Capacity> capacity_;
    const std::size_t principal_bound_;
    Confined<CreationLimiter> creation_limiter_;
    std::atomic<std::uint64_t> rate_limited_{0};
    std::atomic<std::uint64_t> guesses_limited_{0};
    /// Of principals, by hash; none where one turn does it all.
    std::deque<AsyncSemaphore> lanes_;
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_ADMISSION_HPP

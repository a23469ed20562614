/// @file
/// Private header. Where new sessions wait for room, if that is the policy: `WhenFull::wait`.

#ifndef SOJOURN_SERVICE_CREATION_LINE_HPP
#define SOJOURN_SERVICE_CREATION_LINE_HPP

#include "sojourn/async/async_semaphore.hpp"
#include "sojourn/async/clock.hpp"
#include "sojourn/async/home_executor.hpp"
#include "sojourn/async/latch.hpp"
#include "sojourn/core/error.hpp"
#include "sojourn/core/service_options.hpp"
#include "sojourn/service/session_lease.hpp"
#include "sojourn/service/shard_set.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace sojourn {

/// A line, first come, first served. Who is at its head tries, and tries again whenever a session
/// has ended; the others wait for him. Its coroutines must be awaited by one who keeps it.
///
/// *Thread safety*: all members, any thread.
class CreationLine {
public:
    /// If there is no room, the argument says where: who lacks some of his own does not wait.
    using Attempt = std::function<boost::asio::awaitable<Result<CreatedSession>>(Shortage&)>;

    /// The shards must outlive it.
    CreationLine(
        const boost::asio::any_io_executor& executor,
        const ServiceOptions& options,
        const std::shared_ptr<Clock>& clock,
        const ShardSet& shards
    );

    /// Attempts until the answer is not `overloaded`, or it took too long.
    [[nodiscard]] boost::asio::awaitable<Result<CreatedSession>> create(Attempt attempt);

    /// To be closed when no more sessions are made. The one at the head finds that out by himself.
    [[nodiscard]] AsyncSemaphore& line() noexcept { return line_; }

    /// Creations that were refused since they waited too long, or too many did.
    [[nodiscard]] std::uint64_t refused() const noexcept
    {
        return refused_.load(std::memory_order_relaxed);
    }

private:
    [[nodiscard]] boost::asio::awaitable<Result<CreatedSession>>
    create_at_head(Attempt attempt, TimePoint deadline);
    /// Opens when there may be more room than there was.
    [[nodiscard]] boost::asio::awaitable<Result<std::shared_ptr<Latch>>> watch_room();
    [[nodiscard]] Error refuse() noexcept;

    const HomeExecutor home_;
    const Duration limit_;
    const std::shared_ptr<Clock> clock_;
    const ShardSet& shards_;
    AsyncSemaphore line_;
    std::atomic<std::uint64_t> refused_{0};
};

} // namespace sojourn

#endif // SOJOURN_SERVICE_CREATION_LINE_HPP

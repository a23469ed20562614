/// @file
/// A service in a simulation to which something bad is done, and the ways to find out whether it
/// has survived that.

#ifndef SOJOURN_TESTS_FAULTS_WORLD_HPP
#define SOJOURN_TESTS_FAULTS_WORLD_HPP

#include "service/removal_log.hpp"

#include <sojourn/service/session_service.hpp>
#include <sojourn/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace sojourn::tests {

/// A service with sessions in every state that an operation may meet. All that is ready runs in
/// the order in which it became so, so that the nth allocation is the same in every run.
class World {
public:
    /// Listens to everything, unless the environment has listeners of its own. Its clock begins at
    /// `born`.
    explicit World(
        const ServiceOptions& options,
        ServiceEnvironment environment = {},
        TimePoint born = testing::ManualClock().steady()
    );
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    World(World&&) = delete;
    World& operator=(World&&) = delete;
    ~World() = default;

    [[nodiscard]] testing::ManualClock& clock() noexcept { return *simulation.clock(); }

    /// Runs an operation to its end, and the background with it.
    template <class T>
    T run(boost::asio::awaitable<T> operation)
    {
        return simulation.run(std::move(operation));
    }

    /// The same where the background does not get its turn.
    template <class T>
    T run_apart(boost::asio::awaitable<T> operation)
    {
        std::optional<T> value;
        boost::asio::co_spawn(
            caller.get_executor(),
            std::move(operation),
            [&value](const std::exception_ptr& failure, T result) {
                if (failure) {
                    std::rethrow_exception(failure);
                }
                value.emplace(std::move(result));
            }
        );
        caller.run();
        return std::move(value).value();
    }

    /// A new session that has served a request.
    [[nodiscard]] SessionId establish(CreateOptions options = CreateOptions());

    /// Makes anonymous sessions, each of which is half-open, until there are so many.
    void fill(std::size_t count);

    /// Runs whatever is ready, in either context, whatever escapes.
    void settle();

    [[nodiscard]] Metrics metrics();
    [[nodiscard]] Health health();

    /// Nobody holds what the world was set up with any more.
    void release_all() noexcept;

    /// A session can be made, used and ended. Releases all.
    void check_serves();

    /// The ledger holds, everything can be done on request, and sessions expire, of which the
    /// listeners are told, by themselves. Releases all.
    void check_sound();

    /// A drain comes to its end, however far another one got. Releases all.
    void check_drained();

    std::shared_ptr<RemovalLog> log = std::make_shared<RemovalLog>();
    /// What `on_failure` was told.
    std::shared_ptr<std::uint64_t> reports = std::make_shared<std::uint64_t>(0);
    testing::Simulation simulation;
    /// Where callers run: a server has more than one context.
    testing::SimulatedContext caller;
    std::optional<SessionService> service;

    /// Of "alice", with attributes, and idle.
    SessionId id;
    /// Of each session below, whose lease is held.
    SessionId leased_id;
    SessionId exclusive_id;
    SessionLease lease;
    ExclusiveLease exclusive;
    WeakLease weak;

private:
    void hold_one_of_each();
};

/// Options under which a world has little room, so that it is soon full.
[[nodiscard]] ServiceOptions small_options(std::size_t shards);

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_FAULTS_WORLD_HPP

/// @file
/// An operation of a simulated world that has begun. Part of `World`.

#ifndef SOJOURN_TESTS_SIM_WORLD_FLIGHT_HPP
#define SOJOURN_TESTS_SIM_WORLD_FLIGHT_HPP

#include "sim/world.hpp"

namespace sojourn::tests::sim {

struct World::Flight {
    Action action{};
    std::optional<std::size_t> session;
    /// The id that it presents.
    std::optional<SessionId> id;
    Sequence began = never;
    TimePoint began_at;
    /// The latest version that had been seen when it began.
    std::uint64_t least_version = 0;
    /// The sessions that had been created when it began.
    std::uint64_t least_created = 0;
    bool is_cancelled = false;
    /// Its outcome has been judged; then its coroutine has ended.
    bool has_finished = false;
    bool is_done = false;
    /// Whether it may throw what the simulation made it throw.
    bool may_throw = false;
    CreateOptions creation;
    /// Whose sessions it ends.
    std::optional<std::string> principal;
    std::uint64_t expected_version = 0;
    Attributes data;
    boost::asio::cancellation_signal signal;

    /// Whether it ends whatever there is.
    [[nodiscard]] bool is_sweep() const noexcept
    {
        return action == Action::end_all || action == Action::remove_by_principal;
    }
};

} // namespace sojourn::tests::sim

#endif // SOJOURN_TESTS_SIM_WORLD_FLIGHT_HPP

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
    /// The earliest that the clock has shown since then.
    TimePoint earliest;
    /// The latest version that had been seen when it began.
    std::uint64_t least_version = 0;
    /// The sessions that had been created when it began.
    std::uint64_t least_created = 0;
    bool is_cancelled = false;
    /// Its outcome has been judged; then its coroutine has ended.
    bool has_finished = false;
    bool is_done = false;
    /// Whether it has been answered that it was not counted against its session's rate.
    bool is_uncounted = false;
    /// Whether it has been told to wait for ever.
    bool is_patient = false;
    /// Whether it may throw what the simulation made it throw.
    bool may_throw = false;
    CreateOptions creation;
    /// Whose sessions it ends.
    std::optional<std::string> principal;
    /// Those that are there when it begins, and at which nobody else aims.
    std::vector<std::size_t> victims;
    std::uint64_t expected_version = 0;
    Attributes data;
    /// What it records.
    std::optional<Frame> frame;
    /// What it reads, and how many pages of that.
    FrameQuery query;
    std::uint32_t pages = 1;
    /// The frames of its session, or of all, that had been answered when it began.
    std::uint64_t least_frames = 0;
    boost::asio::cancellation_signal signal;

    /// Whether it ends whatever there is.
    [[nodiscard]] bool is_sweep() const noexcept
    {
        return action == Action::end_all || action == Action::remove_by_principal;
    }

    [[nodiscard]] bool is_rotation() const noexcept
    {
        return action == Action::rotate || action == Action::log_in;
    }

    /// Whether it counts against its session's rate.
    [[nodiscard]] bool is_request() const noexcept
    {
        return action == Action::acquire || action == Action::acquire_exclusive ||
               action == Action::acquire_weak;
    }

    /// Whether it is about the frames of a session, which it does not find by an id, nor uses.
    [[nodiscard]] bool is_about_frames() const noexcept
    {
        return action == Action::record || action == Action::read_frames ||
               action == Action::follow_frames;
    }

    /// Whether it ends in time, whatever others do.
    [[nodiscard]] bool has_limit() const noexcept
    {
        return !is_patient && action != Action::wait_for_end && action != Action::follow_frames &&
               action != Action::drain;
    }
};

} // namespace sojourn::tests::sim

#endif // SOJOURN_TESTS_SIM_WORLD_FLIGHT_HPP

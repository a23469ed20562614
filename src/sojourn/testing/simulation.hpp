/// @file
/// A world for one test: a context on which anything that is ready may run next, a clock that
/// stands still until nothing is, and ids that follow from a seed. A server's test runs its hours
/// in milliseconds in it, and the same way every time.

#ifndef SOJOURN_TESTING_SIMULATION_HPP
#define SOJOURN_TESTING_SIMULATION_HPP

#include "sojourn/service/service_environment.hpp"
#include "sojourn/testing/manual_clock.hpp"
#include "sojourn/testing/seeded_id_source.hpp"
#include "sojourn/testing/simulated_context.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace sojourn::testing {

/// A simulation.
///
/// *Thread safety*: none. *Lifetime*: its destructor destroys what has not run; a service on its
/// executor may be destroyed before or after.
class Simulation {
public:
    /// Everything in it follows from `seed`.
    explicit Simulation(std::uint64_t seed = 1);

    /// Whoever has his own way to choose: `FirstChoice`, `ExhaustiveChoices`.
    explicit Simulation(std::shared_ptr<ChoiceSource> choices, std::uint64_t id_seed = 1);

    [[nodiscard]] boost::asio::any_io_executor executor() noexcept
    {
        return context_.get_executor();
    }

    [[nodiscard]] SimulatedContext& context() noexcept { return context_; }

    [[nodiscard]] const std::shared_ptr<ManualClock>& clock() const noexcept { return clock_; }

    /// An environment with the clock and the ids of this simulation, for a service in it.
    [[nodiscard]] ServiceEnvironment environment() const;

    /// Runs what is ready, without letting time pass. Returns how many steps that were.
    /// *Exceptions*: what those throw; `std::runtime_error` if it takes more than a million steps:
    /// something goes round in circles.
    std::size_t settle();

    /// Lets time pass, from one deadline that somebody waits for to the next, and what is due run
    /// at each. *Exceptions*: those of `settle`.
    void pass(Duration length);

    /// Waits for simulated time, as a server's code waits for its disk or its peer. *Exceptions*:
    /// `boost::system::system_error` with `operation_aborted` if the wait is cancelled, by any type
    /// of cancellation.
    [[nodiscard]] boost::asio::awaitable<void> sleep(Duration length);

    /// Runs a coroutine to its end, and returns what it returns. Time passes whenever nothing else
    /// can happen, from one deadline to the next.
    ///
    /// Precondition: `T` is void, or `co_spawn` can construct one by default.
    ///
    /// *Exceptions*: what it throws; those of `settle`; `std::logic_error` if nothing is ready and
    /// nobody waits for simulated time: it would wait for ever; `std::runtime_error` if it takes
    /// more than 365 days of simulated time: it waits for ever beside something that goes on. A
    /// coroutine that has not ended then stays, and is destroyed with the simulation.
    template <class T>
    T run(boost::asio::awaitable<T> coroutine)
    {
        using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

        struct Outcome {
            bool is_done = false;
            std::exception_ptr failure;
            std::optional<Value> value;
        };

        const auto outcome = std::make_shared<Outcome>();
        if constexpr (std::is_void_v<T>) {
            boost::asio::co_spawn(
                executor(),
                std::move(coroutine),
                [outcome](const std::exception_ptr& failure) {
                    *outcome = {.is_done = true, .failure = failure, .value = Value()};
                }
            );
        } else {
            boost::asio::co_spawn(
                executor(),
                std::move(coroutine),
                [outcome](const std::exception_ptr& failure, T value) {
                    *outcome = {.is_done = true, .failure = failure, .value = std::move(value)};
                }
            );
        }
        run_until(outcome->is_done);
        if (outcome->failure) {
            std::rethrow_exception(outcome->failure);
        }
        if constexpr (!std::is_void_v<T>) {
            // NOLINTNEXTLINE(bugprone-unchecked-optional-access): it is done, and has not failed
            return std::move(*outcome->value);
        }
    }

private:
    void run_until(const bool& is_done);
    void step(std::size_t& steps);

    std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
    std::shared_ptr<SeededIdSource> ids_;
    SimulatedContext context_;
};

} // namespace sojourn::testing

#endif // SOJOURN_TESTING_SIMULATION_HPP

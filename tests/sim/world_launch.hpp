/// @file
/// How an operation of a simulated world begins, and goes on to be judged. Part of `World`.

#ifndef SOJOURN_TESTS_SIM_WORLD_LAUNCH_HPP
#define SOJOURN_TESTS_SIM_WORLD_LAUNCH_HPP

#include "sim/world_flight.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace sojourn::tests::sim {

/// What a `modify` of the simulation throws now and then.
struct Thrown {};

/// Begins an operation: in a coroutine of its own, at some step from now on.
template <class T>
void World::launch(const FlightPointer& flight, Begin<T> begin, Finish<T> finish)
{
    ++outcome_.operations;
    flights_.push_back(flight);
    begun_ = flight;
    // On the executor: what co_spawn has to say of a cancellation before it has begun, it throws at
    // whoever runs the context.
    boost::asio::post(
        simulation_->executor(),
        [this, flight, begin = std::move(begin), finish]() mutable {
            if (flight->is_cancelled || !service_) {
                flight->is_done = true;
                return;
            }
            boost::asio::co_spawn(
                simulation_->executor(),
                follow<T>(*this, flight, std::move(begin), finish),
                boost::asio::bind_cancellation_slot(
                    flight->signal.slot(),
                    [this, flight](const std::exception_ptr& failure) { land(flight, failure); }
                )
            );
        }
    );
}

template <class T>
boost::asio::awaitable<void>
World::follow(World& self, FlightPointer flight, Begin<T> begin, Finish<T> finish)
{
    co_await boost::asio::this_coro::reset_cancellation_state(
        boost::asio::enable_total_cancellation()
    );
    self.take_off(*flight);
    std::optional<Result<T>> result;
    try {
        result = co_await begin(*self.service_);
    } catch (const boost::system::system_error& error) {
        result = Error(error.code());
    } catch (const Thrown&) {
        require(flight->may_throw, "something was thrown");
    }
    ++self.sequence_;
    self.mix(static_cast<std::uint64_t>(flight->action));
    self.mix(
        result && !result->has_value() ? static_cast<std::uint64_t>(result->error().code().value())
                                       : 0
    );
    if (result) {
        if (!result->has_value()) {
            // Who waits for his turn with a session was counted before it ended.
            flight->is_uncounted =
                result->error() == errc::rate_limited ||
                (result->error() == errc::not_found && flight->action != Action::acquire_exclusive);
            self.judge_error(*flight, result->error());
        }
        (self.*finish)(*flight, *result);
    }
    self.touch_down(*flight);
    flight->has_finished = true;
}

} // namespace sojourn::tests::sim

#endif // SOJOURN_TESTS_SIM_WORLD_LAUNCH_HPP

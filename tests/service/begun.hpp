/// @file
/// An operation that has begun and may have to wait, of which a test asks what has become.

#ifndef SOJOURN_TESTS_SERVICE_BEGUN_HPP
#define SOJOURN_TESTS_SERVICE_BEGUN_HPP

#include "service/manual_service.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <utility>

namespace sojourn::tests {

/// A coroutine that asks for no more is cancelled by `terminal` alone.
template <class T>
boost::asio::awaitable<T> cancellable(
    std::shared_ptr<boost::asio::cancellation_signal> /*keep*/, boost::asio::awaitable<T> operation
)
{
    namespace asio = boost::asio;
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_return co_await std::move(operation);
}

/// An operation on a service's context, run as far as it goes without others.
template <class T>
class Begun {
public:
    Begun(ManualService& sessions, boost::asio::awaitable<T> operation)
        : sessions_(&sessions),
          result_(boost::asio::co_spawn(
              sessions.context,
              cancellable(signal_, std::move(operation)),
              boost::asio::bind_cancellation_slot(signal_->slot(), boost::asio::use_future)
          ))
    {
        sessions.settle();
    }

    /// One that was started otherwise, and cannot be cancelled.
    Begun(ManualService& sessions, std::future<T> result)
        : sessions_(&sessions), result_(std::move(result))
    {
        sessions.settle();
    }

    [[nodiscard]] bool is_waiting() const
    {
        sessions_->settle();
        return result_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
    }

    void cancel(boost::asio::cancellation_type type)
    {
        signal_->emit(type);
        sessions_->settle();
    }

    /// What came of it. Throws if nothing has yet, or what it threw.
    T get(Location where = Location::current())
    {
        if (is_waiting()) {
            throw TimedOut("the operation still waits", where);
        }
        return result_.get();
    }

private:
    ManualService* sessions_;
    std::shared_ptr<boost::asio::cancellation_signal> signal_ =
        std::make_shared<boost::asio::cancellation_signal>();
    std::future<T> result_;
};

/// Each type of cancellation, one after the other.
inline boost::asio::cancellation_type any_cancellation()
{
    return GENERATE(
        boost::asio::cancellation_type::terminal,
        boost::asio::cancellation_type::partial,
        boost::asio::cancellation_type::total
    );
}

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_SERVICE_BEGUN_HPP

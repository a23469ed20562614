/// @file
/// Private header. The events that wait for one who follows them.

#ifndef SOJOURN_ADMIN_EVENT_SUBSCRIPTION_HPP
#define SOJOURN_ADMIN_EVENT_SUBSCRIPTION_HPP

#include "sojourn/admin/event_feed.hpp"
#include "sojourn/http/server_sent_event.hpp"
#include "sojourn/http_server/as_result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/system/error_code.hpp>

#include <exception>
#include <memory>
#include <utility>

namespace sojourn::admin {

/// A queue from the feed to one who follows it. *Thread safety*: all members, any thread.
class EventSubscription {
public:
    using Event = std::shared_ptr<const sojourn::http::ServerSentEvent>;

    explicit EventSubscription(const boost::asio::any_io_executor& executor)
        : channel_(executor, EventFeed::max_waiting_events)
    {
    }

    /// Adds an event, if there is room. *Exceptions*: `bad_alloc`.
    void offer(Event event)
    {
        static_cast<void>(channel_.try_send(boost::system::error_code(), std::move(event)));
    }

    /// Has `next` give null, if it waits for an event. Without memory it does nothing.
    void wake() noexcept
    {
        try {
            offer(nullptr);
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
            // Who waits is not woken, and waits for the next event.
        }
    }

    /// The next event, or null if there is none and it was woken, cancelled or closed.
    [[nodiscard]] boost::asio::awaitable<Event> next()
    {
        auto [error, event] = co_await channel_.async_receive(http_server::as_result);
        co_return std::move(event);
    }

    /// There are no more events.
    void close() { channel_.close(); }

    [[nodiscard]] bool is_open() const { return channel_.is_open(); }

private:
    boost::asio::experimental::concurrent_channel<void(boost::system::error_code, Event)> channel_;
};

} // namespace sojourn::admin

#endif // SOJOURN_ADMIN_EVENT_SUBSCRIPTION_HPP

/// @file
/// What happens to the sessions of a service, for those who follow it at an admin endpoint.

#ifndef SOJOURN_ADMIN_EVENT_FEED_HPP
#define SOJOURN_ADMIN_EVENT_FEED_HPP

#include "sojourn/core/session_info.hpp"
#include "sojourn/service/service_environment.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>

namespace sojourn::admin {

class EventSubscription;

/// Hears of sessions that are created and that end, and tells `GET /events` of them. Made by
/// `make_shared`, before the service:
///
///     const auto events = std::make_shared<admin::EventFeed>(executor);
///     SessionService service(executor, options, events->listening());
///     admin::Endpoint endpoint(executor, service,
///     admin::Options().unix_socket(path).events(events));
///
/// Events are numbered from 1 on, whether or not anybody follows, so who follows can tell how many
/// it has missed. While nobody follows, each event costs a turn of the feed and no memory.
///
/// *Thread safety*: all members, any thread.
class EventFeed : public std::enable_shared_from_this<EventFeed> {
public:
    /// Events that wait for one who follows. One that comes when there are so many is not told to
    /// it: who reads slowly misses some, and delays nobody.
    static constexpr std::size_t max_waiting_events = 1'024;

    /// The executor is where the feed is confined. *Exceptions*: `bad_alloc`.
    explicit EventFeed(const boost::asio::any_io_executor& executor);

    EventFeed(const EventFeed&) = delete;
    EventFeed& operator=(const EventFeed&) = delete;
    EventFeed(EventFeed&&) = delete;
    EventFeed& operator=(EventFeed&&) = delete;
    ~EventFeed();

    /// The environment, with listeners that tell this feed and then the listener that was there.
    /// They keep the feed alive. *Exceptions*: `bad_alloc`.
    [[nodiscard]] ServiceEnvironment listening(ServiceEnvironment environment = {});

    /// Hears of what happens from now on, for as long as the subscription is there. *Exceptions*:
    /// `bad_alloc`.
    [[nodiscard]] boost::asio::awaitable<std::shared_ptr<EventSubscription>>
    subscribe(const boost::asio::any_io_executor& executor);

private:
    class Implementation;

    static boost::asio::awaitable<void>
    tell_created(std::shared_ptr<EventFeed> feed, CreationListener next, SessionInfo session);
    static boost::asio::awaitable<void>
    tell_removed(std::shared_ptr<EventFeed> feed, RemovalListener next, RemovedSession session);

    std::unique_ptr<Implementation> implementation_;
};

} // namespace sojourn::admin

#endif // SOJOURN_ADMIN_EVENT_FEED_HPP

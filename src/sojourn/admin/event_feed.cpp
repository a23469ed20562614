#include "sojourn/admin/event_feed.hpp"

#include "sojourn/admin/event_subscription.hpp"
#include "sojourn/admin/json.hpp"
#include "sojourn/async/confined.hpp"
#include "sojourn/http/server_sent_event.hpp"

#include <cstdint>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace sojourn::admin {

namespace asio = boost::asio;
using asio::awaitable;

class EventFeed::Implementation {
public:
    explicit Implementation(const asio::any_io_executor& executor) : followers_(executor) {}

    [[nodiscard]] awaitable<void> subscribe(std::weak_ptr<EventSubscription> follower)
    {
        co_await followers_.call([&follower](Followers& followers) {
            std::erase_if(followers.all, [](const auto& other) { return other.expired(); });
            followers.all.push_back(std::move(follower));
        });
    }

    /// Numbers the event, and tells it to whoever follows. Without memory nobody is told, and all
    /// see that the number is missing.
    template <class Session, class Text>
    [[nodiscard]] awaitable<void> tell(std::string_view type, const Session& session, Text data)
    {
        const auto followed = co_await followers_.call([](Followers& followers) {
            ++followers.events;
            return followers.all.empty() ? std::uint64_t{0} : followers.events;
        });
        if (followed == 0) {
            co_return;
        }
        const auto event =
            std::make_shared<const sojourn::http::ServerSentEvent>(sojourn::http::ServerSentEvent{
                .id = std::to_string(followed), .type = std::string(type), .data = data(session)
            });
        co_await followers_.call([&event](Followers& followers) {
            std::erase_if(followers.all, [&event](const auto& follower) {
                const auto there = follower.lock();
                if (there) {
                    there->offer(event);
                }
                return !there;
            });
        });
    }

private:
    struct Followers {
        std::uint64_t events = 0;
        std::vector<std::weak_ptr<EventSubscription>> all;
    };

    Confined<Followers> followers_;
};

EventFeed::EventFeed(const asio::any_io_executor& executor)
    : implementation_(std::make_unique<Implementation>(executor))
{
}

EventFeed::~EventFeed() = default;

ServiceEnvironment EventFeed::listening(ServiceEnvironment environment)
{
    environment.on_created([feed = shared_from_this(),
                            next = environment.on_created()](const SessionInfo& session) {
        return tell_created(feed, next, session);
    });
    environment.on_removed([feed = shared_from_this(),
                            next = environment.on_removed()](const RemovedSession& session) {
        return tell_removed(feed, next, session);
    });
    return environment;
}

awaitable<std::shared_ptr<EventSubscription>>
EventFeed::subscribe(const asio::any_io_executor& executor)
{
    const auto subscription = std::make_shared<EventSubscription>(executor);
    co_await implementation_->subscribe(subscription);
    co_return subscription;
}

// What happens here must not keep the listener that was there from being told.

awaitable<void>
EventFeed::tell_created(std::shared_ptr<EventFeed> feed, CreationListener next, SessionInfo session)
{
    try {
        co_await feed->implementation_->tell("created", session, session_json);
    } catch (const std::bad_alloc&) { // NOLINT(bugprone-empty-catch)
        // Its number tells that it is missing.
    }
    if (next) {
        co_await next(std::move(session));
    }
}

awaitable<void> EventFeed::tell_removed(
    std::shared_ptr<EventFeed> feed, RemovalListener next, RemovedSession session
)
{
    try {
        co_await feed->implementation_->tell("removed", session, removed_json);
    } catch (const std::bad_alloc&) { // NOLINT(bugprone-empty-catch)
        // Its number tells that it is missing.
    }
    if (next) {
        co_await next(std::move(session));
    }
}

} // namespace sojourn::admin

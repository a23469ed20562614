/// @file
/// Private header. The body of `GET /events`.

#ifndef SOJOURN_ADMIN_EVENT_STREAM_HPP
#define SOJOURN_ADMIN_EVENT_STREAM_HPP

#include "sojourn/admin/event_subscription.hpp"
#include "sojourn/core/metrics.hpp"
#include "sojourn/http_server/stream_body.hpp"
#include "sojourn/service/session_service.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace sojourn::admin {

/// Sends events as they come, and tells now and then how many requests were refused since: those
/// have no listener, as a server under attack refuses more than anybody could be told of.
class EventStream : public http_server::StreamBody {
public:
    EventStream(
        SessionService& service,
        std::shared_ptr<EventSubscription> subscription,
        std::chrono::milliseconds refusal_interval
    )
        : service_(service),
          subscription_(std::move(subscription)),
          refusal_interval_(refusal_interval)
    {
    }

    [[nodiscard]] boost::asio::awaitable<void> write_to(http_server::StreamWriter& writer) override;

    void finish() noexcept override;

private:
    [[nodiscard]] boost::asio::awaitable<bool> tell_refusals(http_server::StreamWriter& writer);
    void wake_after(boost::asio::steady_timer& timer);

    SessionService& service_;
    std::shared_ptr<EventSubscription> subscription_;
    std::chrono::milliseconds refusal_interval_;
    Metrics known_;
};

} // namespace sojourn::admin

#endif // SOJOURN_ADMIN_EVENT_STREAM_HPP

#include "sojourn/admin/event_stream.hpp"

#include "sojourn/admin/json.hpp"
#include "sojourn/http/server_sent_event.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace sojourn::admin {

namespace asio = boost::asio;
using asio::awaitable;
using http_server::StreamWriter;

namespace {

/// A counter of refusals, under the name of its outcome or reason.
struct Refusal {
    std::string_view what;
    std::string_view reason;
    std::uint64_t Metrics::* count;
};

constexpr std::array refusals{
    Refusal{"request", "not_found", &Metrics::not_found},
    Refusal{"request", "rate_limited", &Metrics::rate_limited},
    Refusal{"request", "busy", &Metrics::refused_busy},
    Refusal{"request", "stopping", &Metrics::refused_stopping},
    Refusal{"request", "shed", &Metrics::requests_shed},
    Refusal{"creation", "overloaded", &Metrics::refused_overloaded},
    Refusal{"creation", "rate_limited", &Metrics::creations_rate_limited},
    Refusal{"creation", "stopping", &Metrics::creations_refused_stopping},
};

} // namespace

awaitable<void> EventStream::write_to(StreamWriter& writer)
{
    const auto before = co_await service_.metrics();
    if (before) {
        known_ = *before;
    }
    asio::steady_timer timer(co_await asio::this_coro::executor);
    wake_after(timer);
    // From here on nothing is missed, and whoever follows knows it.
    bool is_there = co_await writer.write(sojourn::http::keep_alive_comment);
    while (is_there && subscription_->is_open()) {
        const auto event = co_await subscription_->next();
        if (event) {
            is_there = co_await writer.write(event->text());
        }
        if (is_there && timer.expiry() <= asio::steady_timer::clock_type::now()) {
            is_there = co_await tell_refusals(writer);
            wake_after(timer);
        }
    }
}

void EventStream::finish() noexcept
{
    try {
        subscription_->close();
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
        // No memory to wake who waits. Then the server cuts it off.
    }
}

/// What was refused since the last time; if nothing was, a comment, by which a client that is gone
/// is found out.
awaitable<bool> EventStream::tell_refusals(StreamWriter& writer)
{
    const auto now = co_await service_.metrics();
    std::string text;
    if (now) {
        for (const auto& refusal : refusals) {
            if (const auto count = *now.*refusal.count - known_.*refusal.count; count > 0) {
                const sojourn::http::ServerSentEvent event{
                    .type = "refused", .data = refused_json(refusal.what, refusal.reason, count)
                };
                text += event.text();
            }
        }
        known_ = *now;
    }
    if (text.empty()) {
        text = sojourn::http::keep_alive_comment;
    }
    co_return co_await writer.write(text);
}

void EventStream::wake_after(asio::steady_timer& timer)
{
    timer.expires_after(refusal_interval_);
    timer.async_wait([weak = std::weak_ptr(subscription_)](boost::system::error_code error) {
        const auto subscription = weak.lock();
        if (!error && subscription) {
            subscription->wake();
        }
    });
}

} // namespace sojourn::admin

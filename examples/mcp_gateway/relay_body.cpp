#include "mcp_gateway/relay_body.hpp"

#include <sojourn/http/server_sent_event.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/error_code.hpp>

#include <exception>

namespace mcp_gateway {

namespace asio = boost::asio;
using asio::awaitable;
using sojourn::http_server::StreamWriter;

RelayBody::RelayBody(
    asio::any_io_executor strand,
    const std::shared_ptr<Relay>& relay,
    const asio::any_io_executor& reader,
    const Manner& manner
)
    : strand_(std::move(strand)), relay_(relay), mailbox_(relay->attach(reader)), manner_(manner)
{
}

RelayBody::~RelayBody()
{
    mailbox_->discard();
    try {
        asio::post(strand_, [relay = std::move(relay_), mailbox = mailbox_] {
            if (const auto still_there = relay.lock()) {
                still_there->leave(mailbox);
            }
        });
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
        // No memory. The stream goes on until its session ends.
    }
}

awaitable<void> RelayBody::write_to(StreamWriter& writer)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    bool is_there = co_await writer.write(prelude_);
    wake_later(timer);
    while (is_there) {
        const auto event = co_await mailbox_->take();
        if (!event && !mailbox_->is_open()) {
            break;
        }
        if (event) {
            is_there = co_await writer.write(*event);
        }
        if (is_there && timer.expiry() <= asio::steady_timer::clock_type::now()) {
            is_there = co_await writer.write(sojourn::http::keep_alive_comment);
            wake_later(timer);
        }
    }
}

void RelayBody::finish() noexcept
{
    if (manner_.at_stop == AtStop::end) {
        mailbox_->close();
    }
}

void RelayBody::wake_later(asio::steady_timer& timer)
{
    timer.expires_after(manner_.keep_alive);
    timer.async_wait([weak = std::weak_ptr(mailbox_)](boost::system::error_code error) {
        const auto mailbox = weak.lock();
        if (!error && mailbox) {
            mailbox->wake();
        }
    });
}

} // namespace mcp_gateway

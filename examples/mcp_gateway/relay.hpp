/// @file
/// One stream of events on its way from the upstream to a client.

#ifndef MCP_GATEWAY_RELAY_HPP
#define MCP_GATEWAY_RELAY_HPP

#include "mcp_gateway/hold.hpp"
#include "mcp_gateway/json_rpc.hpp"
#include "mcp_gateway/mailbox.hpp"
#include "mcp_gateway/upstream.hpp"

#include <sojourn/http/server_sent_event.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mcp_gateway {

/// Reads a stream of the upstream to its end, records each message, gives it an id that the client
/// can come back with, and hands it to the connection that the client reads the stream on.
///
/// An upstream that ends a stream before it has answered is asked for the rest, if it has named an
/// event after which there may be one: it does so to keep no connection open (2025-11-25), or has
/// lost it.
///
/// A client may lose its connection and come back on another: in the legacy revisions that cancels
/// nothing. Meanwhile the messages are recorded all the same, for so long as `patience`.
///
/// *Thread safety*: none; all on one strand. Made by `make_shared`.
class Relay : public std::enable_shared_from_this<Relay> {
public:
    struct Stream {
        /// Its number within the session.
        std::uint32_t number = 0;
        /// How long it goes on without anybody to read it.
        std::chrono::milliseconds patience{};
        /// Called once a request has an error for its answer; may be null.
        std::function<void()> on_error;
        /// Asks the upstream for what comes after its event of this id; gives null if that is not
        /// to be had.
        std::function<
            boost::asio::awaitable<std::unique_ptr<UpstreamResponse>>(std::string last_event)>
            ask_for_rest;
        /// How long it goes on asking an upstream that has no events for it.
        std::chrono::milliseconds silence{};
    };

    /// The requests are those that the stream is the answer to; none if it is the session's own.
    Relay(
        const boost::asio::any_io_executor& strand,
        Stream stream,
        Hold hold,
        std::unique_ptr<UpstreamResponse> response,
        std::vector<RequestId> requests
    );

    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;
    Relay(Relay&&) = delete;
    Relay& operator=(Relay&&) = delete;
    ~Relay();

    /// Reads to the end. If the upstream ends before it has answered, the client is told so.
    [[nodiscard]] static boost::asio::awaitable<void> run(std::shared_ptr<Relay> self);

    /// From now on whoever takes from this mailbox is the client; the one before gets no more.
    [[nodiscard]] std::shared_ptr<Mailbox> attach(const boost::asio::any_io_executor& reader);

    /// Nobody takes from this mailbox any more.
    void leave(const std::shared_ptr<Mailbox>& mailbox);

    [[nodiscard]] bool is_attached() const { return mailbox_ && mailbox_->is_open(); }

    /// Ends it as if the upstream had, for good.
    void end() noexcept;

    [[nodiscard]] std::uint32_t number() const noexcept { return stream_.number; }

    /// The number of the last message that was recorded.
    [[nodiscard]] std::uint64_t last_sequence() const noexcept { return last_sequence_; }

    /// What the upstream calls the last event that it has named; empty if it has named none.
    [[nodiscard]] const std::string& upstream_event() const noexcept { return upstream_event_; }

    /// Requests whose answers could not be recorded: who comes back for one does not get it.
    [[nodiscard]] const std::vector<RequestId>& unrecorded() const noexcept { return unrecorded_; }

private:
    [[nodiscard]] boost::asio::awaitable<void> read_all();
    [[nodiscard]] boost::asio::awaitable<bool> read_to_end();
    [[nodiscard]] boost::asio::awaitable<bool> has_rest();
    [[nodiscard]] static boost::asio::awaitable<bool> ask_for_rest(std::shared_ptr<Relay> self);
    [[nodiscard]] boost::asio::awaitable<void> answer_the_rest();
    [[nodiscard]] boost::asio::awaitable<void> take(sojourn::http::ServerSentEvent event);
    [[nodiscard]] boost::asio::awaitable<void> pass_on(sojourn::http::ServerSentEvent event);
    [[nodiscard]] static boost::asio::awaitable<void> await_session_end(std::shared_ptr<Relay> self
    );
    void watch_session();
    void wait_for_client();
    void stop() noexcept;

    boost::asio::any_io_executor strand_;
    Stream stream_;
    Hold hold_;
    std::unique_ptr<UpstreamResponse> response_;
    std::vector<RequestId> requests_;
    std::shared_ptr<Mailbox> mailbox_;
    boost::asio::steady_timer patience_;
    boost::asio::cancellation_signal session_watch_;
    /// Cancels the asking for the rest.
    boost::asio::cancellation_signal asking_;
    std::vector<RequestId> unrecorded_;
    std::string upstream_event_;
    /// How long the upstream wants to be left alone before it is asked for the rest.
    std::chrono::milliseconds retry_;
    std::chrono::steady_clock::time_point last_heard_;
    std::uint64_t last_sequence_ = 0;
    bool has_session_ended_ = false;
    bool has_ended_ = false;
};

} // namespace mcp_gateway

#endif // MCP_GATEWAY_RELAY_HPP

#include "sojourn/http_server/server.hpp"

#include "sojourn/http_server/as_result.hpp"
#include "sojourn/http_server/responses.hpp"
#include "sojourn/http_server/socket_ends.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace sojourn::http_server {

namespace asio = boost::asio;

namespace {

/// For connections that were cut off.
constexpr auto time_to_end = std::chrono::milliseconds(1000);

/// Answers 503 to a client for whom there is no room, and closes. Waits for nothing: what little it
/// says fits the socket's buffer, and a client that does not take it has lost nothing. The kernel's
/// queue could keep the client waiting instead; but told at once, it can go elsewhere.
void turn_away(Socket socket)
{
    auto response = unavailable("too_many_connections", std::chrono::seconds(1));
    response.keep_alive(false);
    std::ostringstream text;
    text << response;

    boost::system::error_code ignored;
    ignored = socket.non_blocking(true, ignored);
    socket.send(asio::buffer(text.str()), 0, ignored);
    end_writing(socket);
    // A request left unread would make the kernel reset the connection, and the answer be lost.
    std::array<char, 4096> discarded{};
    socket.receive(asio::buffer(discarded), 0, ignored);
}

} // namespace

Server::Server(
    const asio::any_io_executor& executor,
    Responder& responder,
    Acceptor listening,
    const Limits& limits,
    Threads threads
)
    : executor_(executor),
      strand_(asio::make_strand(executor)),
      responder_(responder),
      limits_(limits),
      threads_(threads),
      endpoint_(listening.local_endpoint()),
      acceptor_(strand_, endpoint_.protocol(), listening.release()),
      accept_pause_(strand_),
      accepting_has_ended_(strand_),
      last_has_ended_(strand_)
{
}

asio::ip::tcp::endpoint Server::tcp_endpoint() const
{
    const auto endpoint = to_tcp(endpoint_);
    if (!endpoint) {
        throw std::logic_error("the server does not listen on TCP");
    }
    return *endpoint;
}

void Server::start()
{
    // Its frame is small and made once; if there is no memory even for that, `co_spawn` throws
    // here.
    auto ended = asio::bind_executor(strand_, [this](const std::exception_ptr& /*no memory*/) {
        is_accepting_ = false;
        accepting_has_ended_.cancel();
    });
    asio::co_spawn(strand_, accept_connections(), std::move(ended));
}

asio::awaitable<std::size_t> Server::stop()
{
    responder_.begin_to_end();
    co_return co_await asio::co_spawn(strand_, end_connections(), asio::use_awaitable);
}

void Server::hurry()
{
    asio::post(strand_, [this] {
        if (!std::exchange(is_cutting_off_, true)) {
            last_has_ended_.cancel();
        }
    });
}

asio::awaitable<void> Server::accept_connections()
{
    is_accepting_ = true;
    bool accepted = true;
    while (!is_stopping_) {
        try {
            if (!std::exchange(accepted, false)) {
                // Out of file descriptors, say. The client still waits in the kernel's queue, so
                // without a pause this would spin.
                accept_pause_.expires_after(limits_.accept_pause);
                co_await accept_pause_.async_wait(as_result);
            }
            if (!is_stopping_) {
                accepted = co_await accept_one();
            }
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
            // No memory for one more connection. Others will end.
        }
    }
}

/// Accepts a connection; false if that failed in a way that may take time to heal.
asio::awaitable<bool> Server::accept_one()
{
    const auto executor = connection_executor();
    auto [error, socket] = co_await acceptor_.async_accept(executor, as_result);
    if (error) {
        // The client was gone before its turn came.
        co_return error == asio::error::connection_aborted;
    }
    admit(std::move(socket));
    co_return true;
}

/// Accepts whoever is in the kernel's queue, without waiting for others. They may have sent their
/// requests long ago, and would be reset if the acceptor were closed over them.
void Server::accept_waiting()
{
    boost::system::error_code error;
    error = acceptor_.non_blocking(true, error);
    // No more than a queue holds, or clients that come fast enough would keep us here.
    for (int i = 0; i < asio::socket_base::max_listen_connections && !error; ++i) {
        auto socket = acceptor_.accept(connection_executor(), error);
        if (!error) {
            admit(std::move(socket));
        } else if (error == asio::error::connection_aborted) {
            error.clear();
        }
    }
}

void Server::admit(Socket socket)
{
    if (connections_.size() >= limits_.connections) {
        turn_away(std::move(socket));
    } else {
        add(std::move(socket));
    }
}

void Server::add(Socket socket)
{
    // Answers are written whole; waiting to fill a segment only delays them. A Unix socket does not
    // know of it.
    boost::system::error_code ignored;
    ignored = socket.set_option(asio::ip::tcp::no_delay(true), ignored);

    const auto connection = std::make_shared<Connection>(std::move(socket), responder_, limits_);
    const auto entry = connections_.insert(connection).first;
    auto ended =
        asio::bind_executor(strand_, [this, connection](const std::exception_ptr& /*no memory*/) {
            // Whether it ended well or for want of memory: it ended, and no other with it.
            forget(connection);
        });
    try {
        asio::co_spawn(connection->executor(), Connection::serve(connection), std::move(ended));
    } catch (...) {
        connections_.erase(entry);
        throw;
    }
}

void Server::forget(const std::shared_ptr<Connection>& connection)
{
    connections_.erase(connection);
    if (connections_.empty()) {
        last_has_ended_.cancel();
    }
}

asio::awaitable<std::size_t> Server::end_connections()
{
    co_await end_accepting();
    for (const auto& connection : connections_) {
        connection->finish();
    }
    if (!is_cutting_off_) {
        co_await await_last(limits_.stop_time);
        is_cutting_off_ = true;
    }

    const auto cut_off = connections_.size();
    for (const auto& connection : connections_) {
        connection->abort();
    }
    // They end as soon as whoever answers them does, and need not be waited for then.
    co_await await_last(std::min(limits_.stop_time, time_to_end));
    co_return cut_off;
}

asio::awaitable<void> Server::end_accepting()
{
    is_stopping_ = true;
    stop_waiting(acceptor_);
    accept_pause_.cancel();
    if (is_accepting_) {
        // A client may be accepted already, and not yet be known to us.
        accepting_has_ended_.expires_after(limits_.stop_time);
        co_await accepting_has_ended_.async_wait(as_result);
    }
    try {
        accept_waiting();
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
        // No memory for one more connection. Those that there are shall end well.
    }
    close_quietly(acceptor_);
}

/// Waits until the last connection has ended, or for so long.
asio::awaitable<void> Server::await_last(std::chrono::milliseconds limit)
{
    last_has_ended_.expires_after(limit);
    if (!connections_.empty()) {
        co_await last_has_ended_.async_wait(as_result);
    }
}

asio::any_io_executor Server::connection_executor() const
{
    if (threads_ == Threads::many) {
        return asio::make_strand(executor_);
    }
    return executor_;
}

} // namespace sojourn::http_server

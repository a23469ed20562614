/// @file
/// The server: listens, gives each client a `Connection`, and stops without cutting anybody off.

#ifndef SOJOURN_HTTP_SERVER_SERVER_HPP
#define SOJOURN_HTTP_SERVER_SERVER_HPP

#include "sojourn/http_server/connection.hpp"
#include "sojourn/http_server/limits.hpp"
#include "sojourn/http_server/protocol.hpp"
#include "sojourn/http_server/responder.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_set>

namespace sojourn::http_server {

/// How many threads run a server's executor. With one, its connections need no strands.
enum class Threads : std::uint8_t { one, many };

/// An HTTP/1.1 server.
///
/// *Thread safety*: `start`, `stop` and `hurry`, any thread; the connections are confined to a
/// strand, and each of them to one of its own if there is more than one thread. *Lifetime*: the
/// responder must outlive it, and it must outlive the last run of its execution context.
class Server {
public:
    /// Takes over an acceptor that listens, and accepts nobody yet. Throws
    /// `boost::system::system_error` if the acceptor is of no use.
    Server(
        const boost::asio::any_io_executor& executor,
        Responder& responder,
        Acceptor listening,
        const Limits& limits = Limits(),
        Threads threads = Threads::one
    );

    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    Server(Server&&) = delete;
    Server& operator=(Server&&) = delete;
    ~Server() = default;

    /// Where it listens, with the port that was chosen if none was given. Precondition: by TCP.
    [[nodiscard]] boost::asio::ip::tcp::endpoint tcp_endpoint() const;

    /// Begins to accept.
    void start();

    /// Is ready no more, stops accepting, closes idle connections, and waits until the requests in
    /// flight are answered, those of clients in the kernel's queue too; cuts them off after
    /// `Limits::stop_time` and returns how many those were. Once.
    [[nodiscard]] boost::asio::awaitable<std::size_t> stop();

    /// Has a `stop` that runs, or comes later, cut them off at once.
    void hurry();

private:
    using Connections = std::unordered_set<std::shared_ptr<Connection>>;

    boost::asio::awaitable<void> accept_connections();
    boost::asio::awaitable<bool> accept_one();
    boost::asio::awaitable<std::size_t> end_connections();
    boost::asio::awaitable<void> end_accepting();
    boost::asio::awaitable<void> await_last(std::chrono::milliseconds limit);
    void accept_waiting();
    void admit(Socket socket);
    void add(Socket socket);
    void forget(const std::shared_ptr<Connection>& connection);
    [[nodiscard]] boost::asio::any_io_executor connection_executor() const;

    boost::asio::any_io_executor executor_;
    boost::asio::any_io_executor strand_;
    Responder& responder_;
    Limits limits_;
    Threads threads_;
    Protocol::endpoint endpoint_;
    Acceptor acceptor_;
    boost::asio::steady_timer accept_pause_;
    boost::asio::steady_timer accepting_has_ended_;
    boost::asio::steady_timer last_has_ended_;
    Connections connections_;
    bool is_accepting_ = false;
    bool is_stopping_ = false;
    bool is_cutting_off_ = false;
};

} // namespace sojourn::http_server

#endif // SOJOURN_HTTP_SERVER_SERVER_HPP

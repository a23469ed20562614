/// @file
/// An HTTP endpoint for those who run a server: they see its sessions and end some, and drain it.
/// Everything it does is one of the service's own operations.

#ifndef SOJOURN_ADMIN_ENDPOINT_HPP
#define SOJOURN_ADMIN_ENDPOINT_HPP

#include "sojourn/admin/options.hpp"
#include "sojourn/service/session_service.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace sojourn::admin {

/// An admin endpoint. docs/admin.md has its resources.
///
/// It shows references, never an id, and no attribute's value. What it costs the service is what it
/// asks of it: nothing while nobody asks.
///
/// *Thread safety*: all members, any thread. *Lifetime*: the service must outlive it, and it must
/// outlive the last run of its execution context.
class Endpoint {
public:
    /// Listens, and accepts nobody yet. *Exceptions*: `std::invalid_argument` with what
    /// `Options::objection` says; `boost::system::system_error` if it cannot listen, such as
    /// `address_in_use`.
    Endpoint(
        const boost::asio::any_io_executor& executor,
        SessionService& service,
        const Options& options
    );

    Endpoint(const Endpoint&) = delete;
    Endpoint& operator=(const Endpoint&) = delete;
    Endpoint(Endpoint&&) = delete;
    Endpoint& operator=(Endpoint&&) = delete;
    /// Takes the Unix socket's file away.
    ~Endpoint();

    /// Where it listens, with the port that was chosen if none was given. Precondition: on TCP.
    [[nodiscard]] boost::asio::ip::tcp::endpoint tcp_endpoint() const;

    /// Begins to accept.
    void start();

    /// Stops accepting, closes idle connections, and waits until requests in flight are answered,
    /// for no longer than `Limits::stop_time`. Once.
    [[nodiscard]] boost::asio::awaitable<void> stop();

private:
    class Implementation;

    std::unique_ptr<Implementation> implementation_;
};

} // namespace sojourn::admin

#endif // SOJOURN_ADMIN_ENDPOINT_HPP

/// @file
/// What a server asks for the answers to its requests.

#ifndef SOJOURN_HTTP_SERVER_RESPONDER_HPP
#define SOJOURN_HTTP_SERVER_RESPONDER_HPP

#include "sojourn/http_server/message.hpp"
#include "sojourn/http_server/reply.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace sojourn::http_server {

/// Answers requests. *Thread safety*: called by any thread that runs the server's executor.
class Responder {
public:
    Responder() = default;
    Responder(const Responder&) = delete;
    Responder& operator=(const Responder&) = delete;
    Responder(Responder&&) = delete;
    Responder& operator=(Responder&&) = delete;
    virtual ~Responder() = default;

    /// Answers a request of this peer. Both stay until the answer has been given. What it throws
    /// makes the answer 500.
    [[nodiscard]] virtual boost::asio::awaitable<Reply>
    answer(const Request& request, const std::string& peer) = 0;

    /// Whether an answer to this request is of no use once its client has gone. Then `answer` is
    /// cancelled (terminal) when the client ends its side of the connection, and must come to an
    /// end soon; what it returns or throws is not sent. A client may end its side and still read,
    /// so by default it is answered all the same.
    [[nodiscard]] virtual bool is_cancelled_with_client(const Request& request) const
    {
        static_cast<void>(request);
        return false;
    }

    /// From here on the server ends: it will accept nobody any more.
    virtual void begin_to_end() noexcept {}
};

} // namespace sojourn::http_server

#endif // SOJOURN_HTTP_SERVER_RESPONDER_HPP

/// @file
/// What a responder gives a server for a request.

#ifndef SOJOURN_HTTP_SERVER_REPLY_HPP
#define SOJOURN_HTTP_SERVER_REPLY_HPP

#include "sojourn/http_server/message.hpp"
#include "sojourn/http_server/stream_body.hpp"
#include "sojourn/service/session_lease.hpp"

#include <memory>
#include <utility>

namespace sojourn::http_server {

/// A response, and the lease of the session it is about, to be held until it has been written: a
/// session's idle time begins when its client has the answer, not while a slow client still reads.
class Reply {
public:
    // No aggregate: g++ 12 miscompiles those in a co_await expression.
    explicit Reply(Response to_send, SessionLease held = {})
        : response(std::move(to_send)), lease(std::move(held))
    {
    }

    /// The response's own body is not sent then, but this one.
    Reply(Response header, std::unique_ptr<StreamBody> to_stream, SessionLease held = {})
        : response(std::move(header)), lease(std::move(held)), stream(std::move(to_stream))
    {
    }

    Response response;
    SessionLease lease;
    /// Null if the response is whole.
    std::unique_ptr<StreamBody> stream;
};

} // namespace sojourn::http_server

#endif // SOJOURN_HTTP_SERVER_REPLY_HPP

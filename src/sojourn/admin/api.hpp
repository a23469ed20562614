/// @file
/// Private header. Does what requests to an admin endpoint ask for.

#ifndef SOJOURN_ADMIN_API_HPP
#define SOJOURN_ADMIN_API_HPP

#include "sojourn/admin/command.hpp"
#include "sojourn/admin/options.hpp"
#include "sojourn/http_server/message.hpp"
#include "sojourn/http_server/reply.hpp"
#include "sojourn/http_server/responder.hpp"
#include "sojourn/service/session_service.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>

namespace sojourn::admin {

/// The resources of an admin endpoint.
///
/// *Thread safety*: all members, any thread. *Lifetime*: the service must outlive it, and it must
/// outlive every coroutine it made.
class Api : public http_server::Responder {
public:
    Api(SessionService& service, Options options);

    /// Throws only `bad_alloc`.
    [[nodiscard]] boost::asio::awaitable<http_server::Reply>
    answer(const http_server::Request& request, const std::string& peer) override;

private:
    using Answer = boost::asio::awaitable<http_server::Reply>;

    [[nodiscard]] Answer obey(const Command& command);
    [[nodiscard]] Answer list(ListOptions wish);
    [[nodiscard]] Answer list_first(SessionFilter filter, SessionOrder order, std::size_t limit);
    [[nodiscard]] Answer show(SessionReference reference);
    [[nodiscard]] Answer frames(SessionReference reference, FrameQuery query);
    [[nodiscard]] Answer remove(SessionFilter filter);
    [[nodiscard]] Answer remove_principal(std::string principal);
    [[nodiscard]] Answer clean_up(SessionFilter filter);
    [[nodiscard]] Answer count(SessionFilter filter);
    [[nodiscard]] Answer end_expired();
    [[nodiscard]] Answer count_expired();
    [[nodiscard]] Answer statistics();
    [[nodiscard]] Answer health();
    [[nodiscard]] Answer metrics();
    [[nodiscard]] Answer follow_events();
    [[nodiscard]] Answer drain(Duration deadline);

    SessionService& service_;
    Options options_;
};

} // namespace sojourn::admin

#endif // SOJOURN_ADMIN_API_HPP

#include "http/test_server.hpp"

#include "http/http_client.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <utility>

namespace sojourn::tests {

namespace {

ServiceEnvironment environment(std::shared_ptr<Clock> clock, std::shared_ptr<IdSource> id_source)
{
    ServiceEnvironment surroundings;
    surroundings.clock(std::move(clock)).id_source(std::move(id_source));
    return surroundings;
}

} // namespace

http_sessions::ServerOptions test_options()
{
    http_sessions::ServerOptions options;
    options.listen = {boost::asio::ip::address_v4::loopback(), 0};
    options.threads = 2;
    options.limits.linger_time = std::chrono::milliseconds(200);
    return options;
}

TestServer::TestServer(
    const http_sessions::ServerOptions& options, std::shared_ptr<IdSource> id_source
)
    : service_(context_.get_executor(), options.service, environment(clock_, std::move(id_source))),
      server_(context_.get_executor(), service_, options),
      threads_(context_, options.threads)
{
    server_.start();
}

std::shared_ptr<CoroResult<std::size_t>> TestServer::begin_stop()
{
    return spawn_coro(context_.get_executor(), server_.stop());
}

void TestServer::stop_service()
{
    // A clock that stands still never lets the limit of `drain` pass.
    static_cast<void>(run_coro_on(context_.get_executor(), service_.drain()));
}

bool refuses_connections(const TestServer& server)
{
    try {
        const HttpClient client(server.endpoint());
        return false;
    } catch (const boost::system::system_error& error) {
        return error.code() == boost::asio::error::connection_refused;
    }
}

} // namespace sojourn::tests

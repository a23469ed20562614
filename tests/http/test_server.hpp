/// @file
/// The whole HTTP server in this process, on a free port, with a clock that stands still.

#ifndef SOJOURN_TESTS_HTTP_TEST_SERVER_HPP
#define SOJOURN_TESTS_HTTP_TEST_SERVER_HPP

#include "http_sessions/server.hpp"
#include "http_sessions/server_options.hpp"
#include "support/context_threads.hpp"
#include "support/run_coro.hpp"

#include <sojourn/core/id_source.hpp>
#include <sojourn/service/session_service.hpp>
#include <sojourn/testing/manual_clock.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <memory>

namespace sojourn::tests {

/// Options for a free port and two threads, so that a sanitizer sees what threads do.
[[nodiscard]] http_sessions::ServerOptions test_options();

class TestServer {
public:
    explicit TestServer(
        const http_sessions::ServerOptions& options = test_options(),
        std::shared_ptr<IdSource> id_source = nullptr
    );

    [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return server_.endpoint(); }

    [[nodiscard]] boost::asio::any_io_executor executor() { return context_.get_executor(); }

    [[nodiscard]] testing::ManualClock& clock() { return *clock_; }

    [[nodiscard]] SessionService& service() { return service_; }

    /// Begins to stop the server; the service goes on.
    [[nodiscard]] std::shared_ptr<CoroResult<std::size_t>> begin_stop();

    /// Stops the service; the server goes on.
    void stop_service();

private:
    std::shared_ptr<testing::ManualClock> clock_ = std::make_shared<testing::ManualClock>();
    boost::asio::io_context context_;
    SessionService service_;
    http_sessions::Server server_;
    ContextThreads threads_;
};

/// Whether nobody listens there any more.
[[nodiscard]] bool refuses_connections(const TestServer& server);

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_HTTP_TEST_SERVER_HPP

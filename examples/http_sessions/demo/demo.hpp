/// @file
/// The course of the demo: the load comes and is watched, what happened is told, a person may try,
/// and everything stops. Whatever is not as it should be is remembered.

#ifndef HTTP_SESSIONS_DEMO_DEMO_HPP
#define HTTP_SESSIONS_DEMO_DEMO_HPP

#include "../server.hpp"
#include "dashboard.hpp"
#include "demo_options.hpp"
#include "visitors.hpp"

#include <sojourn/service/session_service.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace http_sessions {

/// The server's options for the demo: a table that is soon full, and limits that a person with curl
/// does not notice.
[[nodiscard]] ServerOptions demo_server_options(const DemoOptions& options);

/// Where the demo can be looked into.
struct AdminAddresses {
    /// The path of a Unix socket, for sojournctl.
    std::string socket;
    /// The console, with its token.
    std::string console;
};

/// *Thread safety*: none; everything on the executor, which must belong to one thread and should
/// not be the server's, so that the visitors are a world of their own.
class Demo {
public:
    Demo(
        const boost::asio::any_io_executor& executor,
        const DemoOptions& options,
        Server& server,
        sojourn::SessionService& service,
        AdminAddresses admin,
        std::ostream& out,
        Display display
    );

    /// Runs all of it. Ends before its time after `interrupt`.
    boost::asio::awaitable<void> run();

    /// Goes on to the end, which comes soon then.
    void interrupt();

    /// What was not as it should be; empty if all was.
    [[nodiscard]] const std::vector<std::string>& failures() const noexcept { return failures_; }

private:
    using Clock = std::chrono::steady_clock;

    boost::asio::awaitable<void> watch_visitors();
    boost::asio::awaitable<void> take_sample();
    void show_sample();
    boost::asio::awaitable<void> wait_until(Clock::time_point moment);
    boost::asio::awaitable<void> stop();
    void judge();
    void tell() const;
    void expect(std::uint64_t count, const char* what);

    [[nodiscard]] bool has_seen_everything() const;
    [[nodiscard]] bool shall_visitors_leave() const;

    DemoOptions options_;
    Server& server_;
    sojourn::SessionService& service_;
    AdminAddresses admin_;
    std::ostream& out_;
    Visitors visitors_;
    Dashboard dashboard_;
    boost::asio::steady_timer pause_;
    Clock::time_point start_ = Clock::now();
    sojourn::Metrics metrics_;
    std::uint64_t samples_ = 0;
    bool is_interrupted_ = false;
    std::vector<std::string> failures_;
};

} // namespace http_sessions

#endif // HTTP_SESSIONS_DEMO_DEMO_HPP

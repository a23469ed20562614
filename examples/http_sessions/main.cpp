// An HTTP server that keeps sessions. Every request goes through a sojourn::SessionService.

#include "command_line.hpp"
#include "server.hpp"
#include "shared/run_in_threads.hpp"

#include <sojourn/admin/endpoint.hpp>
#include <sojourn/admin/event_feed.hpp>
#include <sojourn/http_server/as_result.hpp>
#include <sojourn/service/session_service.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <variant>

namespace {

namespace asio = boost::asio;
using http_sessions::Dismissal;
using http_sessions::Server;
using http_sessions::ServerOptions;
using sojourn::http_server::as_result;

/// What the program ends with if somebody was cut off.
constexpr int exit_unclean = 3;

/// What is left of the service's leases goes with the connections that hold them.
constexpr auto drain_limit = std::chrono::seconds(5);

/// At a second signal, waits for nobody any more. `signals` is emptied then, so that a third one
/// does what signals do: it ends the program.
asio::awaitable<void>
hurry_at_signal(asio::signal_set& signals, Server& server, sojourn::SessionService& service)
{
    const auto [error, number] = co_await signals.async_wait(as_result);
    if (!error) {
        signals.clear();
        server.hurry();
        static_cast<void>(co_await service.drain(std::chrono::seconds(0)));
    }
}

/// Serves until the first signal, then drains: requests in flight are answered, and then the
/// service has nobody left to wait for. Returns the program's exit status.
asio::awaitable<int> serve_until_signal(
    asio::signal_set& signals,
    Server& server,
    sojourn::SessionService& service,
    sojourn::admin::Endpoint* admin
)
{
    server.start();
    if (admin != nullptr) {
        admin->start();
    }
    co_await signals.async_wait(asio::use_awaitable);
    asio::co_spawn(
        signals.get_executor(),
        hurry_at_signal(signals, server, service),
        [](const std::exception_ptr& /*no memory to hurry*/) {}
    );

    const auto cut_off = co_await server.stop();
    if (cut_off > 0) {
        std::cerr << "http_sessions: cut off " << cut_off << " slow connections\n";
    }
    const auto drained = co_await service.drain(drain_limit);
    if (!drained) {
        std::cerr << "http_sessions: " << drained.error().message() << '\n';
    } else if (!drained->is_clean()) {
        std::cerr << "http_sessions: cancelled " << drained->cancelled << " sessions\n";
    }
    // Last, so that whoever runs the server can see how it ends.
    if (admin != nullptr) {
        co_await admin->stop();
    }
    co_return cut_off == 0 && drained && drained->is_clean() ? EXIT_SUCCESS : exit_unclean;
}

int run(const ServerOptions& options)
{
    asio::io_context context(static_cast<int>(options.threads));
    // [events]
    std::shared_ptr<sojourn::admin::EventFeed> events;
    sojourn::ServiceEnvironment environment;
    if (options.admin) {
        events = std::make_shared<sojourn::admin::EventFeed>(context.get_executor());
        environment = events->listening();
    }
    // [/events]
    std::optional<sojourn::SessionService> service;
    try {
        service.emplace(context.get_executor(), options.service, environment);
    } catch (const std::bad_alloc&) {
        std::cerr << "http_sessions: not enough memory for --max-sessions "
                  << options.service.max_sessions() << '\n';
        return EXIT_FAILURE;
    }
    std::optional<Server> server;
    try {
        server.emplace(context.get_executor(), *service, options);
    } catch (const boost::system::system_error& error) {
        std::cerr << "http_sessions: cannot listen on " << options.listen << ": "
                  << error.code().message() << '\n';
        return EXIT_FAILURE;
    }
    // [admin]
    std::optional<sojourn::admin::Endpoint> admin;
    try {
        if (options.admin) {
            auto wish = *options.admin;
            admin.emplace(context.get_executor(), *service, wish.events(events));
        }
    } catch (const boost::system::system_error& error) {
        std::cerr << "http_sessions: cannot listen on --admin: " << error.code().message() << '\n';
        return EXIT_FAILURE;
    }
    // [/admin]
    asio::signal_set signals(context, SIGINT, SIGTERM);
    std::cout << "listening on " << server->endpoint() << "\n";
    if (options.admin && std::holds_alternative<asio::ip::tcp::endpoint>(options.admin->listen())) {
        std::cout << "admin endpoint on http://" << admin->tcp_endpoint() << "/\n";
    }
    std::cout << std::flush; // Whoever started us waits for it.

    std::exception_ptr failure;
    int status = EXIT_FAILURE;
    asio::co_spawn(
        context,
        serve_until_signal(signals, *server, *service, admin ? &*admin : nullptr),
        [&](const std::exception_ptr& thrown, int ended) {
            failure = thrown;
            status = ended;
            context.stop();
        }
    );
    examples::run_in_threads(context, options.threads);
    if (failure) {
        std::rethrow_exception(failure);
    }
    return status;
}

} // namespace

int main(int argument_count, char** arguments)
{
    try {
        const auto parsed = http_sessions::parse_command_line(argument_count, arguments);
        if (const auto* dismissal = std::get_if<Dismissal>(&parsed)) {
            (dismissal->exit_status == 0 ? std::cout : std::cerr) << dismissal->text;
            return dismissal->exit_status;
        }
        return run(std::get<ServerOptions>(parsed));
    } catch (const std::exception& error) {
        std::cerr << "http_sessions: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
}

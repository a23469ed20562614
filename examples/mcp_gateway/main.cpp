// A gateway before a server of the Model Context Protocol: its clients' sessions are sojourn's.

#include "mcp_gateway/command_line.hpp"
#include "mcp_gateway/gateway.hpp"
#include "shared/run_in_threads.hpp"

#include <sojourn/admin/endpoint.hpp>
#include <sojourn/admin/event_feed.hpp>
#include <sojourn/http_server/as_result.hpp>
#include <sojourn/http_server/server.hpp>
#include <sojourn/service/session_service.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string_view>
#include <variant>

namespace {

namespace asio = boost::asio;
using mcp_gateway::Dismissal;
using mcp_gateway::Gateway;
using mcp_gateway::GatewayOptions;
using sojourn::http_server::as_result;
using sojourn::http_server::Server;

/// What the program ends with if somebody was cut off.
constexpr int exit_unclean = 3;

/// The parts of the program, in the order in which they need each other.
class Program {
public:
    explicit Program(const GatewayOptions& options)
        : options_(options),
          context_(static_cast<int>(options.threads)),
          gateway_(context_.get_executor(), options),
          events_(std::make_shared<sojourn::admin::EventFeed>(context_.get_executor())),
          service_(
              context_.get_executor(),
              options.service,
              options.admin ? events_->listening(gateway_.environment()) : gateway_.environment()
          ),
          signals_(context_, SIGINT, SIGTERM)
    {
        gateway_.use(service_);
    }

    /// Listens, serves until a signal, and returns the exit status.
    int run()
    {
        if (!listen()) {
            return EXIT_FAILURE;
        }
        std::cout << "listening on http://" << server_->tcp_endpoint() << "\n"
                  << std::flush; // Whoever started us waits for it.
        std::exception_ptr failure;
        int status = EXIT_FAILURE;
        asio::co_spawn(
            context_,
            serve_until_signal(),
            [&](const std::exception_ptr& thrown, int ended) {
                failure = thrown;
                status = ended;
                context_.stop();
            }
        );
        examples::run_in_threads(context_, options_.threads);
        if (failure) {
            std::rethrow_exception(failure);
        }
        return status;
    }

private:
    bool listen()
    {
        std::string_view what = "--listen";
        try {
            server_ = std::make_unique<Server>(
                context_.get_executor(),
                gateway_,
                sojourn::http_server::Acceptor(
                    context_, sojourn::http_server::Protocol::endpoint(options_.listen)
                ),
                options_.limits,
                sojourn::http_server::Threads::many
            );
            what = "--admin";
            if (options_.admin) {
                auto wish = *options_.admin;
                admin_ = std::make_unique<sojourn::admin::Endpoint>(
                    context_.get_executor(), service_, wish.events(events_)
                );
            }
            return true;
        } catch (const boost::system::system_error& error) {
            std::cerr << "mcp_gateway: cannot listen on " << what << ": " << error.code().message()
                      << '\n';
            return false;
        }
    }

    /// Drains at the first signal: requests in flight are answered, the upstream is told that its
    /// sessions are over, and at a second signal nobody is waited for.
    asio::awaitable<int> serve_until_signal()
    {
        server_->start();
        if (admin_) {
            admin_->start();
        }
        static_cast<void>(co_await signals_.async_wait(as_result));
        asio::co_spawn(context_, hurry_at_signal(), [](const std::exception_ptr& /*no memory*/) {});

        // The service first: while it drains, whoever comes is told to come back later.
        const auto drained = co_await service_.drain(options_.limits.stop_time);
        const auto cut_off = co_await server_->stop();
        if (cut_off > 0) {
            std::cerr << "mcp_gateway: cut off " << cut_off << " connections\n";
        }
        co_await gateway_.finish(options_.limits.stop_time);
        if (admin_) {
            co_await admin_->stop();
        }
        const bool is_clean = cut_off == 0 && drained && drained->is_clean();
        co_return is_clean ? EXIT_SUCCESS : exit_unclean;
    }

    asio::awaitable<void> hurry_at_signal()
    {
        const auto [error, number] = co_await signals_.async_wait(as_result);
        if (!error) {
            signals_.clear();
            server_->hurry();
            gateway_.hurry();
            static_cast<void>(co_await service_.drain(std::chrono::seconds(0)));
        }
    }

    const GatewayOptions& options_;
    asio::io_context context_;
    Gateway gateway_;
    std::shared_ptr<sojourn::admin::EventFeed> events_;
    sojourn::SessionService service_;
    std::unique_ptr<Server> server_;
    std::unique_ptr<sojourn::admin::Endpoint> admin_;
    asio::signal_set signals_;
};

} // namespace

int main(int argument_count, char** arguments)
{
    try {
        const auto parsed = mcp_gateway::parse_command_line(argument_count, arguments);
        if (const auto* dismissal = std::get_if<Dismissal>(&parsed)) {
            (dismissal->exit_status == 0 ? std::cout : std::cerr) << dismissal->text;
            return dismissal->exit_status;
        }
        return Program(std::get<GatewayOptions>(parsed)).run();
    } catch (const std::exception& error) {
        std::cerr << "mcp_gateway: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
}

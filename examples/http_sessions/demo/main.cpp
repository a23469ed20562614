// Starts the session server in this process, lets visitors come over real sockets, and shows what
// becomes of their sessions. Ends with status 0 only if all of it was as it should be.

#include "../server.hpp"
#include "demo.hpp"
#include "demo_options.hpp"

#include <sojourn/admin/endpoint.hpp>
#include <sojourn/prometheus/exposition.hpp>
#include <sojourn/service/session_service.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <variant>

namespace {

namespace asio = boost::asio;
using namespace http_sessions; // NOLINT(google-build-using-namespace): this is its main file.

/// Runs an execution context in a thread of its own.
class ContextThread {
public:
    explicit ContextThread(asio::io_context& context)
        : context_(context), work_(context.get_executor()), thread_([&context] { context.run(); })
    {
    }

    ContextThread(const ContextThread&) = delete;
    ContextThread& operator=(const ContextThread&) = delete;
    ContextThread(ContextThread&&) = delete;
    ContextThread& operator=(ContextThread&&) = delete;

    ~ContextThread()
    {
        context_.stop();
        thread_.join();
    }

private:
    asio::io_context& context_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
};

/// Nobody guesses it while the demo runs.
std::string random_token()
{
    std::random_device source;
    std::string token;
    for (int i = 0; i < 4; ++i) {
        token += fmt::format("{:08x}", source());
    }
    return token;
}

/// A browser keeps what is behind the `#` to itself.
std::string console_address(const sojourn::admin::Endpoint& console, const std::string& token)
{
    return fmt::format("http://127.0.0.1:{}/#token={}", console.tcp_endpoint().port(), token);
}

int run(const DemoOptions& options)
{
    const auto server_options = demo_server_options(options);
    asio::io_context server_context(1);
    sojourn::SessionService service(server_context.get_executor(), server_options.service);
    std::optional<Server> server;
    try {
        server.emplace(server_context.get_executor(), service, server_options);
    } catch (const boost::system::system_error& error) {
        std::cerr << "http_sessions_demo: cannot listen on " << server_options.listen << ": "
                  << error.code().message() << '\n';
        return EXIT_FAILURE;
    }
    const auto admin_socket =
        std::filesystem::temp_directory_path() /
        ("sojourn-demo-" + std::to_string(server->endpoint().port()) + ".sock");
    const auto token = random_token();
    std::optional<sojourn::admin::Endpoint> admin;
    std::optional<sojourn::admin::Endpoint> console;
    try {
        admin.emplace(
            server_context.get_executor(),
            service,
            sojourn::admin::Options()
                .unix_socket(admin_socket.string())
                .metrics(sojourn::prometheus::scrape)
        );
        // No browser opens a Unix socket.
        console.emplace(
            server_context.get_executor(),
            service,
            sojourn::admin::Options()
                .tcp({asio::ip::address_v4::loopback(), 0})
                .token(token)
                .console(true)
        );
    } catch (const std::exception& error) {
        std::cerr << "http_sessions_demo: cannot listen on " << admin_socket
                  << " and a free port: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
    admin->start();
    console->start();
    const AdminAddresses addresses{admin_socket.string(), console_address(*console, token)};
    const auto display = ::isatty(STDOUT_FILENO) != 0 ? Display::terminal : Display::lines;

    asio::io_context context(1);
    Demo demo(context.get_executor(), options, *server, service, addresses, std::cout, display);
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](boost::system::error_code error, int /*signal*/) {
        if (!error) {
            demo.interrupt();
            signals.clear(); // A second one ends the program at once.
        }
    });
    std::exception_ptr failure;
    asio::co_spawn(context, demo.run(), [&](const std::exception_ptr& thrown) {
        failure = thrown;
        context.stop();
    });

    const ContextThread server_thread(server_context);
    context.run();
    if (failure) {
        std::rethrow_exception(failure);
    }
    for (const auto& text : demo.failures()) {
        std::cerr << "http_sessions_demo: " << text << '\n';
    }
    return demo.failures().empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

int main(int argument_count, char** arguments)
{
    try {
        const auto parsed = parse_demo_command_line(argument_count, arguments);
        if (const auto* dismissal = std::get_if<Dismissal>(&parsed)) {
            (dismissal->exit_status == 0 ? std::cout : std::cerr) << dismissal->text;
            return dismissal->exit_status;
        }
        return run(std::get<DemoOptions>(parsed));
    } catch (const std::exception& error) {
        std::cerr << "http_sessions_demo: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
}

// Tests a server that uses sessions: an hour of it in a millisecond, what it does under more load
// than it can take, and every order in which two requests can meet. Nothing here sleeps, and each
// run is like the one before.

#include <sojourn/sojourn.hpp>
#include <sojourn/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace asio = boost::asio;
namespace testing = sojourn::testing;
using namespace std::chrono_literals;

namespace {

// [server]
// The server under test: a request takes 200 ms, and its answer is an HTTP status.
class Server {
public:
    Server(testing::Simulation& simulation, const sojourn::ServiceOptions& options)
        : simulation_(simulation),
          sessions_(simulation.executor(), options, simulation.environment())
    {
    }

    asio::awaitable<sojourn::SessionId> log_in(std::string user)
    {
        auto options = sojourn::CreateOptions().principal(std::move(user));
        auto created = co_await sessions_.create(std::move(options));
        co_return std::move(created).value().id;
    }

    asio::awaitable<int> serve(sojourn::SessionId id)
    {
        auto lease = co_await sessions_.acquire(std::move(id));
        if (!lease) {
            co_return lease.error() == sojourn::errc::not_found ? 401 : 503;
        }
        co_await simulation_.sleep(200ms);
        co_return 200;
    }

    asio::awaitable<void> log_out(sojourn::SessionId id)
    {
        (void)co_await sessions_.remove(std::move(id));
    }

private:
    testing::Simulation& simulation_;
    sojourn::SessionService sessions_;
};

// [/server]

void expect(bool holds, const std::string& what)
{
    if (!holds) {
        throw std::runtime_error(what);
    }
    std::cout << what << '\n';
}

// [expiry]
void test_expiry()
{
    testing::Simulation simulation;
    Server server(simulation, sojourn::ServiceOptions().idle_timeout(30min));
    const auto id = simulation.run(server.log_in("alice"));
    simulation.pass(29min);
    expect(simulation.run(server.serve(id)) == 200, "after 29 minutes alice is still logged in");
    simulation.pass(30min);
    expect(simulation.run(server.serve(id)) == 401, "and 30 minutes after that she is not");
}

// [/expiry]

// [shedding]
asio::awaitable<void> count_answer(Server& server, sojourn::SessionId id, int& served, int& shed)
{
    const auto status = co_await server.serve(std::move(id));
    ++(status == 200 ? served : shed);
}

void test_shedding()
{
    testing::Simulation simulation;
    const auto options =
        sojourn::ServiceOptions().max_in_flight(4).max_waiting_requests(8).max_request_wait(1s);
    Server server(simulation, options);
    const auto id = simulation.run(server.log_in("alice"));
    int served = 0;
    int shed = 0;
    for (int i = 0; i < 20; ++i) {
        asio::co_spawn(
            simulation.executor(), count_answer(server, id, served, shed), asio::detached
        );
    }
    simulation.settle();
    expect(shed == 8, "of 20 requests at once 4 are served, 8 wait, and 8 are turned away at once");
    simulation.pass(600ms);
    expect(served == 12, "600 ms later those who waited have been served too");
}

// [/shedding]

// [orders]
asio::awaitable<void> keep_answer(Server& server, sojourn::SessionId id, int& status)
{
    status = co_await server.serve(std::move(id));
}

// A request and a logout come at the same time. Whatever the order, the request is either served or
// told that nobody is logged in, and the next one is told so.
void test_every_order()
{
    const auto choices = std::make_shared<testing::ExhaustiveChoices>();
    do {
        testing::Simulation simulation(choices);
        Server server(simulation, sojourn::ServiceOptions());
        const auto id = simulation.run(server.log_in("alice"));
        int status = 0;
        asio::co_spawn(simulation.executor(), keep_answer(server, id, status), asio::detached);
        asio::co_spawn(simulation.executor(), server.log_out(id), asio::detached);
        simulation.pass(1s);
        if ((status != 200 && status != 401) || simulation.run(server.serve(id)) != 401) {
            throw std::runtime_error("a request and a logout met badly");
        }
    } while (choices->next());
    std::cout << "a request and a logout can meet in " << choices->runs() << " ways, all good\n";
}

// [/orders]

} // namespace

int main()
try {
    test_expiry();
    test_shedding();
    test_every_order();
    return EXIT_SUCCESS;
} catch (const std::exception& error) {
    std::cerr << "failed: " << error.what() << '\n';
    return EXIT_FAILURE;
}

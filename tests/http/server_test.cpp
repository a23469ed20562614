#include "http/http_client.hpp"
#include "http/test_server.hpp"
#include "support/poll_until.hpp"
#include "support/sanitizers.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/errc.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sojourn::tests {

namespace {

using http::verb;
using namespace std::chrono_literals;

/// A client in the middle of a request: its header was read, its body is yet to come.
class HalfSentRequest {
public:
    explicit HalfSentRequest(const TestServer& server) : client_(server.endpoint())
    {
        client_.send(
            "POST /session HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        );
        const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        client_.receive_bytes(go_on.size());
    }

    Response complete()
    {
        client_.send("{}");
        return client_.receive();
    }

    std::string await_end() { return client_.receive_rest(); }

private:
    HttpClient client_;
};

bool serves(const TestServer& server)
{
    try {
        HttpClient client(server.endpoint());
        return client.ask(request_for(verb::get, "/healthz")).result() == http::status::ok;
    } catch (const boost::system::system_error&) {
        return false;
    }
}

/// A file descriptor that is good for nothing.
class Descriptor {
public:
    Descriptor() : value_(::dup(STDERR_FILENO)) {}

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor(Descriptor&&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;

    ~Descriptor()
    {
        if (is_open()) {
            ::close(value_);
        }
    }

    [[nodiscard]] bool is_open() const { return value_ >= 0; }

private:
    int value_;
};

/// Lets this process have only so many file descriptors.
class DescriptorLimit {
public:
    explicit DescriptorLimit(rlim_t count)
    {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const rlimit limit{count, before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }

    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;
    DescriptorLimit(DescriptorLimit&&) = delete;
    DescriptorLimit& operator=(DescriptorLimit&&) = delete;

    ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

} // namespace

TEST_CASE("server: it listens where it is told, on either version of IP", "[http]")
{
    auto options = test_options();
    options.listen = {boost::asio::ip::address_v6::loopback(), 0};
    TestServer server(options);
    CHECK(server.endpoint().port() != 0);
    CHECK(serves(server));
}

TEST_CASE("server: a port that is taken is an error", "[http]")
{
    TestServer server;
    auto options = test_options();
    options.listen = server.endpoint();
    CHECK_THROWS_AS(TestServer(options), boost::system::system_error);
    CHECK(serves(server));
}

TEST_CASE(
    "server: stopping closes what idles, answers what is in flight, and refuses the rest", "[http]"
)
{
    TestServer server;
    HttpClient idle(server.endpoint());
    CHECK(idle.ask(request_for(verb::get, "/healthz")).result() == http::status::ok);
    HttpClient silent(server.endpoint());
    HalfSentRequest in_flight(server);

    const auto stopping = server.begin_stop();
    CHECK(idle.receive_rest().empty());
    CHECK(silent.receive_rest().empty());
    CHECK(refuses_connections(server));
    CHECK_FALSE(stopping->is_done());

    const auto response = in_flight.complete();
    CHECK(response.result() == http::status::created);
    CHECK_FALSE(response.keep_alive());
    CHECK(in_flight.await_end().empty());
    poll_until([&stopping] { return stopping->is_done(); });
    CHECK(stopping->take() == 0);
}

TEST_CASE("server: stopping answers those who wait to be accepted", "[http]")
{
    auto options = test_options();
    options.threads = 1;
    TestServer server(options);
    const auto is_busy = std::make_shared<Signal>();
    const auto may_go_on = std::make_shared<Signal>();
    boost::asio::post(server.executor(), [is_busy, may_go_on] {
        is_busy->set();
        may_go_on->wait();
    });
    is_busy->wait();
    std::list<HttpClient> waiting;
    for (int i = 0; i < 5; ++i) {
        waiting.emplace_back(server.endpoint()).send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    const auto stopping = server.begin_stop();
    may_go_on->set();

    for (auto& client : waiting) {
        const auto response = client.receive();
        CHECK(response.result() == http::status::ok);
        CHECK_FALSE(response.keep_alive());
        CHECK(client.receive_rest().empty());
    }
    poll_until([&stopping] { return stopping->is_done(); });
    CHECK(stopping->take() == 0);
    CHECK(refuses_connections(server));
}

TEST_CASE(
    "server: stopping waits only so long for a request that does not come to an end", "[http]"
)
{
    auto options = test_options();
    options.limits.stop_time = 100ms;
    TestServer server(options);
    HalfSentRequest in_flight(server);
    const auto stopping = server.begin_stop();
    CHECK(in_flight.await_end().empty());
    poll_until([&stopping] { return stopping->is_done(); });
    CHECK(stopping->take() == 1);
}

TEST_CASE("server: it may be destroyed with a request in flight", "[http]")
{
    std::optional<TestServer> server(std::in_place);
    HalfSentRequest in_flight(*server);
    server.reset();
    CHECK(in_flight.await_end().empty());
}

TEST_CASE("server: one connection too many is answered 503, until another ends", "[http]")
{
    auto options = test_options();
    options.limits.connections = 2;
    TestServer server(options);
    HttpClient first(server.endpoint());
    std::optional<HttpClient> second(server.endpoint());
    CHECK(first.ask(request_for(verb::get, "/healthz")).result() == http::status::ok);
    CHECK(second->ask(request_for(verb::get, "/healthz")).result() == http::status::ok);

    HttpClient third(server.endpoint());
    const auto refused = third.receive();
    CHECK(refused.result() == http::status::service_unavailable);
    CHECK(refused[http::field::retry_after] == "1");
    CHECK(third.receive_rest().empty());

    CHECK(first.ask(request_for(verb::get, "/healthz")).result() == http::status::ok);
    second.reset();
    poll_until([&server] { return serves(server); });
}

// The kernel completes a connection that the server has no descriptor for; it waits in the queue,
// and accepting it fails until there is one.
// Not under a sanitizer: its runtime needs a descriptor of its own whenever something is thrown.
constexpr auto without_descriptors = is_sanitized ? "[.]" : "[http]";

TEST_CASE(
    "server: it outlives a lack of file descriptors, and then accepts who waited",
    without_descriptors
)
{
    auto options = test_options();
    options.limits.accept_pause = 10ms;
    TestServer server(options);
    HttpClient served(server.endpoint());
    REQUIRE(served.ask(request_for(verb::get, "/healthz")).result() == http::status::ok);

    const DescriptorLimit limit(64);
    std::list<Descriptor> hoard;
    while (hoard.emplace_back().is_open()) {
    }
    // Leaves just enough for one client, and so none for the server.
    std::optional<HttpClient> waiting;
    while (!waiting) {
        hoard.pop_back();
        try {
            waiting.emplace(server.endpoint());
        } catch (const boost::system::system_error& error) {
            REQUIRE(error.code() == boost::system::errc::too_many_files_open);
        }
    }
    CHECK(served.ask(request_for(verb::get, "/healthz")).result() == http::status::ok);

    waiting->send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(served.ask(request_for(verb::get, "/healthz")).result() == http::status::ok);
    hoard.clear();
    CHECK(waiting->receive().result() == http::status::ok);
}

} // namespace sojourn::tests

#include "http/http_client.hpp"
#include "support/context_threads.hpp"
#include "support/poll_until.hpp"
#include "support/run_coro.hpp"

#include <sojourn/http_server/as_result.hpp>
#include <sojourn/http_server/responder.hpp>
#include <sojourn/http_server/responses.hpp>
#include <sojourn/http_server/server.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sojourn::tests {

namespace {

namespace asio = boost::asio;
using http::verb;
using http_server::StreamWriter;
using namespace std::chrono_literals;

/// What a test sees of a body, and does to it.
struct Seen {
    Signal has_begun;
    Signal was_cancelled;
    Signal may_go_on;
    Signal found_nobody;
    std::atomic<int> ended = 0;
};

/// Until the test lets it go on, or it is cancelled.
asio::awaitable<void> wait(Seen& seen)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    // It may be cancelled between two waits, and would be ended by the next then.
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!seen.may_go_on.is_set()) {
        timer.expires_after(1ms);
        const auto [error] = co_await timer.async_wait(http_server::as_result);
        const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
        if (error || state.cancelled() != asio::cancellation_type::none) {
            seen.was_cancelled.set();
            co_return;
        }
    }
}

/// Says "first", and then what the target asks for.
class Body : public http_server::StreamBody {
public:
    Body(Seen& seen, std::string_view kind) : seen_(seen), kind_(kind) {}

    asio::awaitable<void> write_to(StreamWriter& writer) override
    {
        const CountEnd count(seen_.ended);
        static_cast<void>(co_await writer.write("first"));
        seen_.has_begun.set();
        if (kind_ == "/throws") {
            throw std::runtime_error("no more");
        }
        if (kind_ == "/floods") {
            const std::string much(1'000'000, 'x');
            while (co_await writer.write(much)) {
            }
            seen_.found_nobody.set();
            co_return;
        }
        if (kind_ == "/waits") {
            co_await wait(seen_);
        }
        static_cast<void>(co_await writer.write(""));
        static_cast<void>(co_await writer.write("second"));
    }

private:
    class CountEnd {
    public:
        explicit CountEnd(std::atomic<int>& ended) : ended_(ended) {}

        CountEnd(const CountEnd&) = delete;
        CountEnd& operator=(const CountEnd&) = delete;
        CountEnd(CountEnd&&) = delete;
        CountEnd& operator=(CountEnd&&) = delete;

        ~CountEnd() { ++ended_; }

    private:
        std::atomic<int>& ended_;
    };

    Seen& seen_;
    std::string kind_;
};

class Streamer : public http_server::Responder {
public:
    explicit Streamer(Seen& seen) : seen_(seen) {}

    asio::awaitable<http_server::Reply>
    answer(const Request& request, const std::string& /*peer*/) override
    {
        if (request.target() == "/slow" || request.target() == "/slow-for-somebody") {
            seen_.has_begun.set();
            co_await wait(seen_);
            co_return http_server::Reply(http_server::json_response(http::status::ok, "late"));
        }
        auto header = http_server::json_response(http::status::ok, "not sent");
        co_return http_server::Reply(
            std::move(header), std::make_unique<Body>(seen_, request.target())
        );
    }

    [[nodiscard]] bool is_cancelled_with_client(const Request& request) const override
    {
        return request.target() == "/slow-for-somebody";
    }

private:
    Seen& seen_;
};

class StreamServer {
public:
    explicit StreamServer(const http_server::Limits& limits = {})
        : streamer_(seen_),
          server_(
              context_.get_executor(),
              streamer_,
              http_server::Acceptor(
                  context_,
                  http_server::Protocol::endpoint(
                      asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)
                  )
              ),
              limits,
              http_server::Threads::many
          ),
          threads_(context_, 2)
    {
        server_.start();
    }

    [[nodiscard]] asio::ip::tcp::endpoint endpoint() const { return server_.tcp_endpoint(); }

    [[nodiscard]] Seen& seen() { return seen_; }

    [[nodiscard]] http_server::Server& server() { return server_; }

    [[nodiscard]] auto begin_stop() { return spawn_coro(context_.get_executor(), server_.stop()); }

private:
    Seen seen_;
    asio::io_context context_;
    Streamer streamer_;
    http_server::Server server_;
    ContextThreads threads_;
};

constexpr std::string_view first_chunk = "5\r\nfirst\r\n";
constexpr std::string_view rest_of_chunks = "6\r\nsecond\r\n0\r\n\r\n";

std::string get(std::string_view target, std::string_view version = "1.1")
{
    return "GET " + std::string(target) + " HTTP/" + std::string(version) + "\r\nHost: a\r\n\r\n";
}

/// Reads a header up to its end.
std::string receive_header(HttpClient& client)
{
    std::string header;
    while (!header.ends_with("\r\n\r\n")) {
        header += client.receive_bytes(1);
    }
    return header;
}

} // namespace

TEST_CASE("stream: each part reaches the client before the next is written", "[http]")
{
    StreamServer server;
    HttpClient client(server.endpoint());
    client.send(get("/waits"));
    const auto header = receive_header(client);
    CHECK(header.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
    CHECK(header.find("Content-Length") == std::string::npos);
    CHECK(client.receive_bytes(first_chunk.size()) == first_chunk);
    server.seen().may_go_on.set();
    CHECK(client.receive_bytes(rest_of_chunks.size()) == rest_of_chunks);
}

TEST_CASE("stream: its connection serves the next request, also one that came early", "[http]")
{
    StreamServer server;
    HttpClient client(server.endpoint());
    client.send(get("/waits"));
    server.seen().has_begun.wait();
    client.send(get("/ends") + get("/ends"));
    server.seen().may_go_on.set();
    for (int i = 0; i < 3; ++i) {
        CHECK(client.receive().body() == "firstsecond");
    }
}

TEST_CASE(
    "stream: to a client of HTTP/1.0 it has no chunks, and ends with the connection", "[http]"
)
{
    StreamServer server;
    const auto answer = answer_to(server.endpoint(), get("/ends", "1.0"));
    CHECK(answer.find("chunked") == std::string::npos);
    CHECK(answer.ends_with("\r\n\r\nfirstsecond"));
}

TEST_CASE("stream: HEAD gets the header alone, and nothing is made", "[http]")
{
    StreamServer server;
    HttpClient client(server.endpoint());
    client.send("HEAD /ends HTTP/1.1\r\nHost: a\r\n\r\n" + get("/ends"));
    const auto header = receive_header(client);
    CHECK(header.find("chunked") != std::string::npos);
    CHECK(client.receive().body() == "firstsecond");
    CHECK(server.seen().ended == 1);
}

TEST_CASE("stream: when the client goes, who waits for something to write is cancelled", "[http]")
{
    StreamServer server;
    {
        HttpClient client(server.endpoint());
        client.send(get("/waits"));
        server.seen().has_begun.wait();
    }
    server.seen().was_cancelled.wait();
    poll_until([&] { return server.seen().ended == 1; });
}

TEST_CASE("answer: it is cancelled when its client goes, if that is of use", "[http]")
{
    StreamServer server;
    HttpClient client(server.endpoint());
    client.send(get("/slow-for-somebody"));
    server.seen().has_begun.wait();

    SECTION("when nobody is there to get it")
    {
        client.end_sending();
        server.seen().was_cancelled.wait();
        CHECK(client.receive_rest().empty());
    }
    SECTION("and not while somebody is, also if the next request comes early")
    {
        client.send(get("/ends"));
        server.seen().may_go_on.set();
        CHECK(client.receive().body() == "late");
        CHECK(client.receive().body() == "firstsecond");
    }
}

TEST_CASE("answer: else a client that has ended its side still gets it", "[http]")
{
    StreamServer server;
    HttpClient client(server.endpoint());
    client.send(get("/slow"));
    client.end_sending();
    server.seen().has_begun.wait();
    server.seen().may_go_on.set();
    CHECK(client.receive().body() == "late");
    CHECK(!server.seen().was_cancelled.is_set());
}

TEST_CASE("stream: a body that fails ends the connection without the last chunk", "[http]")
{
    StreamServer server;
    const auto answer = answer_to(server.endpoint(), get("/throws"));
    CHECK(answer.ends_with(first_chunk));
    CHECK(answer_to(server.endpoint(), get("/ends", "1.0")).ends_with("firstsecond"));
}

TEST_CASE("stream: a client that takes nothing is cut off after a time", "[http]")
{
    http_server::Limits limits;
    limits.response_time = 50ms;
    StreamServer server(limits);
    HttpClient client(server.endpoint());
    client.send(get("/floods"));
    server.seen().found_nobody.wait();
}

TEST_CASE("stream: stopping waits for it, and hurrying cancels it", "[http]")
{
    StreamServer server;
    HttpClient client(server.endpoint());
    client.send(get("/waits"));
    server.seen().has_begun.wait();
    const auto stopped = server.begin_stop();

    SECTION("it may end")
    {
        receive_header(client);
        CHECK(client.receive_bytes(first_chunk.size()) == first_chunk);
        CHECK(!stopped->is_done());
        server.seen().may_go_on.set();
        CHECK(client.receive_rest() == rest_of_chunks);
        poll_until([&] { return stopped->is_done(); });
        CHECK(stopped->take() == 0);
    }
    SECTION("or not")
    {
        server.server().hurry();
        server.seen().was_cancelled.wait();
        poll_until([&] { return stopped->is_done(); });
        CHECK(stopped->take() == 1);
    }
}

} // namespace sojourn::tests

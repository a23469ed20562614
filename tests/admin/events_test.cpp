#include "admin/watched.hpp"
#include "support/poll_until.hpp"

#include <sojourn/admin/event_feed.hpp>
#include <sojourn/admin/event_subscription.hpp>
#include <sojourn/http/server_sent_event.hpp>
#include <sojourn/http/server_sent_event_reader.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace sojourn::tests {

namespace {

using namespace std::chrono_literals;
using http::verb;
using sojourn::http::ServerSentEvent;
namespace asio = boost::asio;

/// Somebody who follows the events of an endpoint.
class Follower {
public:
    explicit Follower(Watched& watched, std::string_view shown = token)
        : client_(watched.endpoint().tcp_endpoint())
    {
        client_.send(
            "GET /events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + std::string(shown) +
            "\r\n\r\n"
        );
        while (!header_.ends_with("\r\n\r\n")) {
            header_ += client_.receive_bytes(1);
        }
        // From the first chunk on, all events are told.
        receive_chunk();
    }

    [[nodiscard]] const std::string& header() const { return header_; }

    ServerSentEvent next()
    {
        while (true) {
            if (auto event = reader_.next()) {
                return *std::move(event);
            }
            receive_chunk();
        }
    }

    /// Whatever comes until the server ends it.
    std::string rest() { return client_.receive_rest(); }

private:
    void receive_chunk()
    {
        std::string length;
        while (!length.ends_with("\r\n")) {
            length += client_.receive_bytes(1);
        }
        reader_.add(client_.receive_bytes(std::stoul(length, nullptr, 16)));
        client_.receive_bytes(2);
    }

    HttpClient client_;
    std::string header_;
    sojourn::http::ServerSentEventReader reader_{10'000};
};

boost::json::value data_of(const ServerSentEvent& event)
{
    INFO(event.text());
    REQUIRE(event.data);
    return boost::json::parse(*event.data);
}

} // namespace

TEST_CASE("admin events: they tell of each session that begins and ends, and why", "[admin]")
{
    Watched watched;
    Follower follower(watched, read_token);
    CHECK(follower.header().find("Content-Type: text/event-stream\r\n") != std::string::npos);
    CHECK(follower.header().find("Cache-Control: no-store\r\n") != std::string::npos);

    const auto id = watched.add("alice");
    const auto reference = watched.reference_of(id);
    const auto created = follower.next();
    CHECK(created.type == "created");
    CHECK(created.id == "1");
    CHECK(data_of(created).at("reference").as_string() == reference);
    CHECK(data_of(created).at("principal").as_string() == "alice");

    REQUIRE(watched.run(watched.service().remove(id)).has_value());
    const auto removed = follower.next();
    CHECK(removed.type == "removed");
    CHECK(removed.id == "2");
    CHECK(data_of(removed).at("reference").as_string() == reference);
    CHECK(data_of(removed).at("cause").as_string() == "deleted");
    CHECK(removed.data->find(id.text()) == std::string::npos);
}

TEST_CASE("admin events: they tell how many requests were refused, and why", "[admin]")
{
    Watched watched(on_loopback().refusal_interval(10ms));
    Follower follower(watched);
    for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(watched.run(watched.service().acquire(SessionId())).has_value());
    }
    std::int64_t count = 0;
    while (count < 3) {
        const auto refused = follower.next();
        REQUIRE(refused.type == "refused");
        CHECK(!refused.id);
        const auto data = data_of(refused);
        CHECK(data.at("what").as_string() == "request");
        CHECK(data.at("reason").as_string() == "not_found");
        count += data.at("count").to_number<std::int64_t>();
    }
    CHECK(count == 3);
}

TEST_CASE("admin events: all who follow hear the same, and go on when one of them goes", "[admin]")
{
    Watched watched;
    Follower first(watched);
    {
        Follower second(watched);
        watched.add();
        CHECK(second.next() == first.next());
    }
    watched.add();
    CHECK(first.next().id == "2");
}

TEST_CASE("admin events: when the endpoint stops, they end", "[admin]")
{
    Watched watched;
    Follower follower(watched);
    watched.run(watched.endpoint().stop());
    CHECK(follower.rest() == "0\r\n\r\n");
}

TEST_CASE("admin events: without a feed there are none, and without a token neither", "[admin]")
{
    Watched watched;
    CHECK(watched.ask(verb::get, "/events", "").result() == http::status::unauthorized);
    CHECK(watched.ask(verb::post, "/events").result() == http::status::method_not_allowed);

    admin::Endpoint without(watched.executor(), watched.service(), on_loopback());
    without.start();
    auto request = request_for(verb::get, "/events");
    request.set(http::field::authorization, "Bearer " + token);
    HttpClient client(without.tcp_endpoint());
    CHECK(client.ask(request).result() == http::status::not_found);
    watched.run(without.stop());
}

TEST_CASE("admin events: listeners that were there before are told too", "[admin]")
{
    auto created = std::make_shared<std::atomic<int>>(0);
    auto removed = std::make_shared<std::atomic<int>>(0);
    ServiceEnvironment environment;
    environment.on_created([created](SessionInfo) -> asio::awaitable<void> {
        ++*created;
        co_return;
    });
    environment.on_removed([removed](RemovedSession) -> asio::awaitable<void> {
        ++*removed;
        co_return;
    });
    Watched watched(on_loopback(), environment);
    const auto id = watched.add();
    REQUIRE(watched.run(watched.service().remove(id)).has_value());
    poll_until([&] { return *created == 1 && *removed == 1; });
}

TEST_CASE("event feed: who reads too slowly misses some, and can tell how many", "[admin]")
{
    asio::io_context context;
    const auto feed = std::make_shared<admin::EventFeed>(context.get_executor());
    const auto tell = feed->listening().on_created();
    const auto slow = run_coro(context, feed->subscribe(context.get_executor()));
    constexpr auto missed = std::size_t{7};
    for (std::size_t i = 0; i < admin::EventFeed::max_waiting_events + missed; ++i) {
        run_coro(context, tell(SessionInfo()));
    }
    std::optional<std::string> last;
    for (std::size_t i = 0; i < admin::EventFeed::max_waiting_events; ++i) {
        last = run_coro(context, slow->next())->id;
    }
    CHECK(last == std::to_string(admin::EventFeed::max_waiting_events));
    run_coro(context, tell(SessionInfo()));
    const auto next = run_coro(context, slow->next())->id;
    CHECK(next == std::to_string(admin::EventFeed::max_waiting_events + missed + 1));
}

} // namespace sojourn::tests

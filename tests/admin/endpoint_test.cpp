#include "admin/watched.hpp"
#include "support/poll_until.hpp"

#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sojourn::tests {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using admin::Options;
using http::status;
using http::verb;
using namespace std::chrono_literals;

} // namespace

TEST_CASE("admin endpoint: nobody gets in without a token", "[admin]")
{
    Watched watched;
    for (const std::string_view shown : {"", "a-token-that-nobody-guesseS", "x"}) {
        const auto response = watched.ask(verb::get, "/stats", shown);
        CHECK(response.result() == status::unauthorized);
        CHECK(response[http::field::www_authenticate] == "Bearer realm=\"sojourn\"");
    }
    // Not even to learn what there is.
    CHECK(watched.ask(verb::get, "/nothing", "").result() == status::unauthorized);
    CHECK(watched.ask(verb::get, "/stats").result() == status::ok);
    HttpClient client(watched.endpoint().tcp_endpoint());
    auto twice = request_for(verb::get, "/stats");
    twice.insert(http::field::authorization, "Bearer " + token);
    twice.insert(http::field::authorization, "Bearer " + token);
    CHECK(client.ask(twice).result() == status::unauthorized);
    auto basic = request_for(verb::get, "/stats");
    basic.set(http::field::authorization, "Basic " + token);
    CHECK(client.ask(basic).result() == status::unauthorized);
    auto other_case = request_for(verb::get, "/stats");
    other_case.set(http::field::authorization, "bearer " + token);
    CHECK(client.ask(other_case).result() == status::ok);
}

TEST_CASE("admin endpoint: who may look may change nothing", "[admin]")
{
    Watched watched;
    const auto id = watched.add("bob");
    const auto one = "/sessions/" + watched.reference_of(id);
    CHECK(watched.ask(verb::get, one, read_token).result() == status::ok);
    CHECK(watched.ask(verb::get, "/stats", read_token).result() == status::ok);
    CHECK(watched.ask(verb::delete_, one, read_token).result() == status::forbidden);
    CHECK(watched.ask(verb::post, "/cleanup?scope=all", read_token).result() == status::forbidden);
    CHECK(watched.ask(verb::post, "/drain", read_token).result() == status::forbidden);
    CHECK(watched.run(watched.service().peek(id)).has_value());
    CHECK(watched.service().state() == ServiceState::running);
}

TEST_CASE("admin endpoint: sessions are listed, with all but their secrets", "[admin]")
{
    Watched watched;
    const auto id = watched.add("bob");
    static_cast<void>(watched.run(watched.service().commit(id, 1, {{"card", "1234-5678"}})));
    watched.clock().advance(90s);
    const auto response = watched.ask(verb::get, "/sessions");
    CHECK(response.body().find(id.text()) == std::string::npos);
    CHECK(response.body().find("1234") == std::string::npos);

    const auto session = json::parse(response.body()).at("sessions").at(0);
    CHECK(session.at("reference").as_string() == watched.reference_of(id));
    CHECK(session.at("principal").as_string() == "bob");
    CHECK(session.at("use").as_string() == "idle");
    CHECK(session.at("idle_seconds").as_double() == 90);
    CHECK(session.at("requests").to_number<int>() == 0);
    CHECK(session.at("leases").to_number<int>() == 0);
    CHECK(session.at("streams").to_number<int>() == 0);
    CHECK(session.at("attribute_bytes").to_number<int>() > 0);
    CHECK(session.at("attributes_version").to_number<int>() == 2);
    CHECK(json::parse(response.body()).at("next").is_null());
    CHECK(watched.read(verb::get, "/sessions/" + watched.reference_of(id)) == session);
}

TEST_CASE("admin endpoint: a principal that is no UTF-8 is told from all others", "[admin]")
{
    Watched watched;
    const auto session_of = [&](std::string principal) {
        const auto reference = watched.reference_of(watched.add(std::move(principal)));
        return watched.read(verb::get, "/sessions/" + reference).as_object();
    };
    const auto bytes = session_of("\\\xFF");
    CHECK(bytes.at("principal").as_string() == R"(\\\xff)");
    CHECK(bytes.at("principal_is_escaped").as_bool());
    for (const std::string name : {R"(\xff)", R"(\\\xff)"}) {
        const auto named = session_of(name);
        CHECK(named.at("principal").as_string() == name);
        CHECK_FALSE(named.contains("principal_is_escaped"));
    }
    CHECK_FALSE(session_of("").contains("principal_is_escaped"));
}

TEST_CASE("admin endpoint: a listing goes through all pages", "[admin]")
{
    Watched watched;
    std::set<std::string> all;
    for (int i = 0; i < 25; ++i) {
        all.insert(watched.reference_of(watched.add("bob")));
    }
    std::set<std::string> listed;
    std::string after;
    for (int pages = 0; pages < 100; ++pages) {
        const auto page = watched.read(verb::get, "/sessions?limit=10" + after);
        CHECK(page.at("sessions").as_array().size() <= 10);
        for (const auto& session : page.at("sessions").as_array()) {
            CHECK(listed.emplace(session.at("reference").as_string()).second);
        }
        if (page.at("next").is_null()) {
            break;
        }
        after = "&after=" + std::string(page.at("next").as_string());
    }
    CHECK(listed == all);
}

TEST_CASE("admin endpoint: the first of an order are the first of all", "[admin]")
{
    Watched watched;
    std::vector<std::string> by_age;
    for (int i = 0; i < 6; ++i) {
        by_age.push_back(watched.reference_of(watched.add("bob")));
        watched.clock().advance(1min);
    }
    const auto page = watched.read(verb::get, "/sessions?sort=idle&limit=3");
    REQUIRE(page.at("sessions").as_array().size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(page.at("sessions").at(i).at("reference").as_string() == by_age[i]);
    }
    CHECK(watched.listed("/sessions?sort=age&limit=1") == std::set{by_age.front()});
}

TEST_CASE("admin endpoint: a listing can be of some", "[admin]")
{
    Watched watched;
    const auto bob = watched.reference_of(watched.add("bob"));
    watched.clock().advance(10min);
    const auto nobody = watched.reference_of(watched.add());
    const auto eve = watched.add("eve");
    const auto lease = watched.run(watched.service().acquire(eve)).value();
    CHECK(watched.listed("/sessions").size() == 3);
    CHECK(watched.listed("/sessions?principal=bob") == std::set{bob});
    CHECK(watched.listed("/sessions?principal=") == std::set{nobody});
    CHECK(watched.listed("/sessions?idle_for=10m") == std::set{bob});
    CHECK(watched.listed("/sessions?use=half_open") == std::set{nobody});
    CHECK(watched.listed("/sessions?use=in_use") == std::set{watched.reference_of(eve)});
}

TEST_CASE("admin endpoint: frames are read a page at a time", "[admin]")
{
    Watched watched;
    const auto id = watched.add("bob");
    const auto target = "/sessions/" + watched.reference_of(id) + "/frames";
    const auto none = watched.read(verb::get, target);
    CHECK(none.at("frames").as_array().empty());
    CHECK(none.at("next").to_number<int>() == 0);
    watched.record(id, "first");
    watched.record(id, "second", 7);
    watched.record(id, "\xFF", 7);

    const auto page = watched.read(verb::get, target + "?limit=2");
    REQUIRE(page.at("frames").as_array().size() == 2);
    const auto& frame = page.at("frames").at(1);
    CHECK(frame.at("sequence").to_number<int>() == 2);
    CHECK(frame.at("recorded").as_string().size() == 24);
    CHECK(frame.at("recorded").as_string().ends_with("Z"));
    CHECK(frame.at("direction").as_string() == "from_client");
    CHECK(frame.at("stream").to_number<int>() == 7);
    CHECK(frame.at("bytes").to_number<int>() == 6);
    CHECK(frame.at("payload").as_string() == "second");
    CHECK(page.at("next").to_number<int>() == 2);
    CHECK(page.at("newest").to_number<int>() == 3);
    CHECK(page.at("first_kept").to_number<int>() == 1);
    CHECK(page.at("dropped").to_number<int>() == 0);

    const auto rest = watched.read(verb::get, target + "?after=2");
    CHECK(rest.at("frames").at(0).at("payload").as_string() == "\\xff");
    const auto of_stream = watched.read(verb::get, target + "?stream=0");
    CHECK(of_stream.at("frames").as_array().size() == 1);
}

TEST_CASE("admin endpoint: frames are not for those who may only look", "[admin]")
{
    Watched watched;
    const auto id = watched.add("bob");
    const auto target = "/sessions/" + watched.reference_of(id) + "/frames";
    CHECK(watched.ask(verb::get, target, read_token).result() == status::forbidden);
    CHECK(watched.ask(verb::get, target).result() == status::ok);
    CHECK(
        watched.ask(verb::get, "/sessions/0123456789abcdef/frames").result() == status::not_found
    );
}

TEST_CASE("admin endpoint: sessions can be ended one by one", "[admin]")
{
    Watched watched;
    const auto id = watched.add("bob");
    static_cast<void>(watched.add("bob"));
    const auto target = "/sessions/" + watched.reference_of(id);
    const auto response = watched.ask(verb::delete_, target);
    CHECK(response.result() == status::no_content);
    CHECK(response.body().empty());
    CHECK_FALSE(watched.run(watched.service().peek(id)).has_value());
    CHECK(watched.ask(verb::delete_, target).result() == status::not_found);
    CHECK(watched.ask(verb::get, target).result() == status::not_found);
    CHECK(watched.listed("/sessions").size() == 1);
}

TEST_CASE("admin endpoint: all sessions of a principal can be ended", "[admin]")
{
    Watched watched;
    for (int i = 0; i < 3; ++i) {
        static_cast<void>(watched.add("a/b"));
    }
    static_cast<void>(watched.add("eve"));
    const auto ended = watched.read(verb::delete_, "/principals/a%2Fb/sessions");
    CHECK(ended.at("sessions").to_number<int>() == 3);
    CHECK(
        watched.read(verb::delete_, "/principals/x/sessions").at("sessions").to_number<int>() == 0
    );
    CHECK(watched.listed("/sessions").size() == 1);
    const auto named_by_query = watched.read(verb::delete_, "/sessions?principal=eve");
    CHECK(named_by_query.at("sessions").to_number<int>() == 1);
    CHECK(watched.listed("/sessions").empty());
}

TEST_CASE("admin endpoint: a dry run of a cleanup says what it would end", "[admin]")
{
    Watched watched;
    static_cast<void>(watched.add("bob"));
    watched.clock().advance(10min);
    static_cast<void>(watched.add("eve"));
    const auto sessions = [&](std::string_view query) {
        return watched.read(verb::post, "/cleanup?" + std::string(query))
            .at("sessions")
            .to_number<int>();
    };
    CHECK(sessions("scope=idle&idle_for=5m&dry_run=true") == 1);
    CHECK(sessions("scope=all&dry_run=true") == 2);
    CHECK(watched.listed("/sessions").size() == 2);
    CHECK(sessions("scope=idle&idle_for=5m") == 1);
    CHECK(sessions("scope=expired&dry_run=true") == 0);
    CHECK(sessions("scope=expired") == 0);
    CHECK(sessions("scope=all") == 1);
    CHECK(watched.listed("/sessions").empty());
}

TEST_CASE("admin endpoint: parameters in a body are refused, not ignored", "[admin]")
{
    Watched watched;
    static_cast<void>(watched.add("bob"));
    auto request = request_for(verb::post, "/cleanup?scope=all", {}, "dry_run=true");
    request.set(http::field::authorization, "Bearer " + token);
    HttpClient client(watched.endpoint().tcp_endpoint());
    CHECK(client.ask(request).result() == status::bad_request);
    CHECK(watched.listed("/sessions").size() == 1);
}

TEST_CASE("admin endpoint: statistics are those of the service", "[admin]")
{
    Watched watched;
    const auto id = watched.add("bob");
    static_cast<void>(watched.run(watched.service().remove(watched.add("eve"))));
    const auto lease = watched.run(watched.service().acquire(id)).value();
    const auto statistics = watched.read(verb::get, "/stats");
    const auto metrics = watched.run(watched.service().metrics()).value();
    const auto& sessions = statistics.at("sessions");
    CHECK(sessions.at("created").to_number<std::uint64_t>() == metrics.created);
    CHECK(sessions.at("live").to_number<std::uint64_t>() == 1);
    CHECK(sessions.at("leased").to_number<std::uint64_t>() == 1);
    CHECK(sessions.at("removed").at("deleted").to_number<std::uint64_t>() == 1);
    CHECK(sessions.at("acquired").to_number<std::uint64_t>() == metrics.acquired);
    CHECK(statistics.at("in_flight").at("held").to_number<int>() == 1);
    CHECK(statistics.at("in_flight").at("limit").to_number<int>() == 10);
    CHECK(statistics.at("health").at("state").as_string() == "running");
    CHECK(statistics.at("health").at("ready").as_bool());
}

TEST_CASE("admin endpoint: metrics are what the server says they are", "[admin]")
{
    auto options = on_loopback();
    options.metrics([](SessionService& service) -> asio::awaitable<Result<std::string>> {
        const auto metrics = co_await service.metrics();
        co_return "sessions " + std::to_string(metrics.value().live) + "\n";
    });
    Watched watched(options);
    static_cast<void>(watched.add("bob"));
    const auto response = watched.ask(verb::get, "/metrics");
    CHECK(response.result() == status::ok);
    CHECK(response[http::field::content_type] == "text/plain; version=0.0.4; charset=utf-8");
    CHECK(response.body() == "sessions 1\n");
    Watched silent;
    CHECK(silent.ask(verb::get, "/metrics").result() == status::not_found);
}

TEST_CASE("admin endpoint: a drain begins, and health tells how far it is", "[admin]")
{
    Watched watched;
    const auto id = watched.add("bob");
    auto lease = watched.run(watched.service().acquire(id)).value();
    CHECK(watched.read(verb::get, "/health").at("state").as_string() == "running");
    const auto begun = watched.read(verb::post, "/drain?deadline=1h", status::accepted);
    CHECK(begun.at("state").as_string() == "draining");
    const auto health = watched.read(verb::get, "/health", status::service_unavailable);
    CHECK(health.at("state").as_string() == "draining");
    CHECK_FALSE(health.at("ready").as_bool());
    lease.release();
    poll_until([&] { return watched.service().state() == ServiceState::closed; });
    CHECK(watched.read(verb::get, "/stats").at("health").at("state").as_string() == "closed");
}

TEST_CASE("admin endpoint: HEAD tells what GET would", "[admin]")
{
    Watched watched;
    const auto response = watched.ask(verb::head, "/stats");
    CHECK(response.result() == status::ok);
    CHECK(response.body().empty());
    CHECK(response[http::field::content_type] == "application/json");
}

TEST_CASE("admin endpoint: a Unix socket is its owner's alone", "[admin]")
{
    const SocketPath path;

    struct stat file{};
    {
        Watched watched(Options().unix_socket(path.text()));
        REQUIRE(::lstat(path.text().c_str(), &file) == 0);
        CHECK(S_ISSOCK(file.st_mode));
        CHECK((file.st_mode & 0777U) == 0600U);
        HttpClient client(path.endpoint());
        CHECK(client.ask(request_for(verb::get, "/stats")).result() == status::ok);
        CHECK(client.ask(request_for(verb::post, "/cleanup?scope=all")).result() == status::ok);
    }

    CHECK(::lstat(path.text().c_str(), &file) != 0);
}

TEST_CASE("admin endpoint: a socket that a dead server left is replaced", "[admin]")
{
    const SocketPath path;
    {
        asio::io_context context;
        const asio::local::stream_protocol::acceptor dead(context, path.text());
    }
    REQUIRE(std::filesystem::exists(path.text()));
    Watched watched(Options().unix_socket(path.text()));
    HttpClient client(path.endpoint());
    CHECK(client.ask(request_for(verb::get, "/stats")).result() == status::ok);
}

TEST_CASE("admin endpoint: neither a living server nor a file is replaced", "[admin]")
{
    const SocketPath path;
    {
        Watched watched(Options().unix_socket(path.text()));
        CHECK_THROWS_AS(Watched(Options().unix_socket(path.text())), boost::system::system_error);
        HttpClient client(path.endpoint());
        CHECK(client.ask(request_for(verb::get, "/stats")).result() == status::ok);
    }
    std::ofstream(path.text()) << "something else";
    CHECK_THROWS_AS(Watched(Options().unix_socket(path.text())), boost::system::system_error);
    CHECK(std::filesystem::file_size(path.text()) == 14);
}

TEST_CASE("admin endpoint: bad options are refused with what is wrong", "[admin]")
{
    try {
        Watched watched(Options().tcp({asio::ip::address_v4::any(), 0}));
        FAIL("it listens on a public address, and needs no token");
    } catch (const std::invalid_argument& error) {
        CHECK(std::string_view(error.what()).starts_with("an admin endpoint on TCP needs a token"));
    }
}

TEST_CASE("admin endpoint: it stops, and answers nobody any more", "[admin]")
{
    Watched watched;
    CHECK(watched.ask(verb::get, "/stats").result() == status::ok);
    watched.run(watched.endpoint().stop());
    CHECK_THROWS_AS(watched.ask(verb::get, "/stats"), boost::system::system_error);
}

} // namespace sojourn::tests

/// @file
/// A service with an admin endpoint, in this process.

#ifndef SOJOURN_TESTS_ADMIN_WATCHED_HPP
#define SOJOURN_TESTS_ADMIN_WATCHED_HPP

#include "http/http_client.hpp"
#include "support/context_threads.hpp"
#include "support/run_coro.hpp"

#include <sojourn/admin/endpoint.hpp>
#include <sojourn/testing/manual_clock.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace sojourn::tests {

inline const std::string token = "a-token-that-nobody-guesses";
inline const std::string read_token = "a-token-for-those-who-look";

/// A name that no other test has, and that is gone with the test.
class SocketPath {
public:
    SocketPath()
        : path_(
              std::filesystem::temp_directory_path() /
              ("sojourn-admin-test-" + std::to_string(::getpid()) + ".sock")
          )
    {
        std::filesystem::remove(path_);
    }

    SocketPath(const SocketPath&) = delete;
    SocketPath& operator=(const SocketPath&) = delete;
    SocketPath(SocketPath&&) = delete;
    SocketPath& operator=(SocketPath&&) = delete;

    ~SocketPath() { std::filesystem::remove(path_); }

    [[nodiscard]] std::string text() const { return path_.string(); }

    [[nodiscard]] http_server::Protocol::endpoint endpoint() const
    {
        return boost::asio::local::stream_protocol::endpoint(text());
    }

private:
    std::filesystem::path path_;
};

inline admin::Options on_loopback()
{
    return admin::Options()
        .tcp({boost::asio::ip::address_v4::loopback(), 0})
        .token(token)
        .read_token(read_token);
}

inline ServiceOptions watched_options()
{
    return ServiceOptions()
        .shards(2)
        .max_half_open(1'000)
        .max_sessions_per_principal(std::nullopt)
        .creation_rate(RateLimit::unlimited())
        .max_in_flight(10)
        .max_frames_per_session(50);
}

/// A service with an endpoint, on a clock that stands still.
class Watched {
public:
    explicit Watched(admin::Options options = on_loopback(), ServiceEnvironment environment = {})
        : service_(
              context_.get_executor(),
              watched_options(),
              events_->listening(environment.clock(clock_))
          ),
          endpoint_(context_.get_executor(), service_, options.events(events_)),
          threads_(context_, 2)
    {
        endpoint_.start();
    }

    template <class T>
    T run(boost::asio::awaitable<T> operation)
    {
        return run_coro_on(context_.get_executor(), std::move(operation));
    }

    SessionId add(std::string principal = {})
    {
        auto created =
            run(service_.create(CreateOptions().principal(std::move(principal)))).value();
        return created.id;
    }

    /// Something goes through a session.
    void record(const SessionId& id, std::string payload, std::uint32_t stream = 0)
    {
        auto lease = run(service_.acquire(id)).value();
        const auto number =
            run(lease.record(FrameDirection::from_client, std::move(payload), stream));
        REQUIRE(number.has_value());
    }

    std::string reference_of(const SessionId& id)
    {
        return to_string(run(service_.peek(id)).value().reference);
    }

    Response ask(http::verb method, std::string_view target, std::string_view shown = token)
    {
        auto request = request_for(method, target);
        if (!shown.empty()) {
            request.set(http::field::authorization, "Bearer " + std::string(shown));
        }
        HttpClient client(endpoint_.tcp_endpoint());
        return client.ask(request);
    }

    boost::json::value
    read(http::verb method, std::string_view target, http::status wanted = http::status::ok)
    {
        INFO(target);
        const auto response = ask(method, target);
        INFO(response.body());
        REQUIRE(response.result() == wanted);
        CHECK(response[http::field::cache_control] == "no-store");
        return boost::json::parse(response.body());
    }

    std::set<std::string> listed(std::string_view target)
    {
        std::set<std::string> references;
        const auto page = read(http::verb::get, target);
        for (const auto& session : page.at("sessions").as_array()) {
            references.emplace(session.at("reference").as_string());
        }
        return references;
    }

    [[nodiscard]] boost::asio::any_io_executor executor() { return context_.get_executor(); }

    [[nodiscard]] testing::ManualClock& clock() { return *clock_; }

    [[nodiscard]] SessionService& service() { return service_; }

    [[nodiscard]] admin::Endpoint& endpoint() { return endpoint_; }

private:
    std::shared_ptr<testing::ManualClock> clock_ = std::make_shared<testing::ManualClock>();
    boost::asio::io_context context_;
    std::shared_ptr<admin::EventFeed> events_ =
        std::make_shared<admin::EventFeed>(context_.get_executor());
    SessionService service_;
    admin::Endpoint endpoint_;
    ContextThreads threads_;
};

} // namespace sojourn::tests

#endif // SOJOURN_TESTS_ADMIN_WATCHED_HPP

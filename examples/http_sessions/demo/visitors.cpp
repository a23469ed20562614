#include "visitors.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace http_sessions {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// A steady beat. Who is late does not hurry to catch up: a slow machine gets a smaller load.
class Beat {
public:
    Beat(const asio::any_io_executor& executor, std::chrono::milliseconds interval)
        : timer_(executor, std::chrono::steady_clock::now()), interval_(interval)
    {
    }

    asio::awaitable<void> next()
    {
        timer_.expires_at(std::max(timer_.expiry() + interval_, std::chrono::steady_clock::now()));
        co_await timer_.async_wait(asio::use_awaitable);
    }

private:
    asio::steady_timer timer_;
    std::chrono::milliseconds interval_;
};

} // namespace

Visitors::Visitors(asio::any_io_executor executor, asio::ip::tcp::endpoint server)
    : executor_(std::move(executor)), server_(std::move(server))
{
}

// A thousand requests a second in all: nothing to the server, enough to watch.
void Visitors::arrive()
{
    add(40, &Visitors::regular);
    add(4, &Visitors::drifter);
    add(4, &Visitors::passer_by);
    add(1, &Visitors::hasty_one);
    add(1, &Visitors::crowd);
}

void Visitors::add(std::size_t count, Visit visit)
{
    for (std::size_t i = 0; i < count; ++i) {
        ++present_;
        asio::co_spawn(executor_, (this->*visit)(), [this](const std::exception_ptr& thrown) {
            --present_;
            try {
                if (thrown) {
                    std::rethrow_exception(thrown);
                }
            } catch (const std::exception& error) {
                tally_.fail(error.what());
            }
        });
    }
}

asio::awaitable<void> Visitors::regular()
{
    LoopbackClient client(executor_, server_);
    Beat beat(executor_, 200ms);
    for (int round = 1; !are_leaving_; ++round) {
        if (!client.has_cookie()) {
            co_await create(client, R"({"principal": "regular", "attributes": {"theme": "dark"}})");
        } else if (round % 10 == 0) {
            co_await change(client, http::verb::post, "/session/rotate", "");
        } else if (round % 5 == 0) {
            co_await change(
                client, http::verb::put, "/session/attributes/round", std::to_string(round)
            );
        } else {
            co_await touch(client);
        }
        co_await beat.next();
    }
    if (client.has_cookie()) {
        co_await change(client, http::verb::delete_, "/session", "");
    }
}

asio::awaitable<void> Visitors::drifter()
{
    LoopbackClient client(executor_, server_);
    Beat beat(executor_, 17ms);
    while (!are_leaving_) {
        co_await create(client, "");
        client.forget_cookie();
        co_await beat.next();
    }
}

asio::awaitable<void> Visitors::passer_by()
{
    LoopbackClient client(executor_, server_);
    Beat beat(executor_, 20ms);
    while (!are_leaving_) {
        co_await create(client, R"({"idle_timeout": "400ms"})");
        client.forget_cookie();
        co_await beat.next();
    }
}

asio::awaitable<void> Visitors::hasty_one()
{
    LoopbackClient client(executor_, server_);
    Beat beat(executor_, 5ms);
    while (!are_leaving_) {
        if (client.has_cookie()) {
            co_await touch(client);
        } else {
            co_await create(client, "");
        }
        co_await beat.next();
    }
}

asio::awaitable<void> Visitors::crowd()
{
    LoopbackClient client(executor_, server_);
    Beat beat(executor_, 25ms);
    for (int number = 1; !are_leaving_; ++number) {
        co_await create(client, R"({"principal": "visitor )" + std::to_string(number) + R"("})");
        client.forget_cookie();
        co_await beat.next();
    }
}

asio::awaitable<void> Visitors::create(LoopbackClient& client, std::string body)
{
    const auto response = co_await client.ask(http::verb::post, "/session", std::move(body));
    ++tally_.requests;
    if (response.result() == http::status::created && client.has_cookie()) {
        ++tally_.created;
    } else if (response.result() == http::status::service_unavailable &&
               response.count(http::field::retry_after) == 1) {
        ++tally_.shed;
    } else {
        note_lost_or_wrong(client, response);
    }
}

asio::awaitable<void> Visitors::touch(LoopbackClient& client)
{
    const auto response = co_await client.ask(http::verb::get, "/session");
    ++tally_.requests;
    if (response.result() == http::status::ok) {
        ++tally_.touched;
    } else if (response.result() == http::status::too_many_requests &&
               response.count(http::field::retry_after) == 1) {
        ++tally_.rate_limited;
    } else {
        note_lost_or_wrong(client, response);
    }
}

asio::awaitable<void>
Visitors::change(LoopbackClient& client, http::verb method, std::string target, std::string body)
{
    const auto response = co_await client.ask(method, std::move(target), std::move(body));
    ++tally_.requests;
    if (response.result() == http::status::no_content) {
        ++tally_.touched;
    } else {
        note_lost_or_wrong(client, response);
    }
}

// On a slow machine even a regular may come too late. It starts over.
void Visitors::note_lost_or_wrong(LoopbackClient& client, const Response& response)
{
    if (response.result() == http::status::unauthorized && client.has_cookie()) {
        ++tally_.lost;
        client.forget_cookie();
        return;
    }
    tally_.fail("an answer of " + std::to_string(response.result_int()) + ": " + response.body());
}

} // namespace http_sessions

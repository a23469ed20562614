#include "counted.hpp"
#include "operations.hpp"
#include "run.hpp"
#include "sojourn/admin/endpoint.hpp"
#include "sojourn/service/session_service.hpp"
#include "sojourn/testing/manual_clock.hpp"
#include "sojourn/testing/seeded_id_source.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sojourn::instructions {

namespace {

namespace asio = boost::asio;
using Ids = std::vector<SessionId>;

/// A service in this thread, its clock and its ids.
struct Server {
    explicit Server(std::size_t frames_per_session = 0)
        : sessions(
              context.get_executor(),
              ServiceOptions()
                  .max_sessions(session_count)
                  .max_half_open(session_count)
                  .request_rate(RateLimit::unlimited())
                  .max_frames_per_session(frames_per_session),
              ServiceEnvironment().clock(clock).id_source(std::make_shared<testing::SeededIdSource>(
              ))
          )
    {
    }

    asio::io_context context;
    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    SessionService sessions;
};

void expect(bool truth, const char* what)
{
    if (!truth) {
        throw std::logic_error(what);
    }
}

/// Creates `count` sessions of 64 bytes, and ends each first request.
asio::awaitable<Ids> create_sessions(SessionService& sessions, std::size_t count)
{
    Ids ids;
    ids.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        Attributes attributes;
        attributes.set("cart", std::string(60, 'x'));
        auto options = CreateOptions().attributes(std::move(attributes));
        auto created = co_await sessions.create(std::move(options));
        ids.push_back(std::move(created).value().id);
    }
    co_return ids;
}

asio::awaitable<std::size_t> touch_each(SessionService& sessions, const Ids& ids)
{
    std::size_t found = 0;
    for (std::size_t i = 0; i < operation_count; ++i) {
        const auto touched = co_await sessions.touch(ids[i % ids.size()]);
        found += static_cast<std::size_t>(touched.has_value());
    }
    co_return found;
}

/// What happens after each thousand requests.
enum class EachThousand : std::uint8_t { nothing, read_counters };

asio::awaitable<std::size_t>
acquire_each(SessionService& sessions, const Ids& ids, EachThousand after)
{
    std::size_t found = 0;
    for (std::size_t i = 0; i < operation_count; ++i) {
        if (after == EachThousand::read_counters && i % 1'000 == 999) {
            static_cast<void>(co_await sessions.metrics());
            static_cast<void>(co_await sessions.in_flight());
            static_cast<void>(co_await sessions.health());
        }
        const auto lease = co_await sessions.acquire(ids[i % ids.size()]);
        found += static_cast<std::size_t>(lease.has_value());
    }
    co_return found;
}

asio::awaitable<SessionLease> acquire_one(SessionService& sessions, SessionId id)
{
    auto lease = co_await sessions.acquire(std::move(id));
    co_return std::move(lease).value();
}

/// Returns how many were kept.
asio::awaitable<std::size_t> record_each(SessionLease& lease, std::size_t count)
{
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
        std::string payload(64, 'x');
        auto recording = lease.record(FrameDirection::to_client, std::move(payload));
        const auto number = co_await std::move(recording);
        kept += static_cast<std::size_t>(number.value() > 0);
    }
    co_return kept;
}

std::size_t record_with(std::size_t frames_per_session)
{
    Server server(frames_per_session);
    const auto ids = run(server.context, create_sessions(server.sessions, session_count));
    auto lease = run(server.context, acquire_one(server.sessions, ids.back()));
    run(server.context, record_each(lease, frames_per_session));
    std::size_t kept = 0;
    sojourn_counted([&] { kept = run(server.context, record_each(lease, operation_count)); });
    expect(kept == (frames_per_session > 0 ? operation_count : 0), "a frame was not kept");
    return operation_count;
}

} // namespace

std::size_t touch()
{
    Server server;
    const auto ids = run(server.context, create_sessions(server.sessions, session_count));
    std::size_t found = 0;
    sojourn_counted([&] { found = run(server.context, touch_each(server.sessions, ids)); });
    expect(found == operation_count, "a session was not found");
    return operation_count;
}

std::size_t acquire_release()
{
    Server server;
    const auto ids = run(server.context, create_sessions(server.sessions, session_count));
    std::size_t found = 0;
    sojourn_counted([&] {
        found = run(server.context, acquire_each(server.sessions, ids, EachThousand::nothing));
    });
    expect(found == operation_count, "a session was not found");
    return operation_count;
}

std::size_t acquire_release_watched()
{
    Server server;
    const auto listen = admin::Options()
                            .tcp({asio::ip::address_v4::loopback(), 0})
                            .token("a-token-that-nobody-guesses");
    admin::Endpoint endpoint(server.context.get_executor(), server.sessions, listen);
    endpoint.start();
    const auto ids = run(server.context, create_sessions(server.sessions, session_count));
    std::size_t found = 0;
    sojourn_counted([&] {
        found =
            run(server.context, acquire_each(server.sessions, ids, EachThousand::read_counters));
    });
    expect(found == operation_count, "a session was not found");
    return operation_count;
}

std::size_t record()
{
    constexpr std::size_t frames_per_session = 20;
    return record_with(frames_per_session);
}

std::size_t record_off()
{
    return record_with(0);
}

std::size_t create_evict()
{
    Server server;
    run(server.context, create_sessions(server.sessions, session_count));
    sojourn_counted([&] { run(server.context, create_sessions(server.sessions, operation_count)); }
    );
    const auto metrics = run(server.context, server.sessions.metrics()).value();
    expect(metrics.live == session_count, "the table is not full");
    return operation_count;
}

std::size_t expire()
{
    Server server;
    run(server.context, create_sessions(server.sessions, session_count));
    server.clock->advance(std::chrono::hours(1));
    // The background's cleanup has been woken too; who ends which session does not matter here.
    sojourn_counted([&] { (void)run(server.context, server.sessions.cleanup()); });
    const auto metrics = run(server.context, server.sessions.metrics()).value();
    expect(metrics.live == 0, "a session has outlived its timeout");
    return session_count;
}

} // namespace sojourn::instructions

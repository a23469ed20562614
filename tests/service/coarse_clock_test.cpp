// What a request is told by a clock that lags: never a refusal, and no time before its own.

#include "support/poll_until.hpp"
#include "support/run_coro.hpp"

#include <sojourn/service/session_service.hpp>
#include <sojourn/testing/manual_clock.hpp>

#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include <memory>

namespace asio = boost::asio;
using namespace sojourn;
using namespace sojourn::tests;
using namespace std::chrono_literals;

namespace {

/// A manual clock whose coarse time is 7 ms behind.
class LaggingClock final : public Clock {
public:
    static constexpr Duration lag = 7ms;

    [[nodiscard]] TimePoint steady() const noexcept override { return exact.steady(); }

    [[nodiscard]] TimePoint steady_coarse() const noexcept override { return steady() - lag; }

    [[nodiscard]] WallTime wall() const noexcept override { return exact.wall(); }

    [[nodiscard]] std::unique_ptr<Timer> make_timer(const asio::any_io_executor& executor) override
    {
        return exact.make_timer(executor);
    }

    testing::ManualClock exact;
};

struct LaggingService {
    explicit LaggingService(RateLimit limit)
        : service(
              context.get_executor(),
              ServiceOptions().request_rate(limit),
              ServiceEnvironment().clock(clock)
          )
    {
        auto wish = CreateOptions().principal("ada");
        id = run_coro(context, service.create(wish)).value().id;
        // So that the background, which is told the exact time, sleeps from here on.
        run_ready(context);
    }

    Result<SessionLease> acquire() { return run_coro(context, service.acquire(id)); }

    SessionInfo peek() { return run_coro(context, service.peek(id)).value(); }

    asio::io_context context;
    std::shared_ptr<LaggingClock> clock = std::make_shared<LaggingClock>();
    SessionService service;
    SessionId id;
};

} // namespace

TEST_CASE(
    "session_service coarse clock: the end of a request counts as of the coarse time",
    "[async][service]"
)
{
    LaggingService f(RateLimit::unlimited());
    f.clock->exact.advance(1s);
    auto lease = f.acquire().value();
    f.clock->exact.advance(1s);
    lease.release();
    CHECK(f.peek().expires_in == 30min - LaggingClock::lag);
}

TEST_CASE(
    "session_service coarse clock: a request does not end before what was known when it began",
    "[async][service]"
)
{
    LaggingService f(RateLimit::unlimited());
    f.clock->exact.advance(1s);
    // This turn told the table the exact time.
    CHECK(f.peek().expires_in == 30min - 1s);
    f.acquire().value().release();
    CHECK(f.peek().expires_in == 30min);
}

TEST_CASE(
    "session_service coarse clock: a request is refused by the exact time alone", "[async][service]"
)
{
    LaggingService f(RateLimit(100, 1));
    f.clock->exact.advance(1s);
    REQUIRE(f.acquire().has_value());
    // By the coarse time the next is due 10 ms after that, which is 3 ms from here.
    f.clock->exact.advance(2ms);
    const auto refused = f.acquire();
    CHECK(refused.error() == errc::rate_limited);
    CHECK(refused.error().retry_after() == 1ms);
    f.clock->exact.advance(1ms - 1ns);
    CHECK(f.acquire().error().retry_after() == 1ns);
    f.clock->exact.advance(1ns);
    CHECK(f.acquire().has_value());
}

TEST_CASE(
    "session_service coarse clock: a rate that is finer than the lag is told the exact time",
    "[async][service]"
)
{
    LaggingService f(RateLimit(1000, 1));
    f.clock->exact.advance(1s);
    REQUIRE(f.acquire().has_value());
    f.clock->exact.advance(1ms - 1ns);
    CHECK(f.acquire().error().retry_after() == 1ns);
    f.clock->exact.advance(1ns);
    CHECK(f.acquire().has_value());
}

#include "sojourn/async/clock.hpp"
#include "support/poll_until.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include <optional>

namespace asio = boost::asio;

namespace sojourn::tests {

using namespace std::chrono_literals;

TEST_CASE("clock: the steady time never goes back", "[async][clock]")
{
    const SystemClock clock;
    auto last = clock.steady();
    bool went_back = false;
    for (int i = 0; i < 10'000; ++i) {
        const auto now = clock.steady();
        went_back = went_back || now < last;
        last = now;
    }
    CHECK_FALSE(went_back);
}

TEST_CASE("clock: the coarse time lags, and by no more than it may", "[async][clock]")
{
    const SystemClock clock;
    auto last = clock.steady_coarse();
    int wrong = 0;
    for (int i = 0; i < 10'000; ++i) {
        const auto before = clock.steady();
        const auto coarse = clock.steady_coarse();
        const auto after = clock.steady();
        wrong += coarse < last || coarse > after ? 1 : 0;
        // Only where this thread was not kept waiting in between.
        wrong += after - before < 1ms && coarse + Clock::coarse_lag < before ? 1 : 0;
        last = coarse;
    }
    CHECK(wrong == 0);
}

TEST_CASE("clock: both times are those of the operating system", "[async][clock]")
{
    const SystemClock clock;
    const auto before = std::chrono::steady_clock::now();
    const auto steady = clock.steady();
    const auto after = std::chrono::steady_clock::now();
    CHECK(steady >= before);
    CHECK(steady <= after);
    const auto wall = clock.wall();
    CHECK(wall >= std::chrono::system_clock::now() - std::chrono::minutes(1));
    CHECK(wall <= std::chrono::system_clock::now() + std::chrono::minutes(1));
}

TEST_CASE("clock: a timer completes at its deadline, by post", "[async][clock]")
{
    SystemClock clock;
    asio::io_context context;
    const auto timer = clock.make_timer(context.get_executor());
    std::optional<boost::system::error_code> result;
    TimePoint completed;
    const auto deadline = clock.steady() + std::chrono::milliseconds(2);
    timer->start_wait(deadline, [&](boost::system::error_code error) {
        result = error;
        completed = clock.steady();
    });
    CHECK_FALSE(result.has_value());
    context.run_for(default_limit);
    REQUIRE(result.has_value());
    CHECK_FALSE(*result);
    CHECK(completed >= deadline);

    // A deadline that has passed is no reason to complete inside the initiating function.
    result.reset();
    timer->start_wait(deadline, [&](boost::system::error_code error) { result = error; });
    CHECK_FALSE(result.has_value());
    context.restart();
    context.run_for(default_limit);
    CHECK(result == boost::system::error_code());
}

TEST_CASE(
    "clock: a cancelled or destroyed timer completes with operation_aborted", "[async][clock]"
)
{
    SystemClock clock;
    asio::io_context context;
    auto timer = clock.make_timer(context.get_executor());
    std::optional<boost::system::error_code> result;
    timer->start_wait(TimePoint::max(), [&](boost::system::error_code error) { result = error; });
    timer->cancel();
    CHECK_FALSE(result.has_value());
    run_ready(context);
    CHECK(result == asio::error::operation_aborted);
    result.reset();
    timer->start_wait(TimePoint::max(), [&](boost::system::error_code error) { result = error; });
    timer.reset();
    run_ready(context);
    CHECK(result == asio::error::operation_aborted);
}

TEST_CASE("clock: a wait goes with its context", "[async][clock]")
{
    SystemClock clock;
    const auto held = std::make_shared<int>();
    std::unique_ptr<Timer> timer;
    {
        asio::io_context context;
        timer = clock.make_timer(context.get_executor());
        timer->start_wait(TimePoint::max(), [held](boost::system::error_code) {});
        CHECK(held.use_count() == 2);
        timer.reset();
    }
    CHECK(held.use_count() == 1);
}

} // namespace sojourn::tests

#include "sojourn/core/semaphore_options.hpp"

#include <catch2/catch_test_macros.hpp>

#include <type_traits>

using namespace std::chrono_literals;
using sojourn::SemaphoreOptions;

static_assert(!std::is_aggregate_v<SemaphoreOptions>);

TEST_CASE("semaphore_options: the defaults are valid", "[unit][core]")
{
    const SemaphoreOptions options;
    CHECK_FALSE(options.validate().has_value());
    CHECK(options.permits() == 1);
    CHECK(options.max_waiters() == 1024);
    CHECK_FALSE(options.max_wait().has_value());
}

TEST_CASE("semaphore_options: what is out of bounds is named", "[unit][core]")
{
    constexpr auto most = SemaphoreOptions::most;
    CHECK_FALSE(SemaphoreOptions().permits(0).max_waiters(0).max_wait(1ms).validate());
    CHECK_FALSE(SemaphoreOptions().permits(most).max_waiters(most).validate());
    CHECK(SemaphoreOptions().permits(most + 1).validate()->field == "permits");
    CHECK(SemaphoreOptions().max_waiters(most + 1).validate()->field == "max_waiters");
    CHECK(SemaphoreOptions().max_wait(999us).validate()->field == "max_wait");
    CHECK(
        SemaphoreOptions().max_wait(24h * 366).validate()->message() ==
        "max_wait must be nothing, or from 1ms to 365d"
    );
}

#include "sojourn/service/drain_options.hpp"

#include <catch2/catch_test_macros.hpp>

#include <type_traits>

using sojourn::DrainOptions;
using namespace std::chrono_literals;

static_assert(
    !std::is_aggregate_v<DrainOptions>, "g++ 12 miscompiles aggregates in a co_await expression"
);

TEST_CASE(
    "drain_options: they have the defaults that are documented, and keep what is set",
    "[unit][service]"
)
{
    DrainOptions options;
    CHECK(options.limit() == 30s);
    CHECK(options.cancel_grace() == 1s);
    options.limit(5min).cancel_grace(0s);
    CHECK(options.limit() == 5min);
    CHECK(options.cancel_grace() == 0s);
}

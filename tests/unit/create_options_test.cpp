#include "sojourn/core/create_options.hpp"

#include <catch2/catch_test_macros.hpp>

#include <type_traits>

using namespace std::chrono_literals;
using sojourn::CreateOptions;

static_assert(
    !std::is_aggregate_v<CreateOptions>, "g++ 12 miscompiles aggregates in a co_await expression"
);

TEST_CASE("create_options: nothing is set by default", "[unit][core]")
{
    const CreateOptions options;
    CHECK(options.principal().empty());
    CHECK(options.peer().empty());
    CHECK(options.attributes().empty());
    CHECK_FALSE(options.idle_timeout().has_value());
    CHECK_FALSE(options.absolute_lifetime().has_value());
    CHECK_FALSE(options.request_rate().has_value());
    CHECK_FALSE(options.adopted_id().has_value());
}

TEST_CASE("create_options: setters chain and keep what they were given", "[unit][core]")
{
    const auto id = sojourn::SessionId::parse("upstream-7").value();
    const auto options = CreateOptions()
                             .principal("ada")
                             .peer("192.0.2.7")
                             .attributes({{"k", "v"}})
                             .idle_timeout(5s)
                             .absolute_lifetime(1h)
                             .request_rate(sojourn::RateLimit(5, 2))
                             .adopt(id);
    CHECK(options.principal() == "ada");
    CHECK(options.peer() == "192.0.2.7");
    CHECK(options.attributes().get("k").value() == "v");
    CHECK(options.idle_timeout() == 5s);
    CHECK(options.absolute_lifetime() == 1h);
    CHECK(options.request_rate() == sojourn::RateLimit(5, 2));
    CHECK((options.adopted_id() == id));
}

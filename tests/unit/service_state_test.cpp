#include "sojourn/service/service_state.hpp"

#include <catch2/catch_test_macros.hpp>

using sojourn::ServiceState;

TEST_CASE("service_state: states are in the order in which they come", "[unit][service]")
{
    CHECK(ServiceState::running < ServiceState::draining);
    CHECK(ServiceState::draining < ServiceState::cancelling);
    CHECK(ServiceState::cancelling < ServiceState::closed);
}

TEST_CASE("service_state: every state has its name", "[unit][service]")
{
    CHECK(to_string(ServiceState::running) == "running");
    CHECK(to_string(ServiceState::draining) == "draining");
    CHECK(to_string(ServiceState::cancelling) == "cancelling");
    CHECK(to_string(ServiceState::closed) == "closed");
    CHECK(to_string(ServiceState{9}) == "unknown");
}

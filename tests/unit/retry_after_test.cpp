#include <sojourn/core/time.hpp>
#include <sojourn/http/retry_after.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

namespace sojourn::tests {

using http::to_retry_after;
using namespace std::chrono_literals;

TEST_CASE("retry_after: a wait is rounded up to whole seconds", "[http]")
{
    CHECK(to_retry_after(2s) == 2s);
    CHECK(to_retry_after(2s + 1ns) == 3s);
    CHECK(to_retry_after(3s - 1ns) == 3s);
    CHECK(to_retry_after(Duration::max()) == 9'223'372'037s);
}

TEST_CASE("retry_after: nobody is told to come back at once", "[http]")
{
    CHECK(to_retry_after(1ns) == 1s);
    CHECK(to_retry_after(0s) == 1s);
    CHECK(to_retry_after(-5s) == 1s);
    CHECK(to_retry_after(Duration::min()) == 1s);
}

} // namespace sojourn::tests

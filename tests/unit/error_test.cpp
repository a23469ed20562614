#include "sojourn/core/error.hpp"

#include <boost/system/system_error.hpp>
#include <catch2/catch_test_macros.hpp>

#include <set>
#include <string>
#include <type_traits>

using namespace std::chrono_literals;
using sojourn::errc;
using sojourn::Error;
using sojourn::Result;

namespace {

constexpr int first_code = 1;
constexpr int last_code = static_cast<int>(errc::record_too_new);

} // namespace

TEST_CASE("error: codes start at 1, since zero is success", "[unit][core]")
{
    CHECK(static_cast<int>(errc::not_found) == first_code);
    for (int value = first_code; value <= last_code; ++value) {
        CHECK(make_error_code(static_cast<errc>(value)).failed());
    }
}

TEST_CASE("error: every code has a message of its own", "[unit][core]")
{
    const auto& category = sojourn::error_category();
    const auto unknown = category.message(last_code + 1);
    std::set<std::string> messages;
    for (int value = first_code; value <= last_code; ++value) {
        const auto message = category.message(value);
        CAPTURE(value, message);
        CHECK_FALSE(message.empty());
        CHECK(message != unknown);
        CHECK(messages.insert(message).second);
    }
    CHECK(category.message(0) == unknown);
    CHECK(category.message(-1) == unknown);
}

TEST_CASE("error: the category is one object with the library's name", "[unit][core]")
{
    CHECK(std::string(sojourn::error_category().name()) == "sojourn");
    CHECK(&sojourn::error_category() == &make_error_code(errc::conflict).category());
}

TEST_CASE("error: a code converts to an error_code", "[unit][core]")
{
    const boost::system::error_code code = errc::rate_limited;
    CHECK(code.value() == 2);
    CHECK(code.category() == sojourn::error_category());
    CHECK(code == errc::rate_limited);
    CHECK(code != errc::overloaded);
    CHECK(code != boost::system::error_code(2, boost::system::generic_category()));
}

TEST_CASE("error: an error holds a code and how long to wait", "[unit][core]")
{
    const Error plain = errc::not_found;
    CHECK(plain.code() == errc::not_found);
    CHECK(plain.retry_after() == 0ns);
    CHECK(plain.message() == "no such session");

    const Error limited(errc::rate_limited, 10ms);
    CHECK(limited.retry_after() == 10ms);
    CHECK(limited == errc::rate_limited);
    CHECK(limited != Error(errc::rate_limited));
    CHECK(limited == Error(errc::rate_limited, 10ms));
    CHECK(limited != Error(errc::overloaded, 10ms));

    const Error foreign = boost::system::error_code(EIO, boost::system::system_category());
    CHECK(foreign.code().value() == EIO);
    CHECK(foreign != errc::not_found);
}

TEST_CASE("error: a default-constructed error is success", "[unit][core]")
{
    CHECK_FALSE(Error().code().failed());
    CHECK(Error().retry_after() == 0ns);
}

TEST_CASE("error: a result is a value or an error", "[unit][core]")
{
    const Result<int> good = 7;
    CHECK(good.has_value());
    CHECK(good.value() == 7);

    const Result<int> bad = Error(errc::overloaded, 1s);
    CHECK(bad.has_error());
    CHECK(bad.error() == Error(errc::overloaded, 1s));
}

TEST_CASE("error: value() of a failed result throws its code", "[unit][core]")
{
    const Result<int> bad = Error(errc::conflict);
    try {
        static_cast<void>(bad.value());
        FAIL("nothing was thrown");
    } catch (const boost::system::system_error& thrown) {
        CHECK(thrown.code() == errc::conflict);
    }

    const Result<void> nothing = Error(errc::stopping);
    CHECK_THROWS_AS(nothing.value(), boost::system::system_error);
}

static_assert(boost::system::is_error_code_enum<errc>::value);
static_assert(!std::is_aggregate_v<Error>);
static_assert(std::is_default_constructible_v<Error>, "Asio's face completes with one");

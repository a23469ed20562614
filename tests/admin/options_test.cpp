#include "sojourn/admin/options.hpp"

#include <boost/asio/ip/address.hpp>
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <type_traits>

using namespace sojourn::admin;
using boost::asio::ip::make_address;
using boost::asio::ip::tcp;

static_assert(
    !std::is_aggregate_v<Options>, "g++ 12 miscompiles aggregates in a co_await expression"
);

namespace {

const std::string token = "0123456789abcdef";
const std::string other = "fedcba9876543210";

Options on_tcp(const char* address)
{
    return Options().tcp(tcp::endpoint(make_address(address), 0));
}

} // namespace

TEST_CASE("admin options: a Unix socket needs a path that fits, and no token", "[unit][admin]")
{
    CHECK(Options().objection().has_value());
    CHECK_FALSE(Options().unix_socket("a").objection().has_value());
    CHECK_FALSE(Options().unix_socket(std::string(107, 'p')).objection().has_value());
    CHECK(
        Options().unix_socket(std::string(108, 'p')).objection() ==
        "a Unix socket's path must be 1 to 107 bytes, none of them zero"
    );
    CHECK(Options().unix_socket(std::string("a\0b", 3)).objection().has_value());
}

TEST_CASE("admin options: TCP needs a token, whatever the address", "[unit][admin]")
{
    for (const char* const address : {"127.0.0.1", "::1", "0.0.0.0", "192.0.2.1"}) {
        INFO(address);
        CHECK(on_tcp(address).objection().value_or("").starts_with(
            "an admin endpoint on TCP needs a token"
        ));
        CHECK_FALSE(on_tcp(address).token(token).objection().has_value());
        CHECK_FALSE(on_tcp(address).read_token(token).objection().has_value());
    }
}

TEST_CASE("admin options: a token is long enough, and can be sent", "[unit][admin]")
{
    const auto is_good = [](std::string text) {
        return !Options().unix_socket("a").token(std::move(text)).objection().has_value();
    };
    CHECK(is_good(token));
    CHECK(is_good(std::string(512, 'x')));
    CHECK(is_good("-._~+/=-._~+/=-._~+/="));
    CHECK_FALSE(is_good(token.substr(1)));
    CHECK_FALSE(is_good(std::string(513, 'x')));
    CHECK_FALSE(is_good(token + " "));
    CHECK_FALSE(is_good(token + "\n"));
    CHECK_FALSE(is_good(token + "\xC3\xA9"));
    CHECK(Options().unix_socket("a").token(token).read_token(token).objection().has_value());
    CHECK_FALSE(Options().unix_socket("a").token(token).read_token(other).objection().has_value());
}

TEST_CASE("admin options: a token says what may be done", "[unit][admin]")
{
    const auto open = Options().unix_socket("a");
    CHECK(open.access_by(std::nullopt) == Access::change);
    CHECK(open.access_by("anything") == Access::change);

    const auto both = Options().token(token).read_token(other);
    CHECK(both.access_by(std::nullopt) == Access::none);
    CHECK(both.access_by("") == Access::none);
    CHECK(both.access_by(token) == Access::change);
    CHECK(both.access_by(other) == Access::read);
    CHECK(both.access_by(token + "0") == Access::none);
    CHECK(both.access_by(token.substr(1)) == Access::none);
    CHECK(both.access_by("0123456789abcdeF") == Access::none);

    const auto reading = Options().read_token(other);
    CHECK(reading.access_by(other) == Access::read);
    CHECK(reading.access_by(token) == Access::none);
}

TEST_CASE("admin options: where nothing may be changed nobody may change anything", "[unit][admin]")
{
    CHECK(Options().allow_changes(false).access_by(std::nullopt) == Access::read);
    CHECK(Options().allow_changes(false).token(token).access_by(token) == Access::read);
}

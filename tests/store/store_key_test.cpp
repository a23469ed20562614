#include "sojourn/core/session_id.hpp"
#include "sojourn/store/store_key.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <string>

using namespace sojourn;

TEST_CASE("store_key: is the SHA-256 of the id", "[store]")
{
    // The example "abc" of FIPS 180-4, and the empty text.
    constexpr auto abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    constexpr auto none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    CHECK(StoreKey::of(SessionId::parse("abc").value()).hex() == abc);
    CHECK(StoreKey::of_principal("abc").hex() == abc);
    CHECK(StoreKey::of_principal("").hex() == none);
}

TEST_CASE("store_key: reads what it writes, and nothing else", "[store]")
{
    const auto key = StoreKey::of_principal("abc");
    CHECK(StoreKey::from_hex(key.hex()) == key);
    auto text = key.hex();
    CHECK_FALSE(StoreKey::from_hex(text + "0"));
    CHECK_FALSE(StoreKey::from_hex(text.substr(1)));
    text[63] = 'g';
    CHECK_FALSE(StoreKey::from_hex(text));
    text[63] = 'A';
    CHECK_FALSE(StoreKey::from_hex(text));
    CHECK_FALSE(StoreKey::from_hex(""));
}

TEST_CASE("store_key: compares and hashes by its bytes", "[store]")
{
    const auto one = StoreKey::of_principal("1");
    const auto two = StoreKey::of_principal("2");
    CHECK(one != two);
    CHECK((one < two) == (one.hex() < two.hex()));
    CHECK(std::hash<StoreKey>()(one) != std::hash<StoreKey>()(two));
    CHECK(StoreKey().hex() == std::string(64, '0'));
}

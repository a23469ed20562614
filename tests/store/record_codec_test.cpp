#include "sojourn/store/record_codec.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <cstddef>
#include <string>

using namespace sojourn;
using namespace std::chrono_literals;

namespace {

const StoreKey here = StoreKey::of_text("here");
const StoreKey elsewhere = StoreKey::of_text("elsewhere");

SealingKey sealing_key(std::uint32_t number)
{
    SealingKey key;
    key.number = number;
    key.bytes.fill(static_cast<std::byte>(number));
    return key;
}

StoredSession full_session()
{
    StoredSession session;
    session.reference = SessionReference(0xFEDCBA9876543210);
    session.principal = "alice";
    session.attributes.version = 7;
    session.attributes.data = {{"cart", std::string("a\0b\r\n\xFF", 6)}, {"", "no name"}};
    session.created = WallTime(1'000'000'000s);
    session.lifetime_end = WallTime(1'000'000'000s + 720h + 1ns);
    session.idle_timeout = 30min;
    session.own_rate = RateLimit(50, 100);
    return session;
}

void check_equal(const StoredSession& found, const StoredSession& expected)
{
    CHECK(found.reference == expected.reference);
    CHECK(found.principal == expected.principal);
    CHECK(found.attributes.version == expected.attributes.version);
    CHECK(found.attributes.data == expected.attributes.data);
    CHECK(found.created == expected.created);
    CHECK(found.lifetime_end == expected.lifetime_end);
    CHECK(found.idle_timeout == expected.idle_timeout);
    CHECK(found.own_rate == expected.own_rate);
}

RecordCodec any_codec()
{
    return GENERATE(false, true) ? RecordCodec(SealingKeys().add(sealing_key(1))) : RecordCodec();
}

std::string from_hex(std::string_view text)
{
    std::string bytes;
    for (; !text.empty(); text.remove_prefix(2)) {
        bytes += static_cast<char>(std::stoi(std::string(text.substr(0, 2)), nullptr, 16));
    }
    return bytes;
}

} // namespace

TEST_CASE("record_codec: reads what it writes", "[store]")
{
    const auto codec = any_codec();
    for (const auto& session : {full_session(), StoredSession()}) {
        check_equal(codec.decode(here, codec.encode(here, session)).value(), session);
    }
}

TEST_CASE("record_codec: will always read what version 1 of the form is", "[store]")
{
    // Made by hand from docs/store.md, so that no later one reads it differently.
    const auto record = from_hex("534a0100"                             // magic, 1, in the clear
                                 "c890476033d6ab33"                     // checksum
                                 "1032547698badcfe"                     // reference
                                 "0700000000000000"                     // version
                                 "000064a7b3b6e00d"                     // created
                                 "0100a6ae1cece90d"                     // end of its lifetime
                                 "00505c18a3010000"                     // idle timeout
                                 "013200000064000000"                   // own rate
                                 "05000000616c696365"                   // principal
                                 "02000000"                             // attributes
                                 "00000000070000006e6f206e616d65"       // no name, and its value
                                 "0400000063617274060000006100620d0aff" // cart, and its value
    );
    check_equal(RecordCodec().decode(here, record).value(), full_session());
    CHECK(RecordCodec().encode(here, full_session()) == record);
}

TEST_CASE("record_codec: what was cut off, changed or added to cannot be read", "[store]")
{
    const auto codec = any_codec();
    const auto record = codec.encode(here, full_session());
    for (std::size_t length = 0; length < record.size(); ++length) {
        CAPTURE(length);
        CHECK(codec.decode(here, record.substr(0, length)).error() == errc::record_unreadable);
    }
    CHECK(codec.decode(here, record + '\0').error() == errc::record_unreadable);
    for (std::size_t place = 0; place < record.size(); ++place) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            CAPTURE(place, bit);
            auto changed = record;
            changed[place] = static_cast<char>(changed[place] ^ static_cast<char>(1U << bit));
            const auto error = codec.decode(here, changed).error();
            const bool has_newer_number = place == 2 && bit > 0;
            CHECK(error == (has_newer_number ? errc::record_too_new : errc::record_unreadable));
        }
    }
}

TEST_CASE("record_codec: a record cannot be moved to another key", "[store]")
{
    const auto codec = any_codec();
    const auto record = codec.encode(here, full_session());
    CHECK(codec.decode(elsewhere, record).error() == errc::record_unreadable);
}

TEST_CASE("record_codec: a record of a newer version is refused, whatever is in it", "[store]")
{
    const auto codec = any_codec();
    CHECK(codec.decode(here, std::string("SJ\x02\x07 and more")).error() == errc::record_too_new);
    CHECK(codec.decode(here, std::string("SJ\xFF\x00", 4)).error() == errc::record_too_new);
    CHECK(codec.decode(here, std::string("SJ\x00\x00", 4)).error() == errc::record_unreadable);
    CHECK(codec.decode(here, "XX\x02\x07 and more").error() == errc::record_unreadable);
}

TEST_CASE("record_codec: what is sealed shows nothing, and never the same", "[store]")
{
    const RecordCodec codec(SealingKeys().add(sealing_key(1)));
    const auto record = codec.encode(here, full_session());
    CHECK(record.find("alice") == std::string::npos);
    CHECK(record.find("cart") == std::string::npos);
    CHECK(codec.encode(here, full_session()) != record);
}

TEST_CASE("record_codec: keys change one after the other", "[store]")
{
    const RecordCodec before(SealingKeys().add(sealing_key(1)));
    const RecordCodec both(SealingKeys().add(sealing_key(1)).add(sealing_key(2)));
    const RecordCodec after(SealingKeys().add(sealing_key(2)));
    const auto old = before.encode(here, full_session());
    const auto fresh = both.encode(here, full_session());
    check_equal(both.decode(here, old).value(), full_session());
    check_equal(after.decode(here, fresh).value(), full_session());
    CHECK(after.decode(here, old).error() == errc::record_unreadable);
    CHECK(before.decode(here, fresh).error() == errc::record_unreadable);

    auto another = sealing_key(2);
    another.number = 1;
    const RecordCodec wrong(SealingKeys().add(another));
    CHECK(wrong.decode(here, old).error() == errc::record_unreadable);
    const RecordCodec replaced(SealingKeys().add(another).add(sealing_key(1)));
    check_equal(replaced.decode(here, old).value(), full_session());
}

TEST_CASE(
    "record_codec: with keys, what is not sealed is read only if that is asked for", "[store]"
)
{
    const auto plain = RecordCodec().encode(here, full_session());
    RecordCodec codec(SealingKeys().add(sealing_key(1)));
    const auto sealed = codec.encode(here, full_session());
    CHECK(codec.decode(here, plain).error() == errc::record_unreadable);
    CHECK(RecordCodec().decode(here, sealed).error() == errc::record_unreadable);
    codec.read_unsealed(true);
    check_equal(codec.decode(here, plain).value(), full_session());
    check_equal(codec.decode(here, sealed).value(), full_session());
}

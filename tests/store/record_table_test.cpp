#include "sojourn/store/record_table.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>

using namespace sojourn;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint noon(1h);

StoreKey key_of(int number)
{
    return StoreKey::of_principal(std::to_string(number));
}

const StoreKey alice = StoreKey::of_principal("alice");

} // namespace

TEST_CASE("record_table: a record is there until its time, and not at it", "[store]")
{
    RecordTable table{MemoryStoreOptions()};
    table.create(key_of(1), StoreRecord("x", 1h), noon).value();
    CHECK(table.load(key_of(1), noon + 1h - 1ns).value().record.time_to_live == 1ns);
    CHECK(table.load(key_of(1), noon + 1h).error() == errc::not_found);
    CHECK(table.size() == 0);
    CHECK(table.payload_bytes() == 0);
}

TEST_CASE("record_table: what nobody asks for any more goes all the same", "[store]")
{
    constexpr int count = 100;
    RecordTable table{MemoryStoreOptions()};
    for (int i = 0; i < count; ++i) {
        if (i % 2 == 0) {
            table.create(key_of(i), StoreRecord("abc", 1h, alice), noon).value();
        } else {
            CHECK_FALSE(table.remove(key_of(i), 1h, noon).value());
        }
    }
    CHECK(table.size() == count);
    CHECK(table.payload_bytes() == 150);
    for (std::size_t left = count; left > 0; left -= std::min(left, RecordTable::purge_batch)) {
        CHECK(table.size() == left);
        CHECK(table.load(key_of(-1), noon + 1h).error() == errc::not_found);
    }
    CHECK(table.size() == 0);
    CHECK(table.payload_bytes() == 0);
    CHECK_FALSE(table.has_any_of(alice));
}

TEST_CASE("record_table: a principal's records are looked at so many at a time", "[store]")
{
    RecordTable table{MemoryStoreOptions()};
    for (int i = 0; i < 10; ++i) {
        table.create(key_of(i), StoreRecord("x", i < 4 ? 1h : 2h, alice), noon).value();
    }
    CHECK(table.remove_of_principal(alice, 1h, 3, noon) == 3);
    CHECK(table.has_any_of(alice));
    std::size_t removed = 3;
    while (table.has_any_of(alice)) {
        removed += table.remove_of_principal(alice, 1h, 3, noon);
    }
    CHECK(removed == 10);
    CHECK(table.size() == 10);
    CHECK(table.payload_bytes() == 0);
}

TEST_CASE("record_table: a page looks at so many entries, tombstones too", "[store]")
{
    RecordTable table{MemoryStoreOptions()};
    for (int i = 0; i < 10; ++i) {
        CHECK_FALSE(table.remove(key_of(i), 1h, noon).value());
    }
    table.create(key_of(10), StoreRecord("x", 1h), noon).value();
    std::size_t pages = 0;
    std::size_t found = 0;
    std::string next;
    do {
        const auto page = table.scan(next, 2, noon);
        found += page.keys.size();
        next = page.next;
        ++pages;
    } while (!next.empty() && pages < 100);
    CHECK(pages == 6);
    CHECK(found == 1);
}

TEST_CASE("record_table: time near the end of the clock does not wrap", "[store]")
{
    RecordTable table{MemoryStoreOptions()};
    const auto late = TimePoint::max() - 1s;
    table.create(key_of(1), StoreRecord("x", 1h), late).value();
    CHECK(table.load(key_of(1), late).has_value());
    table.touch(key_of(1), Duration::max(), late).value();
    CHECK(table.load(key_of(1), late).has_value());
    CHECK(table.remove(key_of(1), Duration::max(), late).value());
    CHECK(table.create(key_of(1), StoreRecord("x", 1h), late).error() == errc::conflict);
}

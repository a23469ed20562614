#include "sojourn/core/attributes.hpp"
#include "support/allocations.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <new>
#include <numeric>
#include <random>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::string_literals;
using sojourn::Attributes;
using sojourn::tests::allocations_made;
using sojourn::tests::bytes_allocated;
using sojourn::tests::FailingNew;

static_assert(sizeof(Attributes) == sizeof(void*));
static_assert(std::is_nothrow_copy_constructible_v<Attributes>);
static_assert(std::is_nothrow_copy_assignable_v<Attributes>);
static_assert(std::is_nothrow_move_constructible_v<Attributes>);
static_assert(std::is_nothrow_move_assignable_v<Attributes>);
static_assert(std::ranges::forward_range<const Attributes>);
static_assert(std::ranges::sized_range<const Attributes>);

namespace {

std::size_t count_bytes(const Attributes& attributes)
{
    return std::accumulate(
        attributes.begin(),
        attributes.end(),
        std::size_t{0},
        [](std::size_t sum, const auto& entry) {
            return sum + entry.first.size() + entry.second.size() + Attributes::entry_overhead;
        }
    );
}

} // namespace

TEST_CASE("attributes: a name has the value that was set last", "[unit][core]")
{
    Attributes attributes;
    CHECK(attributes.empty());
    CHECK(attributes.bytes() == 0);
    CHECK_FALSE(attributes.get("cart").has_value());

    attributes.set("cart", "apples");
    attributes.set("lang", "en");
    CHECK(attributes.size() == 2);
    CHECK(attributes.get("cart").value() == "apples");
    CHECK(attributes.bytes() == 4 + 6 + 4 + 2 + 2 * Attributes::entry_overhead);

    attributes.set("cart", "pear");
    CHECK(attributes.size() == 2);
    CHECK(attributes.get("cart").value() == "pear");
    CHECK(attributes.bytes() == 4 + 4 + 4 + 2 + 2 * Attributes::entry_overhead);

    CHECK(attributes.erase("cart"));
    CHECK_FALSE(attributes.erase("cart"));
    CHECK_FALSE(attributes.get("cart").has_value());
    CHECK(attributes.bytes() == 4 + 2 + Attributes::entry_overhead);
    CHECK(attributes.erase("lang"));
    CHECK(attributes.empty());
    CHECK(attributes.bytes() == 0);
}

TEST_CASE("attributes: a list may name a name twice, and the last wins", "[unit][core]")
{
    const Attributes attributes = {{"b", "1"}, {"a", "22"}, {"b", "333"}};
    CHECK(attributes.size() == 2);
    CHECK(attributes.get("b").value() == "333");
    CHECK(attributes.bytes() == 1 + 2 + 1 + 3 + 2 * Attributes::entry_overhead);
    CHECK(attributes == Attributes{{"a", "22"}, {"b", "333"}});
    CHECK(attributes != Attributes{{"a", "22"}, {"b", "33"}});
}

TEST_CASE("attributes: many entries are what setting them one by one makes", "[unit][core]")
{
    const auto seed = GENERATE(1U, 2U, 3U);
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    std::vector<Attributes::Entry> entries;
    Attributes one_by_one;
    for (int i = 0; i < 500; ++i) {
        entries.emplace_back("n"s + std::to_string(random() % 200), std::to_string(i));
        one_by_one.set(entries.back().first, entries.back().second);
    }
    CHECK(Attributes::from(entries) == one_by_one);
    CHECK(Attributes::from({}).empty());
}

TEST_CASE("attributes: names come in order", "[unit][core]")
{
    const Attributes attributes = {{"b", ""}, {"c", ""}, {"", ""}, {"a", ""}, {"B", ""}};
    std::vector<std::string> names;
    for (const auto& [name, value] : attributes) {
        names.emplace_back(name);
    }
    CHECK(names == std::vector<std::string>{"", "B", "a", "b", "c"});
}

TEST_CASE("attributes: names and values may be any bytes, and empty", "[unit][core]")
{
    Attributes attributes;
    attributes.set("", "");
    CHECK(attributes.get("").value().empty());
    CHECK(attributes.size() == 1);
    attributes.set("a\0b"s, "\0\xFF"s);
    CHECK(attributes.get("a\0b"s).value() == "\0\xFF"s);
    CHECK_FALSE(attributes.get("a").has_value());
    CHECK(attributes.bytes() == 3 + 2 + 2 * Attributes::entry_overhead);
}

TEST_CASE(
    "attributes: they agree with a map under random changes, and bytes are exact", "[unit][core]"
)
{
    std::mt19937_64 random(11);
    const auto pick = [&](std::size_t most) {
        return std::uniform_int_distribution<std::size_t>(0, most)(random);
    };
    Attributes attributes;
    std::map<std::string, std::string, std::less<>> model;
    for (int i = 0; i < 5000; ++i) {
        const auto name = "name"s + std::to_string(pick(12));
        if (pick(2) > 0) {
            const std::string value(pick(40), 'v');
            attributes.set(name, value);
            model[name] = value;
        } else if (attributes.erase(name) != (model.erase(name) > 0)) {
            FAIL("erased what was not there, or the reverse");
        }
        if (attributes.bytes() != count_bytes(attributes) || attributes.size() != model.size()) {
            FAIL("lost count at change " << i);
        }
    }
    for (const auto& [name, value] : model) {
        CHECK(attributes.get(name) == value);
    }
}

TEST_CASE("attributes: algorithms go through them", "[unit][core]")
{
    const Attributes attributes = {{"a", "1"}, {"b", "22"}, {"c", "333"}};
    CHECK(std::ranges::distance(attributes) == 3);
    const auto longer = std::ranges::find_if(attributes, [](const Attributes::View& entry) {
        return entry.second.size() > 1;
    });
    REQUIRE(longer != attributes.end());
    CHECK(*longer == Attributes::View("b", "22"));
    auto next = longer;
    CHECK(*next++ == *longer);
    CHECK((*next).first == "c");
    CHECK(++next == attributes.end());
    CHECK(Attributes().begin() == Attributes().end());
}

TEST_CASE("attributes: they are equal if all names and values are", "[unit][core]")
{
    const Attributes attributes = {{"ab", "c"}, {"d", ""}};
    Attributes same;
    same.set("d", "");
    same.set("ab", "c");
    CHECK(same == attributes);
    // The same text, and the same number of entries.
    CHECK(attributes != Attributes{{"a", "bc"}, {"d", ""}});
    CHECK(attributes != Attributes{{"ab", "cd"}, {"", ""}});
    CHECK(attributes != Attributes{{"ab", "c"}});
    CHECK(attributes != Attributes());
    CHECK(Attributes() == Attributes());
}

TEST_CASE("attributes: a copy is the same memory", "[unit][core]")
{
    const Attributes original = {{"k", "v"}, {"l", "w"}};
    const auto allocations = allocations_made();
    const auto copy = original;
    Attributes assigned;
    assigned = copy;
    CHECK(allocations_made() == allocations);
    CHECK(assigned == original);
    CHECK(assigned.get("l")->data() == original.get("l")->data());
}

TEST_CASE("attributes: a change leaves copies as they were", "[unit][core]")
{
    const Attributes original = {{"k", "v"}, {"l", "w"}};
    auto changed = original;
    changed.set("k", "another");
    auto erased = original;
    CHECK(erased.erase("k"));
    CHECK(original == Attributes{{"k", "v"}, {"l", "w"}});
    CHECK(changed == Attributes{{"k", "another"}, {"l", "w"}});
    CHECK(erased == Attributes{{"l", "w"}});
}

TEST_CASE("attributes: to set what is there already changes nothing", "[unit][core]")
{
    const Attributes original = {{"k", "v"}};
    auto same = original;
    const auto allocations = allocations_made();
    same.set("k", "v");
    CHECK_FALSE(same.erase("l"));
    CHECK(allocations_made() == allocations);
    CHECK(same.get("k")->data() == original.get("k")->data());
}

TEST_CASE("attributes: what is set may be a part of what was there", "[unit][core]")
{
    Attributes attributes = {{"k", "value"}};
    attributes.set(attributes.get("k")->substr(1), *attributes.get("k"));
    CHECK(attributes == Attributes{{"alue", "value"}, {"k", "value"}});
    attributes.set("k", attributes.get("k")->substr(2));
    CHECK(attributes.get("k") == "lue");
    CHECK(attributes.erase((*attributes.begin()).first));
    CHECK(attributes == Attributes{{"k", "lue"}});
}

TEST_CASE("attributes: those that are moved from are empty", "[unit][core]")
{
    Attributes from = {{"k", "v"}};
    Attributes to(std::move(from));
    CHECK(from.empty()); // NOLINT(bugprone-use-after-move,hicpp-invalid-access-moved)
    CHECK(to.get("k") == "v");
    from = std::move(to);
    CHECK(to.empty()); // NOLINT(bugprone-use-after-move,hicpp-invalid-access-moved)
    CHECK(from.get("k") == "v");
    from.set("l", "w");
    to = from;
    CHECK(to.size() == 2);
}

TEST_CASE("attributes: they may be assigned to themselves", "[unit][core]")
{
    Attributes attributes = {{"k", "v"}};
    auto& same = attributes;
    attributes = same;
    CHECK(attributes.get("k") == "v");
    attributes = std::move(same);
    CHECK(attributes.get("k") == "v");
}

TEST_CASE("attributes: the last copy frees the memory", "[unit][core]")
{
    const auto bytes = bytes_allocated();
    {
        Attributes first = {{"k", std::string(1000, 'v')}};
        auto second = first;
        first = Attributes();
        CHECK(bytes_allocated() > bytes + 1000);
        CHECK(second.get("k")->size() == 1000);
    }
    CHECK(bytes_allocated() == bytes);
}

TEST_CASE("attributes: they take one allocation, a few bytes more than the text", "[unit][core]")
{
    const std::string value(60, 'v');
    const auto allocations = allocations_made();
    const auto bytes = bytes_allocated();
    Attributes one;
    CHECK(bytes_allocated() == bytes);
    one.set("user", value);
    CHECK(allocations_made() == allocations + 1);
    // The allocator may round up.
    CHECK(bytes_allocated() - bytes <= 64 + 16 + 8);

    std::vector<Attributes::Entry> entries;
    for (int i = 0; i < 100; ++i) {
        entries.emplace_back(std::to_string(100 + i), value);
    }
    const auto bytes_before = bytes_allocated();
    const auto many = Attributes::from(entries);
    CHECK(bytes_allocated() - bytes_before <= 100 * (63 + 8) + 8 + 8);
}

TEST_CASE("attributes: a change that lacks memory changes nothing", "[unit][core]")
{
    const Attributes original = {{"k", "v"}, {"l", "w"}};
    auto attributes = original;
    {
        const FailingNew failing(1, FailingNew::Repeat::yes);
        CHECK_THROWS_AS(attributes.set("m", "x"), std::bad_alloc);
        CHECK_THROWS_AS(attributes.set("k", "x"), std::bad_alloc);
        CHECK_THROWS_AS(attributes.erase("k"), std::bad_alloc);
    }
    CHECK(attributes == original);
    // But the last one needs none to go.
    CHECK(attributes.erase("l"));
    const FailingNew failing(1, FailingNew::Repeat::yes);
    CHECK(attributes.erase("k"));
    CHECK(attributes.empty());
}

TEST_CASE("attributes: 4 GiB of text are too long", "[unit][core]")
{
    constexpr auto too_long = std::size_t{1} << 32U;
    const Attributes original = {{"k", "v"}};
    auto attributes = original;
    // Nobody gets to look at what is not there.
    const std::string_view text("", too_long);
    CHECK_THROWS_AS(attributes.set("l", text), std::length_error);
    CHECK_THROWS_AS(attributes.set("k", text.substr(1)), std::length_error);
    CHECK(attributes == original);
}

TEST_CASE("attributes: threads may copy and drop the same ones", "[unit][core]")
{
    const auto bytes = bytes_allocated();
    {
        const std::string value(100, 'v');
        Attributes shared = {{"k", value}};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([mine = shared, value]() mutable {
                for (int round = 0; round < 2000; ++round) {
                    auto copy = mine;
                    // Changed in one copy, and read in the others.
                    mine.set("mine", std::to_string(round));
                    mine = copy.get("k") == value ? copy : Attributes();
                }
                mine.set("done", mine.empty() ? "wrong" : "right");
            });
        }
        // Somebody of them is the last to have it.
        shared = Attributes();
        for (auto& thread : threads) {
            thread.join();
        }
    }
    CHECK(bytes_allocated() == bytes);
}

#include "sojourn/core/attributes.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

using namespace std::string_literals;
using sojourn::Attributes;

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
        names.push_back(name);
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

TEST_CASE("attributes: all that are empty are shared as one, which nobody counts", "[unit][core]")
{
    const auto none = share(Attributes());
    CHECK(none->empty());
    CHECK(share(Attributes()) == none);
    CHECK(none.use_count() == 0);
    const auto some = share(Attributes{{"a", "b"}});
    CHECK(some->get("a") == "b");
    CHECK(some.use_count() == 1);
}

#include "sojourn/core/attribute_bin.hpp"
#include "support/allocations.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

using sojourn::AttributeBin;
using sojourn::Attributes;
using sojourn::tests::allocations_made;
using sojourn::tests::bytes_allocated;

namespace {

Attributes some(std::size_t bytes)
{
    return {{"k", std::string(bytes, 'v')}};
}

} // namespace

TEST_CASE("attribute_bin: it keeps what was put in and frees it with itself", "[unit][core]")
{
    const auto before = bytes_allocated();
    {
        AttributeBin bin;
        CHECK(bin.empty());
        // From the least that there can be.
        for (std::size_t bytes = 0; bytes < 100; ++bytes) {
            bin.add(some(bytes));
        }
        CHECK_FALSE(bin.empty());
        CHECK(bytes_allocated() > before + 5000);
    }
    CHECK(bytes_allocated() == before);
}

TEST_CASE("attribute_bin: the least attributes there can be fit in", "[unit][core]")
{
    const auto before = bytes_allocated();
    {
        AttributeBin bin;
        bin.add({{"", ""}});
        bin.add({{"", ""}});
        CHECK_FALSE(bin.empty());
    }
    CHECK(bytes_allocated() == before);
}

TEST_CASE("attribute_bin: empty attributes leave it empty", "[unit][core]")
{
    AttributeBin bin;
    bin.add(Attributes());
    CHECK(bin.empty());
}

TEST_CASE("attribute_bin: attributes that others share stay theirs", "[unit][core]")
{
    const auto before = bytes_allocated();
    {
        auto mine = some(10);
        auto copy = mine;
        AttributeBin bin;
        bin.add(std::move(copy));
        CHECK(bin.empty());
        CHECK(mine == some(10));
        // The last one to have them.
        bin.add(std::move(mine));
        CHECK_FALSE(bin.empty());
    }
    CHECK(bytes_allocated() == before);
}

namespace {

class Counted final : public sojourn::Discardable {
public:
    explicit Counted(int& alive) : alive_(alive) { ++alive_; }

    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    Counted(Counted&&) = delete;
    Counted& operator=(Counted&&) = delete;

    ~Counted() override { --alive_; }

private:
    int& alive_;
};

} // namespace

TEST_CASE("attribute_bin: objects go into it among attributes", "[unit][core]")
{
    const auto before = bytes_allocated();
    int alive = 0;
    {
        AttributeBin bin;
        bin.add(std::make_unique<Counted>(alive));
        bin.add(some(10));
        bin.add(std::make_unique<Counted>(alive));
        CHECK(alive == 2);
    }
    CHECK(alive == 0);
    CHECK(bytes_allocated() == before);
}

TEST_CASE("attribute_bin: it allocates nothing", "[unit][core]")
{
    auto first = some(1);
    auto second = some(1000);
    const auto before = allocations_made();
    AttributeBin bin;
    bin.add(std::move(first));
    bin.add(std::move(second));
    const auto taken = std::move(bin);
    CHECK_FALSE(taken.empty());
    CHECK(allocations_made() == before);
}

TEST_CASE("attribute_bin: all that was put in moves on at once", "[unit][core]")
{
    const auto before = bytes_allocated();
    AttributeBin bin;
    bin.add(some(10));
    bin.add(some(20));
    {
        const auto taken = std::exchange(bin, AttributeBin());
        CHECK(bin.empty());
        CHECK_FALSE(taken.empty());
        CHECK(bytes_allocated() > before);
    }
    CHECK(bytes_allocated() == before);
    // It goes on from there.
    bin.add(some(30));
    AttributeBin other;
    other.add(some(40));
    other = std::move(bin);
    CHECK_FALSE(other.empty());
    bin = AttributeBin();
    other = AttributeBin();
    CHECK(bytes_allocated() == before);
}

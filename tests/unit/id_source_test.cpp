#include "sojourn/core/id_source.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

using sojourn::errc;

namespace {

/// Fails like a system without a generator.
class FailingIdSource final : public sojourn::IdSource {
public:
    boost::system::error_code fill(std::span<std::byte> bytes) noexcept override
    {
        asked = bytes.size();
        return {ENOSYS, boost::system::system_category()};
    }

    std::size_t asked = 0;
};

/// Counts up: 0, 1, 2 ...
class CountingIdSource final : public sojourn::IdSource {
public:
    boost::system::error_code fill(std::span<std::byte> bytes) noexcept override
    {
        ++calls;
        for (auto& byte : bytes) {
            byte = static_cast<std::byte>(next++);
        }
        return {};
    }

    unsigned next = 0;
    int calls = 0;
};

} // namespace

TEST_CASE(
    "id_source: 100,000 ids of the system are well formed and all different", "[unit][core][large]"
)
{
    sojourn::OsIdSource source;
    std::unordered_set<std::string> ids;
    std::unordered_set<sojourn::SessionReference> references;
    constexpr std::size_t count = 100'000;
    for (std::size_t i = 0; i < count; ++i) {
        const auto names = draw_names(source);
        if (!names || !sojourn::SessionId::parse_issued(names->id.text())) {
            FAIL("not an issued id");
        }
        ids.emplace(names->id.text());
        references.insert(names->reference);
    }
    CHECK(ids.size() == count);
    // 64 bits: one of 3.7 billion runs may find two that are equal.
    CHECK(references.size() == count);
}

TEST_CASE("id_source: each character of the system's ids is equally likely", "[unit][core]")
{
    sojourn::OsIdSource source;
    constexpr int count = 20'000;
    std::array<int, 256> seen{};
    for (int i = 0; i < count; ++i) {
        const auto id = draw_id(source).value();
        // The last character holds four bits only, so it is left out.
        for (const char character : id.text().substr(0, 42)) {
            ++seen[static_cast<unsigned char>(character)];
        }
    }
    // Binomial, so beyond six standard deviations it is not chance: 1 in 10^7 for all 64.
    const double mean = count * 42 / 64.0;
    const double deviation = std::sqrt(mean * 63 / 64);
    CHECK(std::ranges::count_if(seen, [](int times) { return times > 0; }) == 64);
    for (const int times : seen) {
        if (times > 0) {
            CHECK(std::abs(times - mean) < 6 * deviation);
        }
    }
}

TEST_CASE("id_source: names are drawn in one call, id first and then reference", "[unit][core]")
{
    CountingIdSource source;
    const auto names = draw_names(source).value();
    CHECK(source.calls == 1);
    CHECK(source.next == 40);
    CHECK(names.id.text() == "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    CHECK(names.reference != sojourn::SessionReference());

    const auto id = draw_id(source).value();
    CHECK(source.calls == 2);
    CHECK(source.next == 72);
    CHECK(id.text().size() == sojourn::SessionId::issued_length);
}

TEST_CASE("id_source: a source that fails gives no names", "[unit][core]")
{
    FailingIdSource source;
    CHECK(draw_names(source).error() == errc::id_source_failed);
    CHECK(source.asked == 40);
    CHECK(draw_id(source).error() == errc::id_source_failed);
    CHECK(source.asked == 32);
}

TEST_CASE("id_source: the system fills a span of any size", "[unit][core]")
{
    sojourn::OsIdSource source;
    CHECK_FALSE(source.fill({}).failed());
    // Larger than what getrandom(2) gives in one go without a signal.
    std::vector<std::byte> bytes(1U << 16U);
    CHECK_FALSE(source.fill(bytes).failed());
    CHECK(std::ranges::count(bytes, std::byte{0}) < 1000);
}
